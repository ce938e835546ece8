package bench

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The names of benchmarks are Verify/RS256/rely, Verify/RS256/limit, … for a
// script to compare.
func BenchmarkVerify(b *testing.B)     { run(b, "Verify/") }
func BenchmarkChain(b *testing.B)      { run(b, "Chain/") }
func BenchmarkX5CUnasked(b *testing.B) { run(b, "X5CUnasked") }
func BenchmarkSign(b *testing.B)       { run(b, "Sign/") }
func BenchmarkExchange(b *testing.B)   { run(b, "Exchange/") }
func BenchmarkMiddleware(b *testing.B) { run(b, "Middleware/") }

func run(b *testing.B, prefix string) {
	cases, end, err := Cases()
	defer end()
	require.NoError(b, err)
	for _, c := range cases {
		rest, ok := strings.CutPrefix(c.Name, prefix)
		if !ok {
			continue
		}
		for _, column := range c.Columns {
			b.Run(path.Join(rest, column.Name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := column.Run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// Each column does what it should.
func TestColumns(t *testing.T) {
	cases, end, err := Cases()
	defer end()
	require.NoError(t, err)
	for _, c := range cases {
		for _, column := range c.Columns {
			for range 3 {
				require.NoError(t, column.Run(), "%s/%s", c.Name, column.Name)
			}
		}
	}
}
