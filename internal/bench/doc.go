// Package bench measures what belief costs, beside the libraries that others use
// and beside the limit: the bare signature. It is a module of its own, so that
// nobody who uses ours gets the others.
//
//	go test -bench . ./...      # Verify/RS256/rely, Verify/RS256/limit, …
//	go run ./tables             # the tables of PERFORMANCE.md
//	go run ./classes            # the tables of SECURITY-TESTS.md
//
// Machines are noisy, so a bound is about a ratio: the program in tables runs all
// columns of a row in turn, in one process, and takes the median of the ratios.
package bench
