package bench

// A Column is one way to do what a case is about.
type Column struct {
	// Name is the library's, or "limit" for what nobody can do without.
	Name string
	// Run does it once.
	Run func() error
}

// A Case is something that is done in several ways.
type Case struct {
	// Name is that of the benchmark, without the column.
	Name string
	// Limit is the column whose time is 1.
	Limit string
	// Bound is the most that rely may take, as a multiple of the limit's time; 0
	// bounds nothing.
	Bound float64
	// Ahead says that rely has to be faster than every library.
	Ahead bool
	// Columns are the ways, in the order in which they are printed.
	Columns []Column
}

// Cases makes all cases. The function that is returned ends what they began.
func Cases() (cases []Case, end func(), err error) {
	end = func() {}
	for _, make := range []func() ([]Case, error){verifyCases, chainCases, signCases, middlewareCases} {
		more, err := make()
		if err != nil {
			return nil, end, err
		}
		cases = append(cases, more...)
	}
	exchanges, end, err := exchangeCases()
	return append(cases, exchanges...), end, err
}
