package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

// A token that was agreed to be encrypted is believed when what is in it is, and
// in no other form; one that was not is refused.
func TestEncryptedTokens(t *testing.T) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: signer.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	seal := func(key *rsa.PrivateKey, alg, enc, inner string) string {
		sealed, err := jwx.Encrypt(alg, enc, key.Public(), map[string]string{"cty": "JWT", "kid": "e"}, []byte(inner))
		require.NoError(t, err)
		return sealed
	}
	agreed := &Encrypted{Algorithm: "RSA-OAEP-256", Encoding: "A256GCM"}
	for name, tt := range map[string]struct {
		agreed *Encrypted
		token  func(signed string) string
		check  string
	}{
		"encrypted":         {agreed, func(s string) string { return seal(private, "RSA-OAEP-256", "A256GCM", s) }, ""},
		"another algorithm": {agreed, func(s string) string { return seal(private, "RSA-OAEP", "A256GCM", s) }, "encryption"},
		"another encoding":  {agreed, func(s string) string { return seal(private, "RSA-OAEP-256", "A128CBC-HS256", s) }, "encryption"},
		"to somebody else":  {agreed, func(s string) string { return seal(other, "RSA-OAEP-256", "A256GCM", s) }, "encryption"},
		"not encrypted":     {agreed, func(s string) string { return s }, "encryption"},
		"cut off":           {agreed, func(s string) string { e := seal(private, "RSA-OAEP-256", "A256GCM", s); return e[:len(e)-4] }, "encryption"},
		"encrypted twice": {agreed, func(s string) string {
			return seal(private, "RSA-OAEP-256", "A256GCM", seal(private, "RSA-OAEP-256", "A256GCM", s))
		}, "shape"},
		"not signed inside":  {agreed, func(string) string { return seal(private, "RSA-OAEP-256", "A256GCM", `{"iss":"https://op.example"}`) }, "shape"},
		"none was agreed":    {nil, func(s string) string { return seal(private, "RSA-OAEP-256", "A256GCM", s) }, "shape"},
		"signed, as agreed":  {nil, func(s string) string { return s }, ""},
		"registered default": {&Encrypted{Algorithm: "RSA-OAEP-256"}, func(s string) string { return seal(private, "RSA-OAEP-256", "A128CBC-HS256", s) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			network := &pushing{status: 200, kind: "application/json"}
			c := staticClient(t, func(c *Config) {
				c.Keys, c.Algorithm, c.HTTPClient, c.IDTokenEncrypted = keys, "ES256", network.client(), tt.agreed
				c.DecryptionKeys = []DecryptionKey{{ID: "e", Private: private}}
			})
			_, pending, err := c.Begin(t.Context(), BeginOptions{})
			require.NoError(t, err)
			token := tt.token(signing(t, signer, map[string]any{
				"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60, "nonce": pending.data.Nonce,
			}))
			body, err := json.Marshal(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token})
			require.NoError(t, err)
			network.body = string(body)
			session, err := c.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}})
			if tt.check == "" {
				require.NoError(t, err)
				assert.Equal(t, "anna", session.Subject())
				assert.Equal(t, 2, strings.Count(session.IDToken().Raw(), "."), "what was signed is kept")
				return
			}
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Contains(t, []string{tt.check, "size"}, refused.Check)
			assert.Equal(t, FaultAnswer, refused.Fault)
		})
	}
	c := staticClient(t, func(c *Config) {
		c.DecryptionKeys = []DecryptionKey{{ID: "e", Algorithm: "RSA-OAEP-256", Private: private}}
	})
	published, err := c.PublicJWKS()
	require.NoError(t, err)
	assert.Contains(t, string(published), `"use":"enc"`)
	assert.NotContains(t, string(published), `"d":`)
}

func TestEncryptionIsChecked(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, change := range map[string]func(*Config){
		"no key": func(c *Config) { c.IDTokenEncrypted = &Encrypted{Algorithm: "ECDH-ES"} },
		"a key that fits not": func(c *Config) {
			c.UserInfoEncrypted, c.DecryptionKeys = &Encrypted{Algorithm: "RSA-OAEP-256"}, []DecryptionKey{{Private: private}}
		},
		"RSA1_5": func(c *Config) {
			c.ResponseEncrypted, c.DecryptionKeys = &Encrypted{Algorithm: "RSA1_5"}, []DecryptionKey{{Private: private}}
		},
		"dir": func(c *Config) { c.IDTokenEncrypted = &Encrypted{Algorithm: "dir"} },
		"an unknown encoding": func(c *Config) {
			c.IDTokenEncrypted, c.DecryptionKeys = &Encrypted{Algorithm: "ECDH-ES", Encoding: "A128"}, []DecryptionKey{{Private: private}}
		},
		"no private key": func(c *Config) { c.DecryptionKeys = []DecryptionKey{{Private: "x"}} },
	} {
		config := Config{
			Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret",
			RedirectURI: "https://rp.example/cb",
		}
		change(&config)
		_, err := New(config)
		var wrong *ConfigError
		assert.ErrorAs(t, err, &wrong, name)
	}
}
