package oidcclient

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A provider is believed to be itself by its certificate, and by nothing else.
func TestProvidersCertificate(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*tls.Config) // of the server
		trusted bool
		host    string
		ok      bool
	}{
		"trusted":     {trusted: true, host: "127.0.0.1", ok: true},
		"self-signed": {host: "127.0.0.1"},
		"other host":  {trusted: true, host: "localhost"},
		"TLS 1.1":     {change: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, trusted: true, host: "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			var issuer string
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{
					"issuer": issuer, "authorization_endpoint": issuer + "/a", "token_endpoint": issuer + "/t", "jwks_uri": issuer + "/k",
				}))
			}))
			server.TLS = &tls.Config{}
			if tt.change != nil {
				tt.change(server.TLS)
			}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			issuer = strings.Replace(server.URL, "127.0.0.1", tt.host, 1)
			roots := x509.NewCertPool()
			if tt.trusted {
				roots.AddCert(server.Certificate())
			}
			client, err := New(Config{
				Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: issuer, ClientID: "client", AuthMethod: "none",
				RedirectURI: "https://rp.example/cb", RootCAs: roots,
			})
			require.NoError(t, err)
			err = known(t.Context(), client)
			if tt.ok {
				require.NoError(t, err)
				return
			}
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, StepDiscover, failed.Step)
		})
	}
}
