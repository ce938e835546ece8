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
		`request: POST with a signed request object`,
		`issuer:  did:ishare:[A-Z0-9.-]+`,
		`subject: \S{8,}`,
		`acr:     urn:http://eidas\.europa\.eu/LoA/NotNotified/substantial`,
		`checked: size, shape, header, key, signature, iss, aud,.* exp, .*nonce, acr, profile`,
		`userinfo: .*first_name.*`,
		`laxer:   issuers are party ids, not URLs`,
	} {
		assert.Regexp(t, "(?m)^"+pattern+"$", printed.String())
	}
}
