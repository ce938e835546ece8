package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

type replying func(*http.Request) (*http.Response, error)

func (f replying) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Userinfo that a session could not be sealed with is refused.
func TestUserInfoThatIsTooLong(t *testing.T) {
	for length, good := range map[int]bool{maxUserInfo: true, maxUserInfo + 1: false} {
		body := `{"sub":"anna","picture":"`
		body += strings.Repeat("x", length-len(body)-2) + `"}`
		network := &pushing{status: 200, kind: "application/json", body: body}
		c := staticClient(t, func(c *Config) {
			c.Provider.UserInfoEndpoint, c.HTTPClient = "https://op.example/userinfo", network.client()
		})
		fresh, err := c.UserInfo(t.Context(), refreshable())
		if good {
			require.NoError(t, err)
			assert.True(t, fresh.HasUserInfo())
			continue
		}
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, FaultProvider, refused.Fault)
	}
}

// An algorithm for userinfo demands a signature, and that one.
func TestUserInfoAlgorithm(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	signed := signing(t, key, map[string]any{"iss": "https://op.example", "aud": "client", "sub": "anna", "email": "a@example.com"})
	for name, tt := range map[string]struct {
		alg, kind, body, check string
	}{
		"the one":           {"ES256", "application/jwt", signed, ""},
		"another":           {"PS256", "application/jwt", signed, "header"},
		"unsigned":          {"ES256", "application/json", `{"sub":"anna"}`, "userinfo signature"},
		"none was demanded": {"", "application/json", `{"sub":"anna"}`, ""},
		"of ID tokens":      {"", "application/jwt", signed, "header"}, // RS256
	} {
		c := staticClient(t, func(c *Config) {
			c.Keys, c.UserInfoAlgorithm, c.Provider.UserInfoEndpoint = keys, tt.alg, "https://op.example/userinfo"
			c.HTTPClient = &http.Client{Transport: replying(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {tt.kind}}, Body: io.NopCloser(strings.NewReader(tt.body)), Request: r}, nil
			})}
		})
		s := &Session{data: sessionData{ClientID: "client", Issuer: "https://op.example", Subject: "anna", AccessToken: "at"}}
		fresh, err := c.UserInfo(t.Context(), s)
		if tt.check == "" {
			require.NoError(t, err, name)
			assert.True(t, fresh.HasUserInfo())
			continue
		}
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, tt.check, refused.Check, name)
	}
}

// What is signed with the secret and what is signed with keys stand side by side, and
// neither is taken for the other.
func TestSecretsAndKeysSideBySide(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	secret := strings.Repeat("s", 32)
	claims := map[string]any{"iss": "https://op.example", "aud": "client", "sub": "anna", "code": "c", "state": "s", "exp": testNow.Unix() + 60}
	byKey := signing(t, key, claims)
	text, err := json.Marshal(claims)
	require.NoError(t, err)
	input := jose.Encode([]byte(`{"alg":"HS256"}`)) + "." + jose.Encode(text)
	mac, err := jose.SignHMAC("HS256", []byte(secret), input)
	require.NoError(t, err)
	bySecret := input + "." + jose.Encode(mac)
	for name, tt := range map[string]struct {
		idToken, other string
		good, bad      string
	}{
		"secret beside keys": {"ES256", "HS256", bySecret, byKey},
		"keys beside secret": {"HS256", "ES256", byKey, bySecret},
	} {
		t.Run(name, func(t *testing.T) {
			answer := tt.good
			c := staticClient(t, func(c *Config) {
				c.ClientSecret, c.Keys, c.Algorithm, c.UserInfoAlgorithm = secret, keys, tt.idToken, tt.other
				c.ResponseMode, c.ResponseAlgorithm, c.Provider.UserInfoEndpoint = "jwt", tt.other, "https://op.example/userinfo"
				c.HTTPClient = &http.Client{Transport: replying(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/jwt"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
				})}
			})
			s := &Session{data: sessionData{ClientID: "client", Issuer: "https://op.example", Subject: "anna", AccessToken: "at"}}
			_, err := c.UserInfo(t.Context(), s)
			require.NoError(t, err)
			_, err = c.ReadResponse(t.Context(), url.Values{"response": {tt.good}})
			require.NoError(t, err)
			answer = tt.bad
			var refused *Error
			_, err = c.UserInfo(t.Context(), s)
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "header", refused.Check)
			_, err = c.ReadResponse(t.Context(), url.Values{"response": {tt.bad}})
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "header", refused.Check)
		})
	}
	// The provider's keys are fetched for what they sign alone.
	for alg, want := range map[string]bool{"": false, "HS256": false, "ES256": true} {
		c := Config{Profile: Profile{Name: "test"}, Algorithm: "HS256", UserInfoAlgorithm: alg}
		assert.Equal(t, want, c.fetchesKeys(), alg)
	}
	_, err = New(Config{
		Profile: Profile{Name: "test"}, Issuer: "https://op.example", ClientID: "c", ClientSecret: secret, RedirectURI: "https://rp.example/cb", Algorithm: "HS256", Keys: keys,
	})
	var wrong *ConfigError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "Keys", wrong.Field)
}
