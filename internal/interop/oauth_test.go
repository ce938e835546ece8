package interop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// testOAuth asks for nothing but access: without the scope openid the provider is an
// authorization server, and its answer has no ID token.
func testOAuth(t *testing.T, rp *relyingParty, op *engine) {
	for name, carriage := range map[string]oidcclient.Carriage{"query": oidcclient.CarryQuery, "pushed": oidcclient.CarryPushed} {
		t.Run(name, func(t *testing.T) {
			config := rp.config(op.issuer, "basic", secret)
			config.Profile, config.Scopes, config.Carriage = profiles.OAuth(), []string{"api:read"}, carriage
			config.DiscoveryURL = op.issuer + "/.well-known/openid-configuration"
			config.Authorize.Resources = []string{"https://api.example.test"}
			c := newClient(t, config)
			session, err := newBrowser(t, rp.origin).login(t, c, oidcclient.BeginOptions{})
			require.NoError(t, err)
			assert.False(t, session.Identified())
			about, err := grants.Introspect(t.Context(), c, session.AccessToken().Value, "access_token")
			require.NoError(t, err)
			assert.True(t, about.Active)
		})
	}
}
