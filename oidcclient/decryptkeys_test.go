package oidcclient

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

// exchanger is a key in a device: it has no more than the interface.
type exchanger struct{ ecdh.KeyExchanger }

// What is encrypted to any of the keys is read: the one that is published, the one that
// was and the one that will be; and what is published is what can be decrypted, also of
// X25519 and of keys in devices.
func TestSeveralDecryptionKeys(t *testing.T) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: signer.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	for name, curve := range map[string]ecdh.Curve{"X25519": ecdh.X25519(), "P-256": ecdh.P256(), "P-384": ecdh.P384(), "P-521": ecdh.P521()} {
		t.Run(name, func(t *testing.T) {
			private := map[string]*ecdh.PrivateKey{}
			for _, id := range []string{"last", "present", "next", "foreign"} {
				private[id], err = curve.GenerateKey(rand.Reader)
				require.NoError(t, err)
			}
			network := &pushing{status: 200, kind: "application/json"}
			c := staticClient(t, func(c *Config) {
				c.Keys, c.Algorithm, c.HTTPClient, c.IDTokenEncrypted = keys, "ES256", network.client(), &Encrypted{Algorithm: "ECDH-ES+A256KW", Encoding: "A256GCM"}
				c.DecryptionKeys = []DecryptionKey{
					{ID: "next", Private: private["next"], Unpublished: true}, {ID: "present", Private: exchanger{private["present"]}},
					{ID: "last", Private: private["last"], Unpublished: true},
				}
			})
			text, err := c.PublicJWKS()
			require.NoError(t, err)
			published, err := jwx.ParsePublicSet(text, 5)
			require.NoError(t, err)
			require.Len(t, published, 1)
			to, ok := jwx.Recipient(published, "ECDH-ES+A256KW", "")
			require.True(t, ok)
			assert.Equal(t, "present", to.ID)
			recipients := map[string]any{"present": to.Public}
			for _, id := range []string{"last", "next", "foreign"} {
				own, err := jwx.MarshalPublic([]jwx.Key{{ID: id, Use: "enc", Public: mustPublic(t, private[id])}})
				require.NoError(t, err)
				read, err := jwx.ParsePublicSet(own, 1)
				require.NoError(t, err)
				recipients[id] = read[0].Public
			}
			for id, public := range recipients {
				_, pending, err := c.Begin(t.Context(), BeginOptions{})
				require.NoError(t, err)
				token, err := jwx.Encrypt("ECDH-ES+A256KW", "A256GCM", public, map[string]string{"kid": id, "cty": "JWT"}, []byte(signing(t, signer, map[string]any{
					"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60, "nonce": pending.data.Nonce,
				})))
				require.NoError(t, err)
				body, err := json.Marshal(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token})
				require.NoError(t, err)
				network.body = string(body)
				_, err = c.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}})
				if id != "foreign" {
					assert.NoError(t, err, id)
					continue
				}
				var refused *Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, "encryption", refused.Check)
			}
		})
	}
}

// mustPublic returns the public half in the type of its JWK.
func mustPublic(t *testing.T, private *ecdh.PrivateKey) any {
	t.Helper()
	config := Config{DecryptionKeys: []DecryptionKey{{Private: private}}}
	keys, wrong := config.decryptionKeys()
	require.Nil(t, wrong)
	return keys[0].Public()
}
