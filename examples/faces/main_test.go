package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var printed strings.Builder
	require.NoError(t, run(t.Context(), &printed))
	for _, pattern := range []string{
		`issuer:  http://127\.0\.0\.1:\d+`,
		`subject: \S{8,}`,
		`legacy identity, signed by the pinned key: true`,
		`refreshed, same person: true`,
	} {
		assert.Regexp(t, "(?m)^"+pattern+"$", printed.String())
	}
}
