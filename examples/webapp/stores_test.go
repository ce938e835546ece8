package main

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/engines"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// freeAddress is one where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// inTurn passes requests to one address after the other.
func inTurn(t *testing.T, addresses ...string) string {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: addresses[int(n.Add(1))%len(addresses)]})
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(server.Close)
	return server.URL
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

func TestSeveralOverOneStore(t *testing.T) {
	for name, startEngine := range map[string]func(string) (*engines.Engine, error){
		"redis": func(dir string) (*engines.Engine, error) { return engines.StartRedis(dir) }, "postgres": engines.StartPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			engine, err := startEngine(t.TempDir())
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, engine.Stop()) })
			addresses := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
			base := inTurn(t, addresses...)
			op, err := oidctest.New(oidctest.Config{
				RedirectURIs: []string{base + "/callback/op"}, PostLogoutRedirectURIs: []string{base + "/"}, BackChannelLogoutURI: base + "/backchannel-logout/op",
			})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, op.Close()) })
			client := op.Client()
			config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"op": map[string]any{
				"profile": "oidc", "issuer": op.Issuer(), "client_id": client.ClientID, "client_secret": client.ClientSecret,
				"redirect_uris": []string{base + "/callback/op"}, "post_logout_redirect_uris": []string{base + "/"}, "scope": "openid",
			}}})
			require.NoError(t, err)
			keys := write(t, "keys", []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"))
			for _, address := range addresses {
				start(t, "-addr", address, "-config", write(t, "config.json", config), "-store", engine.URL, "-keys", keys)
			}

			p := sit(t, base)
			answer, body := p.send(http.MethodGet, "/login/op", nil)
			require.Equal(t, http.StatusOK, answer.StatusCode, "begun on one, ended on another: %s", body)
			for range 3 {
				require.NotNil(t, p.session(), "each of them knows it")
				answer, body = p.send(http.MethodPost, "/refresh", url.Values{})
				require.Equal(t, http.StatusOK, answer.StatusCode, body)
			}
			sid := p.session()["claims"].(map[string]any)["sid"].(string)
			status, err := op.BackChannelLogout(t.Context(), "", sid)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
			for range addresses {
				assert.Nil(t, p.session(), "and each that it has ended")
			}
		})
	}
}

func TestStoreFlags(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, tt := range map[string]struct{ store, keys, says string }{
		"store without keys":      {"redis://127.0.0.1:1/0", "-", "needs -keys"},
		"keys that are not there": {"", "/does/not/exist", "no such file"},
		"a short key":             {"", write(t, "k", []byte("AAAA\n")), "key 1 is not 32 bytes"},
		"a bad second key":        {"", write(t, "k", []byte(good+"\nxyz\n")), "key 2 is not 32 bytes"},
		"no keys":                 {"", write(t, "k", nil), "needs a key"},
		"another engine":          {"mysql://127.0.0.1/x", write(t, "k", []byte(good)), "neither redis:// nor postgres://"},
		"no URL":                  {"redis://user:secret@%zz", write(t, "k", []byte(good)), "not a URL"},
		"no URL of a Redis":       {"redis://127.0.0.1/x/y", write(t, "k", []byte(good)), "no URL of a Redis"},
		"no URL of a PostgreSQL":  {"postgres://127.0.0.1:port-of-secret/", write(t, "k", []byte(good)), "not a URL"},
	} {
		s, err := openStore(t.Context(), tt.store, strings.TrimPrefix(tt.keys, "-"))
		assert.ErrorContains(t, err, tt.says, name)
		assert.NotContains(t, err.Error(), "secret", name)
		s.close()
	}
	for _, key := range []string{good, strings.TrimRight(good, "="), strings.Repeat("00", 32), strings.Repeat("-_-_", 10) + "-_8="} {
		_, err := readKeys(write(t, "k", []byte(key)))
		assert.NoError(t, err, key)
	}
}

func TestStoreThatStartsLate(t *testing.T) {
	tries := 0
	require.NoError(t, eventually(t.Context(), func() error {
		if tries++; tries < 3 {
			return os.ErrDeadlineExceeded
		}
		return nil
	}))
	assert.Equal(t, 3, tries)
	assert.Less(t, time.Second, startTimeout)
}
