package interop_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testDPoP binds tokens to a key (RFC 9449) at a provider that demands a nonce of its
// own with each proof, and asks for userinfo and new tokens with them.
func testDPoP(t *testing.T, rp *relyingParty, op *engine) {
	for name, config := range map[string]oidcclient.Config{
		"secret": rp.config(op.issuer, "dpop", secret),
		"public": rp.config(op.issuer, "dpop-public", ""),
		"keyjwt": rp.config(op.issuer, "dpop-keyjwt", ""),
	} {
		for _, carriage := range []oidcclient.Carriage{oidcclient.CarryQuery, oidcclient.CarryPushed} {
			t.Run(fmt.Sprint(name, " carriage ", carriage), func(t *testing.T) {
				config.DPoP, config.UserInfo, config.Carriage = true, true, carriage
				switch name {
				case "public":
					config.AuthMethod = "none"
				case "keyjwt":
					config.AuthMethod, config.Key = "private_key_jwt", rp.key(t, "ES256")
				}
				client := newClient(t, config)
				session, err := newBrowser(t, rp.origin).login(t, client, offline())
				require.NoError(t, err)
				assert.Equal(t, "DPoP", session.Token().TokenType)
				assert.True(t, session.HasUserInfo())
				require.True(t, session.CanRefresh())
				fresh, err := client.Refresh(t.Context(), session)
				require.NoError(t, err)
				assert.NotEqual(t, session.AccessToken().Value, fresh.AccessToken().Value)
				_, err = client.UserInfo(t.Context(), fresh)
				require.NoError(t, err)
			})
		}
	}
	t.Run("unbound", func(t *testing.T) {
		_, err := newBrowser(t, rp.origin).login(t, newClient(t, rp.config(op.issuer, "dpop", secret)), offline())
		var failed *oidcclient.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, "invalid_grant", failed.Code)
	})
}
