package oidctest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

func TestRegistration(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{InitialAccessToken: "initial"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	for name, tt := range map[string]struct {
		token, body string
		status      int
		code        string
	}{
		"good":              {"Bearer initial", `{"redirect_uris":["https://rp.example/cb"],"client_name":"x"}`, 201, ""},
		"no token":          {"", `{"redirect_uris":["https://rp.example/cb"]}`, 401, "invalid_token"},
		"no redirect URI":   {"Bearer initial", `{"redirect_uris":[]}`, 400, "invalid_redirect_uri"},
		"metadata no JSON":  {"Bearer initial", `x`, 400, "invalid_client_metadata"},
		"metadata are null": {"Bearer initial", `null`, 400, "invalid_client_metadata"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, op.URL()+"/register", strings.NewReader(tt.body))
		require.NoError(t, err)
		r.Header.Set("Authorization", tt.token)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		var got map[string]any
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&got))
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, tt.status, answer.StatusCode, name)
		if tt.code != "" {
			assert.Equal(t, tt.code, got["error"], name)
			continue
		}
		assert.Equal(t, []any{op.Client().ClientID, op.Client().ClientSecret, "x"}, []any{got["client_id"], got["client_secret"], got["client_name"]})
		assert.Equal(t, []string{"https://rp.example/cb"}, op.Client().RedirectURIs)
	}
}

func TestWebFinger(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	host := strings.TrimPrefix(op.URL(), "http://")
	for resource, status := range map[string]int{
		"acct:anna@" + host: 200, op.URL() + "/anna": 200, op.URL(): 200, "acct:anna@example.com": 404, "": 404,
	} {
		query := url.Values{"resource": {resource}, "rel": {"http://openid.net/specs/connect/1.0/issuer"}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, op.URL()+"/.well-known/webfinger?"+query.Encode(), nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, status, answer.StatusCode, resource)
	}
}
