package oidcclient_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// authorizationServer answers as RFC 6749 and RFC 8414 say, and knows nothing of
// OpenID Connect.
type authorizationServer struct {
	*httptest.Server
	asked []url.Values // at the token endpoint
	answr string       // of the token endpoint
}

func newAuthorizationServer(t *testing.T) *authorizationServer {
	t.Helper()
	as := &authorizationServer{answr: `{"access_token":"first","token_type":"Bearer","refresh_token":"next","scope":"accounts"}`}
	mux := http.NewServeMux()
	as.Server = httptest.NewServer(mux)
	t.Cleanup(as.Close)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server/bank", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"issuer":"` + as.URL + `/bank","authorization_endpoint":"` + as.URL + `/authorize","token_endpoint":"` + as.URL + `/token",
			"response_types_supported":["code"],"authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["S256"]}`))
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		as.asked = append(as.asked, r.PostForm)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(as.answr))
	})
	mux.HandleFunc("GET /accounts", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Header.Get("Authorization")))
	})
	return as
}

func (as *authorizationServer) config() oidcclient.Config {
	return oidcclient.Config{
		Profile: profiles.OAuth(), Issuer: as.URL + "/bank", ClientID: "client", ClientSecret: "secret",
		RedirectURI: redirectURI, Scopes: []string{"accounts"},
	}
}

func (as *authorizationServer) client(t *testing.T) *oidcclient.Client {
	t.Helper()
	client, err := oidcclient.New(as.config())
	require.NoError(t, err)
	return client
}

// consented is the whole way of a person who consents.
func (as *authorizationServer) consented(t *testing.T, client *oidcclient.Client) (*oidcclient.Session, error) {
	t.Helper()
	_, pending, err := client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.NoError(t, err)
	return client.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}, "iss": {client.Issuer()}})
}

// An application calls an API in the name of whoever consented, and nobody is logged in.
func TestAuthorizationWithoutIdentity(t *testing.T) {
	as := newAuthorizationServer(t)
	client := as.client(t)
	auth, pending, err := client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.NoError(t, err)
	sent, err := url.Parse(auth.URL)
	require.NoError(t, err)
	query := sent.Query()
	assert.Equal(t, "accounts", query.Get("scope"))
	assert.Equal(t, "S256", query.Get("code_challenge_method"))
	assert.False(t, query.Has("nonce"), "there is no ID token in which it could come back")

	_, err = client.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}})
	var refused *oidcclient.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "iss", refused.Check, "of the answer everything else is checked")
	assert.Empty(t, as.asked)

	session, err := as.consented(t, client)
	require.NoError(t, err)
	assert.False(t, session.Identified())
	assert.Empty(t, session.Subject())
	assert.Nil(t, session.IDToken())
	assert.Empty(t, session.Checks())
	assert.Error(t, session.Claims(&map[string]any{}), "there are none")
	assert.Equal(t, []string{"accounts"}, session.Scopes())
	assert.NotEmpty(t, as.asked[0].Get("code_verifier"))

	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	sealed, err := sealer.SealSession(session)
	require.NoError(t, err)
	opened, err := sealer.OpenSession(sealed)
	require.NoError(t, err)
	assert.False(t, opened.Identified())
	assert.Equal(t, session.Token(), opened.Token())

	as.answr = `{"access_token":"second","token_type":"Bearer"}`
	fresh, err := client.Refresh(t.Context(), opened)
	require.NoError(t, err)
	assert.Equal(t, "next", as.asked[1].Get("refresh_token"))
	tokens := client.TokenSource(t.Context(), fresh, func(context.Context, *oidcclient.Session) error { return nil })
	api := &http.Client{Transport: client.Transport(tokens, as.URL)}
	defer api.CloseIdleConnections()
	resp, err := api.Get(as.URL + "/accounts")
	require.NoError(t, err)
	defer resp.Body.Close()
	text := make([]byte, 64)
	n, _ := resp.Body.Read(text)
	assert.Equal(t, "Bearer second", string(text[:n]))

	location, err := client.LogoutURL(t.Context(), fresh, "")
	require.NoError(t, err)
	assert.Empty(t, location)
	_, err = client.UserInfo(t.Context(), fresh)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "userinfo sub", refused.Check, "an answer without sub would be about nobody too")
}

// An ID token that nobody asked for is not read, whatever is in it.
func TestAuthorizationPassesIDTokensOver(t *testing.T) {
	as := newAuthorizationServer(t)
	as.answr = `{"access_token":"first","token_type":"Bearer","refresh_token":"next","id_token":"eyJ.forged.x"}`
	client := as.client(t)
	session, err := as.consented(t, client)
	require.NoError(t, err)
	assert.False(t, session.Identified())
	fresh, err := client.Refresh(t.Context(), session)
	require.NoError(t, err)
	assert.False(t, fresh.Identified())
}

// What only an ID token could answer is refused before anybody is asked.
func TestAuthorizationRefusesWhatNobodyAnswers(t *testing.T) {
	as := newAuthorizationServer(t)
	hour, decrypting := time.Hour, decryptionKeys(t)
	for field, change := range map[string]func(*oidcclient.Config){
		"Scopes":            func(c *oidcclient.Config) { c.Scopes = []string{"openid", "accounts"} },
		"MinACR":            func(c *oidcclient.Config) { c.MinACR = "high" },
		"MaxAge":            func(c *oidcclient.Config) { c.MaxAge = &hour },
		"UserInfo":          func(c *oidcclient.Config) { c.UserInfo = true },
		"ResponseType":      func(c *oidcclient.Config) { c.ResponseType = "code id_token" },
		"IDTokenEncrypted":  func(c *oidcclient.Config) { c.IDTokenEncrypted = &oidcclient.Encrypted{Algorithm: "RSA-OAEP"} },
		"UserInfoEncrypted": func(c *oidcclient.Config) { c.UserInfoEncrypted = &oidcclient.Encrypted{Algorithm: "RSA-OAEP"} },
		"UserInfoIssuers":   func(c *oidcclient.Config) { c.UserInfoIssuers = []string{"https://other.example"} },
		"ClaimsProviders": func(c *oidcclient.Config) {
			c.ClaimsProviders = []oidcclient.ClaimsProvider{{Issuer: "https://claims.example", Keys: &oidc.StaticKeySet{}}}
		},
		"DistributedClaims": func(c *oidcclient.Config) { c.DistributedClaims = []string{"https://claims.example"} },
		"Profile":           func(c *oidcclient.Config) { c.Profile.Rules.Required = []string{"sid"} },
		"Authorize.claims":  func(c *oidcclient.Config) { c.Authorize.Claims = `{"id_token":{"sub":{"value":"x"}}}` },
		"Authorize.scope":   func(c *oidcclient.Config) { c.Authorize.Scopes = []string{"openid"} },
	} {
		t.Run(field, func(t *testing.T) {
			config := as.config()
			config.DecryptionKeys = decrypting
			change(&config)
			_, err := oidcclient.New(config)
			var wrong *oidcclient.ConfigError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, field, wrong.Field)
		})
	}
	for check, opts := range map[string]oidcclient.BeginOptions{
		"scope":   {Scopes: []string{"openid"}},
		"claims":  {Claims: `{"id_token":{"sub":{"value":"x"}}}`},
		"acr":     {MinACR: "high"},
		"max_age": {MaxAge: &hour},
	} {
		t.Run(check, func(t *testing.T) {
			_, _, err := as.client(t).Begin(t.Context(), opts)
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, oidcclient.StepBegin, refused.Step)
			assert.Equal(t, check, refused.Check)
		})
	}
}

// Nor is it asked of the tokens of another grant.
func TestGrantRefusesWhatNobodyAnswers(t *testing.T) {
	as := newAuthorizationServer(t)
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"dc"}}
	for name, want := range map[string]oidcclient.GrantExpect{
		"acr": {MinACR: "high"}, "claims": {Claims: `{"id_token":{"sub":{"value":"x"}}}`}, "request": {AuthRequestID: "r"},
	} {
		_, err := as.client(t).LoginWithGrant(t.Context(), form, want)
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, oidcclient.StepGrant, refused.Step)
		assert.Empty(t, as.asked)
	}
	config := as.config()
	var log bytes.Buffer
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	session, err := client.LoginWithGrant(t.Context(), form, oidcclient.GrantExpect{Scopes: []string{"accounts"}})
	require.NoError(t, err)
	assert.False(t, session.Identified())
	assert.NotContains(t, log.String(), "WARN", "nobody's claims are missed")
}
