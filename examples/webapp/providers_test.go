package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A provider that a FAPI profile can't be kept with ends the start with one line, and that
// is the program's.
func TestStartSaysOneThing(t *testing.T) {
	var issuer string
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			says(http.StatusServiceUnavailable, "{}")(w, r)
			return
		}
		says(http.StatusOK, fmt.Sprintf(`{"issuer":%[1]q,"authorization_endpoint":"%[1]s/a","token_endpoint":"%[1]s/token","jwks_uri":"%[1]s/jwks"}`, issuer))(w, r)
	}))
	t.Cleanup(server.Close)
	issuer = server.URL
	private, _ := jwkOf(t, "present", "sig")
	jwk, err := json.Marshal(private)
	require.NoError(t, err)
	config := fmt.Sprintf(`{"base_url":"http://127.0.0.1:8080","clients":{"one":{"profile":"oidc","issuer":%q,"client_id":"c","fapi":"2-security",
		"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[%s]},"dpop_bound_access_tokens":true,
		"redirect_uris":["http://127.0.0.1:8080/callback/one"],"scope":"openid"}}}`, issuer, jwk)
	name := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(name, []byte(config), 0o600))
	var log bytes.Buffer
	_, err = open(name, "", slog.New(slog.NewTextHandler(&log, nil)))
	require.ErrorContains(t, err, `client "one": fapi: `)
	assert.NotContains(t, err.Error(), "\n")
	assert.Empty(t, log.String())

	down.Store(true)
	_, err = open(name, "", slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err, "it may be up later")
	assert.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	assert.Contains(t, log.String(), "client=one")
}
