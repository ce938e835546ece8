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
		`issuer:  http://127\.0\.0\.1:\d+/auth/realms/current`,
		`subject: \S{8,}`,
		`acr:     urn:bankid:bid;LOA=4`,
		`checked: .*signature, .*nonce, at_hash, acr`,
		`userinfo: .*name.*`,
		`offered: bankid_altsub`,
	} {
		assert.Regexp(t, "(?m)^"+pattern+"$", printed.String())
	}
}
