package oidcclient

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClientAuthentication(t *testing.T) {
	long := strings.Repeat("s", 64)
	assertionClaims := func(t *testing.T, form url.Values) map[string]any {
		parts := strings.Split(form.Get("client_assertion"), ".")
		require.Len(t, parts, 3)
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(t, err)
		claims := map[string]any{}
		require.NoError(t, json.Unmarshal(payload, &claims))
		return claims
	}
	tests := map[string]struct {
		change func(*Config)
		check  func(t *testing.T, form url.Values, header http.Header)
	}{
		"basic is form-encoded and keeps the id out of the body": {
			func(c *Config) { c.ClientID, c.ClientSecret = "odd:id", "p@ss:w/rd %+" },
			func(t *testing.T, form url.Values, header http.Header) {
				r := http.Request{Header: header}
				id, secret, ok := r.BasicAuth()
				assert.True(t, ok)
				assert.Equal(t, "odd%3Aid", id)
				assert.Equal(t, "p%40ss%3Aw%2Frd+%25%2B", secret)
				assert.Empty(t, form)
			},
		},
		"raw basic": {
			func(c *Config) {
				c.ClientSecret = "p@ss w/rd"
				c.Profile.RawBasic = true
				c.Profile.Deviations = []Deviation{{RuleBasicEncoding, "a reason", "https://a.example"}}
			},
			func(t *testing.T, _ url.Values, header http.Header) {
				r := http.Request{Header: header}
				_, secret, _ := r.BasicAuth()
				assert.Equal(t, "p@ss w/rd", secret)
			},
		},
		"post": {
			func(c *Config) { c.AuthMethod = "client_secret_post" },
			func(t *testing.T, form url.Values, header http.Header) {
				assert.Equal(t, url.Values{"client_id": {"client"}, "client_secret": {"secret"}}, form)
				assert.Empty(t, header)
			},
		},
		"none": {
			func(c *Config) { c.AuthMethod, c.ClientSecret = "none", "" },
			func(t *testing.T, form url.Values, header http.Header) {
				assert.Equal(t, url.Values{"client_id": {"client"}}, form)
				assert.Empty(t, header)
			},
		},
		"client_secret_jwt for the issuer": {
			func(c *Config) { c.AuthMethod, c.ClientSecret, c.AuthAlgorithm = "client_secret_jwt", long, "HS512" },
			func(t *testing.T, form url.Values, header http.Header) {
				assert.Equal(t, "https://op.example", assertionClaims(t, form)["aud"])
				assert.Equal(t, assertionType, form.Get("client_assertion_type"))
				assert.False(t, form.Has("client_id"))
				assert.False(t, form.Has("client_secret"))
				assert.Empty(t, header)
			},
		},
		"private_key_jwt for the token endpoint": {
			func(c *Config) {
				c.AuthMethod, c.Key, c.AssertionAudience = "private_key_jwt", ecKey("ES256"), "token_endpoint"
			},
			func(t *testing.T, form url.Values, _ http.Header) {
				claims := assertionClaims(t, form)
				assert.Equal(t, "https://op.example/token", claims["aud"])
				assert.Equal(t, "client", claims["iss"])
				assert.Equal(t, "client", claims["sub"])
			},
		},
		"private_key_jwt for the endpoint called": {
			func(c *Config) {
				c.AuthMethod, c.Key, c.AssertionAudience = "private_key_jwt", ecKey("ES256"), "endpoint"
			},
			func(t *testing.T, form url.Values, _ http.Header) {
				assert.Equal(t, "https://op.example/called", assertionClaims(t, form)["aud"])
			},
		},
		"private_key_jwt for a party, with the id in the body": {
			func(c *Config) {
				c.AuthMethod, c.Key, c.AssertionAudience = "private_key_jwt", ecKey("ES256"), "did:example:party"
				c.Profile.Assertion.ClientIDInBody = true
				c.Profile.Assertion.NotBefore, c.Profile.Assertion.BackDate = true, 2*time.Second
			},
			func(t *testing.T, form url.Values, _ http.Header) {
				claims := assertionClaims(t, form)
				assert.Equal(t, "did:example:party", claims["aud"])
				assert.EqualValues(t, testNow.Unix()-2, claims["nbf"])
				assert.EqualValues(t, testNow.Unix()-2, claims["iat"])
				assert.Equal(t, "client", form.Get("client_id"))
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := staticClient(t, tt.change)
			_, found, err := c.found(t.Context())
			require.NoError(t, err)
			form, header := url.Values{}, http.Header{}
			require.NoError(t, c.auth.apply(t.Context(), form, header, "https://op.example/called", &found.ProviderMetadata))
			tt.check(t, form, header)
			if first := form.Get("client_assertion"); first != "" {
				require.NoError(t, c.auth.apply(t.Context(), form, header, "https://op.example/called", &found.ProviderMetadata))
				assert.NotEqual(t, first, form.Get("client_assertion"), "freshly signed for each request")
			}
		})
	}
}

func TestEveryRequestAuthenticatesOnce(t *testing.T) {
	requests := 0
	c := staticClient(t, func(c *Config) {
		c.HTTPClient = &http.Client{Transport: answers(func(r *http.Request) (int, string, string) {
			requests++
			assert.NoError(t, r.ParseForm())
			_, _, basic := r.BasicAuth()
			assert.True(t, basic)
			assert.False(t, r.PostForm.Has("client_id"))
			assert.False(t, r.PostForm.Has("client_secret"))
			return 401, "application/json", `{"error":"invalid_client"}`
		})}
	})
	_, err := c.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}})
	assert.ErrorContains(t, err, "invalid_client")
	assert.Equal(t, 1, requests, "another method is never tried")
}
