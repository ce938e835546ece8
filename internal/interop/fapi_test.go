package interop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testFAPI logs in under the switches of FAPI 2.0, at a provider that demands the
// profile of this client: pushed requests, PKCE, proofs with its nonces, strong
// authentication, no algorithm but PS256, ES256 and EdDSA.
func testFAPI(t *testing.T, rp *relyingParty, op *engine) {
	config := func(profile oidcclient.FAPI) oidcclient.Config {
		c := rp.config(op.issuer, "fapi-dpop", "")
		c.FAPI, c.Key, c.UserInfo = profile, rp.key(t, "PS256"), true
		return c
	}
	for _, profile := range []oidcclient.FAPI{oidcclient.FAPI2Security, oidcclient.FAPI2MessageSigning} {
		t.Run(profile.String(), func(t *testing.T) {
			c := newClient(t, config(profile))
			session, err := newBrowser(t, rp.origin).login(t, c, offline())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())
			assert.Equal(t, "DPoP", session.Token().TokenType)
			fresh, err := c.Refresh(t.Context(), session)
			require.NoError(t, err)
			_, err = c.UserInfo(t.Context(), fresh)
			require.NoError(t, err)
		})
	}
	t.Run("the same client without the switch", func(t *testing.T) {
		plain := config(oidcclient.FAPINone)
		plain.AuthMethod, plain.Algorithm, plain.UserInfo = "private_key_jwt", "PS256", false
		pending, back := newBrowser(t, rp.origin).authorize(t, newClient(t, plain), offline())
		_, err := newClient(t, plain).Complete(t.Context(), pending, back.values)
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused, "its provider wants pushed requests")
		assert.Equal(t, "invalid_request", refused.Code)
	})
}
