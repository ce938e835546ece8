package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rely-go/rely/internal/bench"
)

// batch is how long one column runs in one round.
const batch = 4 * time.Millisecond

// minRuns is how often it runs at least.
const minRuns = 10

// times prints how long each case takes, as a multiple of its limit.
func times(out *bytes.Buffer, rounds int, cases []bench.Case) (broken []string, err error) {
	fmt.Fprintf(out, "## Time\n\nMultiples of the limit's time: medians of the ratios within each round. The limit's own time is in brackets.\n\n")
	for _, c := range cases {
		measured, err := measure(c.Columns, rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		limit := slices.IndexFunc(c.Columns, func(column bench.Column) bool { return column.Name == c.Limit })
		head, line, row := "| "+c.Name+" |", "|---|", "| |"
		ratios := map[string]float64{}
		for i, column := range c.Columns {
			ratio := median(paired(measured[i], measured[limit]))
			ratios[column.Name] = ratio
			head, line = head+" "+column.Name+" |", line+"---|"
			row += fmt.Sprintf(" %.2f", ratio)
			if i == limit {
				row += fmt.Sprintf(" (%s)", time.Duration(median(measured[i])).Round(100*time.Nanosecond))
			}
			row += " |"
		}
		what, ok := verdict(c, ratios)
		if what != "" {
			mark, wrong := held(ok, c.Name+": "+what+fmt.Sprintf(", and it is %.2f", ratios["rely"]))
			broken = append(broken, wrong...)
			head, line, row = head+" bound | holds |", line+"---|---|", row+" "+what+" | "+mark+" |"
		}
		fmt.Fprintf(out, "%s\n%s\n%s\n\n", head, line, row)
	}
	return broken, nil
}

// verdict says what a case is bound to, and whether that holds.
func verdict(c bench.Case, ratios map[string]float64) (what string, ok bool) {
	ok = true
	var said []string
	if c.Bound > 0 {
		said = append(said, fmt.Sprintf("at most %.2f", c.Bound))
		ok = ratios["rely"] <= c.Bound
	}
	if c.Ahead {
		said = append(said, "ahead of all")
		for name, ratio := range ratios {
			if name != "rely" && !strings.HasPrefix(name, "limit") && ratio <= ratios["rely"] {
				ok = false
			}
		}
	}
	return strings.Join(said, ", "), ok
}

// measure runs all columns in turn, in another order each round, and returns the
// nanoseconds of one run by column and round.
func measure(columns []bench.Column, rounds int) ([][]float64, error) {
	measured := make([][]float64, len(columns))
	runs := make([]int, len(columns))
	for i, column := range columns {
		began, n := time.Now(), 0
		for ; n < minRuns || time.Since(began) < batch; n++ {
			if err := column.Run(); err != nil {
				return nil, fmt.Errorf("%s: %w", column.Name, err)
			}
		}
		runs[i] = n
		measured[i] = make([]float64, rounds)
	}
	for round := range rounds {
		for _, i := range rand.Perm(len(columns)) {
			began := time.Now()
			for range runs[i] {
				if err := columns[i].Run(); err != nil {
					return nil, fmt.Errorf("%s: %w", columns[i].Name, err)
				}
			}
			measured[i][round] = float64(time.Since(began)) / float64(runs[i])
		}
	}
	return measured, nil
}

func paired(a, b []float64) []float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return ratios
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

const maxAllocations = 20

// allocations prints what a verification allocates.
func allocations(out *bytes.Buffer, cases []bench.Case) (broken []string, err error) {
	fmt.Fprintf(out, "## Allocations\n\nBytes and allocations of one verification.\n\n")
	head, line := "", ""
	for _, c := range cases {
		if !strings.HasPrefix(c.Name, "Verify/") {
			continue
		}
		row, bytesOf := "| "+c.Name+" |", map[string]int64{}
		var own int64
		columns := "| |"
		for _, column := range c.Columns {
			result := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					err = column.Run()
				}
			})
			if err != nil {
				return nil, err
			}
			bytesOf[column.Name] = result.AllocedBytesPerOp()
			if column.Name == "rely" {
				own = result.AllocsPerOp()
			}
			columns += " " + column.Name + " |"
			row += fmt.Sprintf(" %d, %d |", result.AllocedBytesPerOp(), result.AllocsPerOp())
		}
		if head == "" {
			head, line = columns+" holds |", strings.Repeat("|---", len(c.Columns)+2)+"|"
			fmt.Fprintf(out, "%s\n%s\n", head, line)
		}
		mark, wrong := held(own <= maxAllocations && bytesOf["rely"] <= bytesOf["go-oidc"], c.Name+": more than 20 allocations, or more bytes than go-oidc")
		broken = append(broken, wrong...)
		fmt.Fprintf(out, "%s %s |\n", row, mark)
	}
	fmt.Fprintln(out)
	return broken, nil
}
