package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

func halfHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// The ID token that comes with the code is judged before the code is sent, and the
// one of the token endpoint against it.
func TestHybrid(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		front map[string]any // changes to the ID token that comes with the code
		back  map[string]any // and to that of the token endpoint
		query url.Values     // and to the parameters
		check string
		sent  bool // the code was sent
	}{
		"good":                   {sent: true},
		"s_hash too":             {front: map[string]any{"s_hash": "right"}, sent: true},
		"no c_hash":              {front: map[string]any{"c_hash": nil}, check: "c_hash"},
		"wrong c_hash":           {front: map[string]any{"c_hash": halfHash("the-code") + "1"}, check: "c_hash"},
		"another code's c_hash":  {front: map[string]any{"c_hash": halfHash("another")}, check: "c_hash"},
		"wrong s_hash":           {front: map[string]any{"s_hash": halfHash("another")}, check: "s_hash"},
		"wrong issuer in front":  {front: map[string]any{"iss": "https://op.example1"}, check: "iss"},
		"wrong audience":         {front: map[string]any{"aud": "client1"}, check: "aud"},
		"wrong nonce":            {front: map[string]any{"nonce": "x"}, check: "nonce"},
		"no nonce":               {front: map[string]any{"nonce": nil}, check: "nonce"},
		"no sub":                 {front: map[string]any{"sub": nil}, check: "sub"},
		"expired":                {front: map[string]any{"exp": testNow.Unix() - 600}, check: "exp"},
		"a week old":             {front: map[string]any{"iat": testNow.Unix() - 7*86400}, check: "iat"},
		"no ID token in front":   {query: url.Values{"id_token": nil, "iss": {"https://op.example"}}, check: "id_token"},
		"neither token nor iss":  {query: url.Values{"id_token": nil}, check: "iss"},
		"another iss beside it":  {query: url.Values{"iss": {"https://op.example1"}}, check: "iss"},
		"not signed":             {query: url.Values{"id_token": {"a.b.c"}}, check: "shape"},
		"an access token beside": {query: url.Values{"access_token": {"at"}}, check: "parameters"},
		"somebody else behind":   {back: map[string]any{"sub": "bo"}, check: "sub", sent: true},
		"another nonce behind":   {back: map[string]any{"nonce": "x"}, check: "nonce", sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			network := &pushing{status: 200, kind: "application/json"}
			c := staticClient(t, func(c *Config) {
				c.ResponseType, c.Keys, c.Algorithm, c.HTTPClient = "code id_token", keys, "ES256", network.client()
				c.Provider.ResponseIssuerSupported = true
			})
			auth, pending, err := c.Begin(t.Context(), BeginOptions{})
			require.NoError(t, err)
			asked, err := url.Parse(auth.URL)
			require.NoError(t, err)
			assert.Equal(t, "code id_token", asked.Query().Get("response_type"))
			assert.False(t, asked.Query().Has("response_mode"), "fragment is what it is without")
			assert.Equal(t, "fragment", pending.ResponseMode())
			token := func(more ...map[string]any) string {
				claims := map[string]any{
					"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60, "nonce": pending.data.Nonce,
				}
				for _, change := range more {
					maps.Copy(claims, change)
				}
				if claims["s_hash"] == "right" {
					claims["s_hash"] = halfHash(pending.State())
				}
				maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
				return signing(t, key, claims)
			}
			body, err := json.Marshal(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token(tt.back)})
			require.NoError(t, err)
			network.body = string(body)
			values := url.Values{"code": {"the-code"}, "state": {pending.State()}, "id_token": {token(map[string]any{"c_hash": halfHash("the-code")}, tt.front)}}
			maps.Copy(values, tt.query)
			maps.DeleteFunc(values, func(_ string, v []string) bool { return v == nil })
			session, err := c.Complete(t.Context(), pending, values)
			assert.Equal(t, tt.sent, len(network.sent) == 1)
			if tt.check == "" {
				require.NoError(t, err)
				assert.Equal(t, "anna", session.Subject())
				return
			}
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.check, refused.Check)
		})
	}
	c := staticClient(t, func(c *Config) { c.Keys, c.Algorithm = keys, "ES256" })
	_, pending, err := c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	_, err = c.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}, "id_token": {"x"}})
	assert.ErrorContains(t, err, "not asked for")
	for name, change := range map[string]func(*Config){
		"in a query":      func(c *Config) { c.ResponseMode = "query" },
		"in a signed one": func(c *Config) { c.ResponseMode = "query.jwt" },
		"implicit":        func(c *Config) { c.ResponseType = "id_token" },
		"a token":         func(c *Config) { c.ResponseType = "code token" },
		"without a nonce": func(c *Config) { c.Profile.Deviations = []Deviation{{RuleNonce, "x", "x"}} },
	} {
		config := Config{
			Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret",
			RedirectURI: "https://rp.example/cb", ResponseType: "code id_token",
		}
		change(&config)
		_, err := New(config)
		var wrong *ConfigError
		assert.ErrorAs(t, err, &wrong, name)
	}
}
