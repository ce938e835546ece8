package interop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// relyingParty is what the providers know of the application: its origin, the
// private keys of its clients, and where it receives logout tokens.
type relyingParty struct {
	origin  string
	keyFile string
	keys    map[string]json.RawMessage // private JWKs by algorithm
	logouts chan url.Values            // what came to /backchannel/…
	jwks    atomic.Value               // the []byte at /jwks
}

func newRelyingParty(t *testing.T) *relyingParty {
	t.Helper()
	rp := &relyingParty{keyFile: filepath.Join(t.TempDir(), "keys.json"), logouts: make(chan url.Values, 8)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backchannel/{client}", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "bad form", http.StatusBadRequest)
			return
		}
		r.PostForm.Set("client", r.PathValue("client"))
		rp.logouts <- r.PostForm
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		text, _ := rp.jwks.Load().([]byte)
		_, _ = w.Write(text) // the provider asks again
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	rp.origin = server.URL

	out, err := exec.CommandContext(t.Context(), "node", "oidcprovider/genkeys.mjs", rp.keyFile).CombinedOutput()
	require.NoError(t, err, "%s", out)
	text, err := os.ReadFile(rp.keyFile)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &rp.keys))
	return rp
}

// key returns the private key that node made for an algorithm.
func (rp *relyingParty) key(t *testing.T, alg string) *assertion.Key {
	t.Helper()
	key, err := assertion.ParseKeyJWK(rp.keys[alg])
	require.NoError(t, err)
	return &key
}

// config returns the configuration that all clients share.
func (rp *relyingParty) config(issuer, clientID, secret string) oidcclient.Config {
	return oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: issuer, ClientID: clientID, ClientSecret: secret,
		RedirectURI: rp.origin + "/callback", PostLogoutRedirectURI: rp.origin + "/logged-out",
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	}
}

// logoutToken waits for a provider's call.
func (rp *relyingParty) logoutToken(t *testing.T) url.Values {
	t.Helper()
	select {
	case form := <-rp.logouts:
		return form
	case <-time.After(10 * time.Second):
		require.FailNow(t, "no logout token came")
		return nil
	}
}

// engine is a provider that runs as a process of its own.
type engine struct {
	issuer string
	cmd    *exec.Cmd
	stdin  io.Closer
	ended  sync.Once
}

// startOIDCProvider starts npm's oidc-provider, on a free port unless env says
// something else; op.mjs lists what it reads.
func startOIDCProvider(t *testing.T, rp *relyingParty, env ...string) *engine {
	t.Helper()
	_, err := os.Stat("oidcprovider/node_modules/oidc-provider")
	require.NoError(t, err, "run npm ci in oidcprovider first")
	cmd := exec.Command("node", "oidcprovider/op.mjs")
	cmd.Env = append(os.Environ(), "NODE_ENV=production", "PORT=0", "RP="+rp.origin, "KEYS="+rp.keyFile, "TLS=")
	cmd.Env = append(cmd.Env, env...)
	return start(t, cmd)
}

// startZitadel starts the provider around github.com/zitadel/oidc.
func startZitadel(t *testing.T, rp *relyingParty) *engine {
	t.Helper()
	return startGo(t, rp, "zitadelop")
}

// startFosite starts the provider around github.com/ory/fosite.
func startFosite(t *testing.T, rp *relyingParty) *engine {
	t.Helper()
	return startGo(t, rp, "fositeop")
}

// startGo builds and starts the provider in a folder, which may be a module.
func startGo(t *testing.T, rp *relyingParty, folder string) *engine {
	t.Helper()
	program := filepath.Join(t.TempDir(), folder)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir, build.Env = folder, append(os.Environ(), "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return start(t, exec.Command(program, "-rp", rp.origin, "-keys", rp.keyFile))
}

// start runs cmd until the test ends, and returns when it is ready. What the
// provider complained of is shown if the test fails.
func start(t *testing.T, cmd *exec.Cmd) *engine {
	t.Helper()
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	e := &engine{cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		e.stop(t)
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), complaints.String())
		}
	})
	tooLate := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	tooLate.Stop()
	require.NoError(t, err, "provider did not start")
	issuer, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	require.True(t, ok, "provider said %q instead of ready", line)
	e.issuer = issuer
	return e
}

// stop ends the provider and waits until it is gone.
func (e *engine) stop(t *testing.T) {
	t.Helper()
	e.ended.Do(func() {
		_ = e.stdin.Close() // by which it ends itself
		tooLate := time.AfterFunc(10*time.Second, func() { _ = e.cmd.Process.Kill() })
		defer tooLate.Stop()
		_ = e.cmd.Wait() // how it ended doesn't matter
	})
}

// newClient makes a client, which may not fail.
func newClient(t *testing.T, config oidcclient.Config) *oidcclient.Client {
	t.Helper()
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	return client
}
