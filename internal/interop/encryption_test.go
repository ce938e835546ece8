package interop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testSignedResponses logs in with the response in a signed JWT (JARM).
func testSignedResponses(t *testing.T, rp *relyingParty, op *engine) {
	for _, mode := range []string{"jwt", "query.jwt", "form_post.jwt"} {
		t.Run(mode, func(t *testing.T) {
			config := rp.config(op.issuer, "jarm", secret)
			config.ResponseMode, config.ResponseAlgorithm = mode, "ES256"
			session, err := newBrowser(t, rp.origin).login(t, newClient(t, config), offline())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())
		})
	}
	t.Run("another algorithm", func(t *testing.T) {
		config := rp.config(op.issuer, "jarm", secret)
		config.ResponseMode = "jwt"
		_, err := newBrowser(t, rp.origin).login(t, newClient(t, config), offline())
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "header", refused.Check)
	})
}

// testEncryption logs in where ID token, userinfo and response are encrypted, and
// refreshes.
func testEncryption(t *testing.T, rp *relyingParty, op *engine) {
	for client, agreed := range map[string]oidcclient.Encrypted{
		"encrypted-rsa": {Algorithm: "RSA-OAEP-256", Encoding: "A256GCM"},
		"encrypted-ec":  {Algorithm: "ECDH-ES"},
	} {
		with := func(change func(*oidcclient.Config)) (*oidcclient.Client, oidcclient.DecryptionKey) {
			config := rp.config(op.issuer, client, secret)
			key := oidcclient.DecryptionKey{ID: "client-" + agreed.Algorithm, Private: rp.key(t, agreed.Algorithm).Signer}
			config.ResponseMode, config.ResponseAlgorithm, config.UserInfo = "jwt", "ES256", true
			config.DecryptionKeys = []oidcclient.DecryptionKey{key}
			config.IDTokenEncrypted, config.UserInfoEncrypted, config.ResponseEncrypted = &agreed, &agreed, &agreed
			if change != nil {
				change(&config)
			}
			return newClient(t, config), key
		}
		t.Run(client, func(t *testing.T) {
			c, _ := with(nil)
			session, err := newBrowser(t, rp.origin).login(t, c, offline())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())
			assert.True(t, session.HasUserInfo())
			fresh, err := c.Refresh(t.Context(), session)
			require.NoError(t, err)
			assert.Equal(t, "alice", fresh.Subject())
		})
		t.Run(client+" with another key", func(t *testing.T) {
			other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			require.NoError(t, err)
			c, _ := with(func(c *oidcclient.Config) {
				c.DecryptionKeys = append(c.DecryptionKeys, oidcclient.DecryptionKey{ID: "other", Private: other})
				c.DecryptionKeys[0].ID = "renamed"
			})
			_, err = newBrowser(t, rp.origin).login(t, c, offline())
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "encryption", refused.Check)
		})
		t.Run(client+" where nothing was agreed", func(t *testing.T) {
			c, _ := with(func(c *oidcclient.Config) { c.ResponseEncrypted = nil })
			_, err := newBrowser(t, rp.origin).login(t, c, offline())
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "shape", refused.Check)
		})
	}
}
