package oidcclient

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A client that presents a certificate goes to the places that are for it, and no
// other does; the browser's place is the same for all.
func TestEndpointAliases(t *testing.T) {
	metadata := func() *ProviderMetadata {
		return &ProviderMetadata{
			AuthorizationEndpoint: "https://op.example/authorize", TokenEndpoint: "https://op.example/token", JWKSURI: "https://op.example/jwks",
			PushedAuthorizationRequestEndpoint: "https://op.example/par", RevocationEndpoint: "https://op.example/revoke",
			MTLSEndpointAliases: &EndpointAliases{TokenEndpoint: "https://mtls.op.example/token", PushedAuthorizationRequestEndpoint: "https://mtls.op.example/par"},
		}
	}
	for name, tt := range map[string]struct {
		certificate *tls.Certificate
		host        string
	}{"with a certificate": {&tls.Certificate{}, "mtls.op.example"}, "without": {nil, "op.example"}} {
		network := goodPush()
		c := staticClient(t, func(c *Config) {
			c.Provider, c.Carriage, c.HTTPClient = metadata(), CarryPushed, network.client()
			if tt.certificate != nil {
				// The network here is no *http.Transport, which New wants for one.
				c.HTTPClient = nil
				c.ClientCertificate, c.AuthMethod = tt.certificate, "tls_client_auth"
			}
		})
		c.http = &http.Client{Transport: network}
		auth, pending, err := c.Begin(t.Context(), BeginOptions{})
		require.NoError(t, err, name)
		assert.Contains(t, auth.URL, "https://op.example/authorize?", name)
		network.status, network.body = 400, `{"error":"invalid_grant"}`
		_, err = c.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}})
		require.Error(t, err)
		_, err = c.Call(t.Context(), EndpointRevoke, url.Values{"token": {"t"}})
		require.Error(t, err)
		require.Len(t, network.sent, 3, name)
		assert.Equal(t, "https://"+tt.host+"/par", network.sent[0].URL.String())
		assert.Equal(t, "https://"+tt.host+"/token", network.sent[1].URL.String())
		assert.Equal(t, "https://op.example/revoke", network.sent[2].URL.String(), "no other place is named for it")
	}
	config := Config{
		Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret",
		RedirectURI: "https://rp.example/cb", Provider: metadata(),
	}
	config.Provider.MTLSEndpointAliases.TokenEndpoint = "http://mtls.op.example/token"
	_, err := New(config)
	assert.ErrorContains(t, err, "mtls_endpoint_aliases: token_endpoint")
}

// Endpoints that were configured win over discovered ones, and over aliases of these.
func TestDiscoveredAliasesReplaceNothingConfigured(t *testing.T) {
	found := ProviderMetadata{
		TokenEndpoint: "https://op.example/token", RevocationEndpoint: "https://op.example/revoke", UserInfoEndpoint: "https://op.example/userinfo",
		MTLSEndpointAliases: &EndpointAliases{
			TokenEndpoint: "https://mtls.op.example/token", RevocationEndpoint: "https://mtls.op.example/revoke", UserInfoEndpoint: "https://mtls.op.example/userinfo",
		},
	}
	configured := ProviderMetadata{
		TokenEndpoint:       "https://configured.example/token",
		MTLSEndpointAliases: &EndpointAliases{RevocationEndpoint: "https://configured.example/revoke"},
	}
	got := configured.over(found).aliased()
	assert.Equal(t, "https://configured.example/token", got.TokenEndpoint)
	assert.Equal(t, "https://configured.example/revoke", got.RevocationEndpoint)
	assert.Equal(t, "https://mtls.op.example/userinfo", got.UserInfoEndpoint)
	assert.Equal(t, &EndpointAliases{RevocationEndpoint: "https://configured.example/revoke"}, configured.MTLSEndpointAliases, "is the caller's")
}
