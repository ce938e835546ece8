package oidcclient

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOAuthMetadataURL(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://op.example":            "https://op.example/.well-known/oauth-authorization-server",
		"https://op.example/":           "https://op.example/.well-known/oauth-authorization-server",
		"https://op.example/issuer1":    "https://op.example/.well-known/oauth-authorization-server/issuer1",
		"https://op.example:8443/a/b/":  "https://op.example:8443/.well-known/oauth-authorization-server/a/b",
		"http://127.0.0.1:9000/realms/": "http://127.0.0.1:9000/.well-known/oauth-authorization-server/realms",
	} {
		got, err := OAuthMetadataURL(issuer)
		require.NoError(t, err, issuer)
		assert.Equal(t, want, got)
		assert.NoError(t, checkDiscoveryURL(got))
	}
	for _, issuer := range []string{"", "op.example", "http://op.example", "https://op.example?x", "https://op.example/#x"} {
		_, err := OAuthMetadataURL(issuer)
		var wrong *ConfigError
		require.ErrorAs(t, err, &wrong, issuer)
		assert.Equal(t, "Issuer", wrong.Field)
	}
	for _, location := range []string{
		"https://op.example/metadata", "https://op.example/x/.well-known/oauth-authorization-server", "http://op.example/.well-known/oauth-authorization-server",
		"https://op.example/.well-known/oauth-authorization-server?x=y", "https://op.example/.well-known/oauth-authorization-serverx",
	} {
		assert.Error(t, checkDiscoveryURL(location), location)
	}
}

// A plain OAuth client, of an issuer without and with a path: no ID token, no keys.
func TestRFC8414(t *testing.T) {
	for _, issuer := range []string{"https://as.example", "https://as.example/tenant"} {
		location, err := OAuthMetadataURL(issuer)
		require.NoError(t, err)
		named := issuer
		var asked []string
		c := discoveringClient(t, func(r *http.Request) (int, string, string) {
			asked = append(asked, r.Method+" "+r.URL.String())
			if r.URL.Path == "/token" {
				return 200, "application/json", `{"access_token":"at","token_type":"Bearer"}`
			}
			return 200, "application/json", `{"issuer":"` + named + `","token_endpoint":"https://as.example/token","response_types_supported":["code"]}`
		}, func(c *Config) { c.Issuer, c.DiscoveryURL, c.RedirectURI = issuer, location, "" })
		named = issuer + "/"
		_, err = c.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}})
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, []any{StepDiscover, "issuer"}, []any{refused.Step, refused.Check}, "compared exactly (RFC 8414 §3.3)")
		named = issuer
		token, err := c.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}})
		require.NoError(t, err)
		assert.Equal(t, "at", token.AccessToken)
		assert.Equal(t, []string{"GET " + location, "GET " + location, "POST https://as.example/token"}, asked, "one place is looked at")
	}
}
