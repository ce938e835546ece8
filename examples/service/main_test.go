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
		`party:   did:ishare:[A-Z0-9.-]+`,
		`type:    Bearer`,
		`good for 1h0m0s`,
	} {
		assert.Regexp(t, "(?m)^"+pattern+"$", printed.String())
	}
}
