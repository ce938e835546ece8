package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

type replying func(*http.Request) (*http.Response, error)

func (f replying) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

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
