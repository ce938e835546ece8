package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// start runs the program and returns the URL that it prints and what it logs.
func start(t *testing.T, args ...string) (baseURL string, logs *buffer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	logs = &buffer{}
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), writer, logs)
		done <- err
		writer.CloseWithError(fmt.Errorf("program ended: %w", err))
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			assert.NoError(t, err, "a signal ends it in good order")
		case <-time.After(20 * time.Second):
			assert.Fail(t, "program did not end")
		}
	})
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(strings.TrimPrefix(line, "Open ")), logs
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// jar keeps Secure cookies for loopback over plain http, as browsers do.
type jar struct{ *cookiejar.Jar }

func (j jar) SetCookies(u *url.URL, c []*http.Cookie) { j.Jar.SetCookies(secured(u), c) }
func (j jar) Cookies(u *url.URL) []*http.Cookie       { return j.Jar.Cookies(secured(u)) }

func secured(u *url.URL) *url.URL {
	copied := *u
	copied.Scheme = "https"
	return &copied
}

// personAt sits at a browser.
type personAt struct {
	*testing.T
	base   string
	choice string // which of a provider's persons
	client *http.Client
}

func sit(t *testing.T, base string) *personAt {
	cookies, err := cookiejar.New(nil)
	require.NoError(t, err)
	p := &personAt{T: t, base: base, choice: "0", client: &http.Client{Jar: jar{cookies}}}
	t.Cleanup(p.client.CloseIdleConnections)
	return p
}

func (p *personAt) send(method, target string, form url.Values) (*http.Response, string) {
	p.Helper()
	if strings.HasPrefix(target, "/") {
		target = p.base + target
	}
	r, err := http.NewRequestWithContext(p.Context(), method, target, strings.NewReader(form.Encode()))
	require.NoError(p, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := p.client.Do(r)
	require.NoError(p, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(p, err)
	return answer, string(body)
}

// visit opens a page, and submits the forms of providers on the way until a page
// of the application is there.
func (p *personAt) visit(method, target string, form url.Values) (*http.Response, string) {
	p.Helper()
	answer, body := p.send(method, target, form)
	action := regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	hidden := regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	for range 5 {
		match := action.FindStringSubmatch(body)
		ours := strings.HasPrefix(answer.Request.URL.String(), p.base+"/")
		if match == nil || ours && strings.HasPrefix(match[1], "/") {
			return answer, body
		}
		next, err := answer.Request.URL.Parse(html.UnescapeString(match[1]))
		require.NoError(p, err)
		form := url.Values{}
		for _, field := range hidden.FindAllStringSubmatch(body, -1) {
			form.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
		}
		if strings.Contains(body, `name="person"`) {
			form.Set("person", p.choice)
		}
		answer, body = p.send("POST", next.String(), form)
	}
	require.Fail(p, "no end of forms")
	return nil, ""
}

func (p *personAt) session() map[string]any {
	p.Helper()
	answer, body := p.send("GET", "/session", nil)
	if answer.StatusCode == http.StatusUnauthorized {
		return nil
	}
	require.Equal(p, http.StatusOK, answer.StatusCode)
	var out map[string]any
	require.NoError(p, json.Unmarshal([]byte(body), &out))
	return out
}

func TestEmbeddedProviders(t *testing.T) {
	base, logs := start(t)
	secrets := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20}`)
	for _, system := range oidctest.Systems() {
		t.Run(system.String(), func(t *testing.T) {
			p := sit(t, base)
			answer, body := p.visit("GET", "/", nil)
			assert.Equal(t, http.StatusOK, answer.StatusCode)
			assert.Contains(t, body, `href="/login/`+system.String()+`"`)

			answer, body = p.visit("GET", "/login/"+system.String(), nil)
			require.Equal(t, http.StatusOK, answer.StatusCode, body)
			assert.Equal(t, base+"/", answer.Request.URL.String())
			s := p.session()
			require.NotNil(t, s)
			assert.Equal(t, system.String(), s["client"])
			for _, want := range []string{html.EscapeString(s["subject"].(string)), "What was checked", "Verified claims", "Session ends in", "Your pseudonyms", "Log out"} {
				assert.Contains(t, body, want)
			}
			if system != oidctest.Faces {
				assert.Contains(t, body, "</span> nonce<", "the checks are listed")
			}
			assert.NotRegexp(t, secrets, body, "the page shows no token")
			policy, frames, _ := strings.Cut(answer.Header.Get("Content-Security-Policy"), "; frame-src ")
			assert.Equal(t, "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'", policy)
			assert.Equal(t, system.String() == "oidc", frames != "", "the one whose session is watched")

			if strings.Contains(body, "Refresh the tokens") {
				answer, body = p.visit("POST", "/refresh", url.Values{"return_to": {"/"}})
				assert.Equal(t, base+"/", answer.Request.URL.String(), body)
			} else {
				assert.Equal(t, oidctest.IShare, system)
			}
			answer, _ = p.visit("POST", "/logout", url.Values{})
			assert.Equal(t, base+"/", answer.Request.URL.String(), "the provider sends the person back")
			assert.Nil(t, p.session())
		})
	}
	assert.NotRegexp(t, secrets, logs.String())
}

func TestLinkAndUnlink(t *testing.T) {
	base, _ := start(t)
	p := sit(t, base)
	p.visit("GET", "/login/oidc", nil)
	first := p.session()
	answer, body := p.visit("POST", "/login/bankid?link=1", url.Values{})
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	assert.Equal(t, first, p.session(), "still the first login")
	assert.Contains(t, body, "Unlink BankID Norway")

	other := sit(t, base)
	_, body = other.visit("GET", "/login/bankid", nil)
	assert.Contains(t, body, "Unlink OpenID Connect", "the account has both, whichever one logs in with")

	// Somebody else's account with another login at the first provider.
	third := sit(t, base)
	third.choice = "1"
	third.visit("GET", "/login/faces", nil)
	third.visit("POST", "/login/blockid?link=1", url.Values{})
	third.choice = "0"
	answer, body = third.visit("POST", "/login/bankid?link=1", url.Values{})
	assert.Equal(t, http.StatusConflict, answer.StatusCode)
	assert.Contains(t, body, "belongs to another account")

	identities := regexp.MustCompile(`name="identity" value="([^"]*)"`)
	_, body = p.visit("GET", "/", nil)
	match := identities.FindStringSubmatch(body)
	require.NotNil(t, match)
	unlink := url.Values{"identity": {html.UnescapeString(match[1])}}
	answer, _ = third.visit("POST", "/unlink", unlink)
	assert.Equal(t, http.StatusConflict, answer.StatusCode, "not out of somebody else's account")
	_, body = p.visit("POST", "/unlink", unlink)
	assert.NotRegexp(t, identities, body)
	answer, _ = p.visit("POST", "/unlink", url.Values{"identity": {"x"}})
	assert.Equal(t, http.StatusConflict, answer.StatusCode)
	answer, body = p.visit("POST", "/unlink", url.Values{"identity": {strings.Repeat("x", maxForm)}})
	assert.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode, body)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/unlink", nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "application/json")
	answer, err = p.client.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, []any{http.StatusConflict, "application/json"}, []any{answer.StatusCode, answer.Header.Get("Content-Type")})
	answer, _ = sit(t, base).visit("POST", "/unlink", unlink)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}

func TestBadFlagsAndFiles(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "config.json")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"-config", filepath.Join(t.TempDir(), "missing.json")}, []string{"missing.json"}},
		{[]string{"-config", file(`{"clients":{"acme":{"profile":"oidc","isuer":"https://op.example"}}}`)}, []string{`"acme"`, "isuer"}},
		{[]string{"-config", file(`{"clients":{"acme":{"profile":"oidc","issuer":"https://op.example","redirect_uris":["http://127.0.0.1:8080/callback/acme"]}}}`)}, []string{`"acme"`, "client_id"}},
		{[]string{"-config", file(`{}`)}, []string{"clients: is missing or names none"}},
		{[]string{"-config", file(`{"base_url":"http://127.0.0.1:8080/app","clients":{"acme":{"profile":"oidc","issuer":"https://op.example","client_id":"c","client_secret":"s","redirect_uris":["http://127.0.0.1:8080/app/callback/acme"]}}}`)}, []string{"base_url: has a path"}},
		{[]string{"-addr", "127.0.0.1:x"}, []string{"unknown port"}},
		{[]string{"positional"}, []string{"positional"}},
	} {
		err := run(t.Context(), append([]string{"-addr", "127.0.0.1:0"}, tt.args...), io.Discard, io.Discard)
		require.Error(t, err, tt.args)
		for _, want := range tt.want {
			assert.Contains(t, err.Error(), want)
		}
		assert.NotContains(t, err.Error(), "\n", "one line")
	}
}

func TestConfigFile(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())
	base := "http://" + addr
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{base + "/callback/acme"}, AuthMethod: "client_secret_post"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	registered := op.Client()
	text, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"acme": map[string]any{
		"profile": "oidc", "issuer": op.Issuer(), "client_id": registered.ClientID, "client_secret": registered.ClientSecret,
		"redirect_uris": []string{base + "/callback/acme"}, "scope": "openid email", "userinfo": true,
		"token_endpoint_auth_method": "client_secret_post", "response_mode": "form_post",
	}}})
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(name, text, 0o600))

	printed, _ := start(t, "-config", name, "-addr", addr)
	assert.Equal(t, base, printed)
	p := sit(t, base)
	answer, body := p.visit("GET", "/login/acme?return_to=/session", nil)
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	assert.Equal(t, base+"/session", answer.Request.URL.String())
	s := p.session()
	assert.Equal(t, op.Persons()[0].Subject, s["subject"])
	assert.Equal(t, op.Persons()[0].Email, s["userinfo"].(map[string]any)["email"])
	assert.Equal(t, "openid email", s["scope"])
}

func TestConfigFileWithProviderThatIsDown(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(name, []byte(`{"base_url":"http://127.0.0.1:8080/","clients":{
		"one":{"profile":"oidc","issuer":"http://127.0.0.1:1","client_id":"c","client_secret":"s","redirect_uris":["http://127.0.0.1:8080/callback/one"]},
		"two":{"profile":"oidc","issuer":"http://127.0.0.1:2","client_id":"c","client_secret":"s","redirect_uris":["http://127.0.0.1:8080/callback/two"]}}}`), 0o600))
	config, err := open(name, "http://127.0.0.1:9", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	handler, err := newApp(config, store{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	for target, status := range map[string]int{"/healthz": 200, "/": 200, "/style.css": 200, "/icon.svg": 200, "/login/one": 503, "/nothing": 404, "/login/three": 404} {
		w := get(handler, target)
		assert.Equal(t, status, w.Code, target)
		assert.Equal(t, status == 503, w.Header().Get("Retry-After") != "")
	}
	assert.Contains(t, get(handler, "/").Body.String(), "Log in with one (OpenID Connect)")
}

// brokenStore keeps nothing.
type brokenStore struct {
	weblogin.SessionStore
	weblogin.ReplayStore
}

func (brokenStore) Load(context.Context, ...string) ([]weblogin.Record, error) {
	return nil, errors.New("connection refused")
}

// What goes wrong is said in JSON to who asks for JSON, on the application's own pages too;
// and to browsers on a page.
func TestErrorsOfOwnPages(t *testing.T) {
	name := write(t, "config.json", []byte(`{"base_url":"http://127.0.0.1:8080","clients":{
		"one":{"profile":"oidc","issuer":"https://op.example","client_id":"c","client_secret":"s","redirect_uris":["http://127.0.0.1:8080/callback/one"]}}}`))
	places, err := open(name, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	app, err := newApp(places, store{sessions: brokenStore{}, sealer: sealer}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	session := "__Host-rely-session=" + strings.Repeat("A", 43)
	for _, tt := range []struct {
		method, target, cookie string
		status                 int
		code                   string
	}{
		{"GET", "/?state=x", "", 400, "invalid_request"},
		{"GET", "/", session, 503, "temporarily_unavailable"},
		{"POST", "/unlink", session, 503, "temporarily_unavailable"},
		{"POST", "/unlink", "", 401, "login_required"},
		{"POST", "/", "", 405, "method_not_allowed"},
		{"DELETE", "/healthz", "", 405, "method_not_allowed"},
		{"GET", "/unlink", "", 405, "method_not_allowed"},
		{"GET", "/machine/one", "", 405, "method_not_allowed"},
		{"PUT", "/device/one/handle", "", 405, "method_not_allowed"},
		{"POST", "/nothing", "", 404, "not_found"},
	} {
		what := tt.method + " " + tt.target
		w, out := ask(t, app, tt.method, tt.target, nil, "Accept", "application/json", "Cookie", tt.cookie)
		assert.Equal(t, []any{tt.status, tt.code, "application/json"}, []any{w.Code, out["error"], w.Header().Get("Content-Type")}, what)
		assert.NotEmpty(t, out["error_description"], what)
		assert.Equal(t, tt.status == 503, w.Header().Get("Retry-After") != "", what)
		assert.Equal(t, tt.status == 405, w.Header().Get("Allow") != "", what)
		w, _ = ask(t, app, tt.method, tt.target, nil, "Accept", "text/html,*/*;q=0.8", "Cookie", tt.cookie)
		assert.Equal(t, tt.status, w.Code, what)
		assert.Contains(t, w.Body.String(), `role="alert"`, what)
	}
}

func get(handler http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestLeft(t *testing.T) {
	now := time.Unix(1e9, 0)
	for d, want := range map[time.Duration]string{
		-time.Second: "ended", 0: "ended", 20 * time.Second: "less than a minute", time.Minute: "1 minute", 29*time.Minute + 40*time.Second: "30 minutes",
		time.Hour: "1 hour 0 minutes", 25*time.Hour + 61*time.Second: "25 hours 1 minute",
	} {
		assert.Equal(t, want, left(now.Add(d), now))
	}
	assert.Equal(t, "not said by the provider", left(time.Time{}, now))
}
