package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// beyondApp is the application with one client whose provider answers these paths.
func beyondApp(t *testing.T, paths map[string]http.HandlerFunc, more string) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	for path, serve := range paths {
		mux.HandleFunc(path, serve)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	name := filepath.Join(t.TempDir(), "config.json")
	config := fmt.Sprintf(`{"base_url":"http://127.0.0.1:8080","clients":{"one":{"profile":"oidc","issuer":"https://op.example","client_id":"c","client_secret":"s",
		"redirect_uris":["http://127.0.0.1:8080/callback/one"],"scope":"openid api",
		"provider_metadata":{"authorization_endpoint":"%[1]s/a","token_endpoint":"%[1]s/token","jwks_uri":"%[1]s/jwks",
		"device_authorization_endpoint":"%[1]s/device","backchannel_authentication_endpoint":"%[1]s/bc"}%[2]s}}}`, server.URL, more)
	require.NoError(t, os.WriteFile(name, []byte(config), 0o600))
	places, err := open(name, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	app, err := newApp(places, store{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return app
}

// says answers with JSON.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func ask(t *testing.T, h http.Handler, method, target string, form url.Values, header ...string) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var out map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &out) // not every answer is JSON
	return w, out
}

func TestMachine(t *testing.T) {
	var scope atomic.Value
	app := beyondApp(t, map[string]http.HandlerFunc{"POST /token": func(w http.ResponseWriter, r *http.Request) {
		scope.Store(r.FormValue("grant_type") + " " + r.FormValue("scope"))
		says(200, `{"access_token":"at","token_type":"Bearer","expires_in":60,"scope":"api"}`)(w, r)
	}}, "")
	w, out := ask(t, app, "POST", "/machine/one", url.Values{"scope": {"api"}})
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Equal(t, []any{"Bearer", "api", "client_credentials api"}, []any{out["token_type"], out["scope"], scope.Load()})
	assert.NotNil(t, out["expires_at"])
	assert.NotContains(t, w.Body.String(), `"at"`)
	w, _ = ask(t, app, "POST", "/machine/one", nil, "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, w.Code)
	w, _ = ask(t, app, "POST", "/machine/two", nil)
	assert.Equal(t, http.StatusNotFound, w.Code)
}

// A form that can't be read asks for nothing: least of all for what an empty one asks for.
func TestFormsThatCannotBeRead(t *testing.T) {
	var asked atomic.Int64
	app := beyondApp(t, map[string]http.HandlerFunc{
		"POST /token": func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			says(200, `{"access_token":"at","token_type":"Bearer","expires_in":60}`)(w, r)
		},
		"POST /bc": says(200, `{"auth_req_id":"r1","expires_in":60,"interval":1}`),
	}, "")
	send := func(target, kind, body string) (int, map[string]any) {
		r := httptest.NewRequest("POST", target, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		var out map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
		return w.Code, out
	}
	const form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	part := func(value string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"login_hint\"\r\n\r\n" + value + "\r\n--b--\r\n"
	}
	const hint = "login_hint="
	for name, tt := range map[string]struct {
		kind, body string
		want       int
		says       any
	}{
		"as long as it may be":   {form, hint + strings.Repeat("a", maxForm-len(hint)), 0, nil},
		"a byte longer":          {form, hint + strings.Repeat("a", maxForm-len(hint)+1), 413, "form is too long"},
		"in parts":               {parts, part("anna"), 0, nil},
		"in parts, and too long": {parts, part(strings.Repeat("a", maxForm)), 413, "form is too long"},
		"parts that break off":   {parts, part("anna")[:60], 400, "form is malformed"},
		"no escape":              {form, "login_hint=a%20", 0, nil},
		"half an escape":         {form, "login_hint=a%2", 400, "form is malformed"},
	} {
		for target, good := range map[string]int{"/machine/one": 200, "/ciba/one": 202} {
			asked.Store(0)
			status, out := send(target, tt.kind, tt.body)
			if tt.want == 0 {
				assert.Equal(t, good, status, "%s: %s", target, name)
				continue
			}
			assert.Equal(t, []any{tt.want, "invalid_request", tt.says}, []any{status, out["error"], out["error_description"]}, "%s: %s", target, name)
			assert.Zero(t, asked.Load(), name)
		}
	}
}

func TestDeviceAndBackchannel(t *testing.T) {
	var decided atomic.Bool
	app := beyondApp(t, map[string]http.HandlerFunc{
		"POST /device": says(200, `{"device_code":"dc","user_code":"AB-CD","verification_uri":"https://op.example/d","expires_in":600,"interval":1}`),
		"POST /bc":     says(200, `{"auth_req_id":"r1","expires_in":60,"interval":1}`),
		"POST /token": func(w http.ResponseWriter, r *http.Request) {
			decided.Store(true)
			says(400, `{"error":"access_denied"}`)(w, r)
		},
	}, "")
	w, out := ask(t, app, "POST", "/device/one", nil)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Equal(t, []any{"AB-CD", "https://op.example/d", 600.0, 1.0}, []any{out["user_code"], out["verification_uri"], out["expires_in"], out["interval"]})
	assert.NotContains(t, w.Body.String(), "dc")
	handle := out["handle"].(string)
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	browser := []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}
	w, _ = ask(t, app, "GET", "/device/one/"+handle, nil, browser...)
	assert.Equal(t, http.StatusAccepted, w.Code, "too early to ask")
	assert.False(t, decided.Load())
	w, _ = ask(t, app, "GET", "/device/one/nothing", nil, browser...)
	assert.Equal(t, http.StatusNotFound, w.Code)
	for name, other := range map[string][]string{"without a name": nil, "with another": {"Cookie", cookies[0].Name + "=x"}} {
		w, _ = ask(t, app, "GET", "/device/one/"+handle, nil, other...)
		assert.Equal(t, http.StatusNotFound, w.Code, "a browser %s would be logged in as whoever sent it here", name)
	}
	require.Eventually(t, func() bool {
		w, out = ask(t, app, "GET", "/device/one/"+handle, nil, browser...)
		return w.Code != http.StatusAccepted
	}, 1e10, 1e8)
	assert.Equal(t, []any{http.StatusForbidden, "access_denied"}, []any{w.Code, out["error"]})
	w, _ = ask(t, app, "GET", "/device/one/"+handle, nil, append([]string{"Accept", "text/html,*/*"}, browser...)...)
	assert.Equal(t, []any{http.StatusForbidden, "text/html; charset=utf-8"}, []any{w.Code, w.Header().Get("Content-Type")}, "a page for a browser")

	w, out = ask(t, app, "POST", "/ciba/one", url.Values{"login_hint": {"anna"}, "binding_message": {"W4"}})
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	assert.NotEmpty(t, out["handle"])
	r := httptest.NewRequest("POST", "/ciba-notification/one", strings.NewReader(`{"auth_req_id":"r1"}`))
	r.Header.Set("Authorization", "Bearer wrong")
	answered := httptest.NewRecorder()
	app.ServeHTTP(answered, r)
	assert.Equal(t, http.StatusUnauthorized, answered.Code)
	w, _ = ask(t, app, "POST", "/ciba-notification/one", nil)
	assert.Equal(t, http.StatusBadRequest, w.Code)
	w, _ = ask(t, app, "POST", "/ciba/one", nil)
	assert.Equal(t, http.StatusBadRequest, w.Code, "nobody is named")
}

func TestResource(t *testing.T) {
	for name, tt := range map[string]struct {
		bound  bool
		scheme string
	}{"bearer": {false, "Bearer "}, "DPoP": {true, "DPoP "}} {
		t.Run(name, func(t *testing.T) { testResource(t, tt.bound, tt.scheme) })
	}
}

// withAPI is a person who has logged in to an application whose client calls an API.
func withAPI(t *testing.T, resource string, bound bool) *personAt {
	t.Helper()
	address := freeAddress(t)
	base := "http://" + address
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{base + "/callback/op"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"op": map[string]any{
		"profile": "oidc", "issuer": op.Issuer(), "client_id": op.Client().ClientID, "client_secret": op.Client().ClientSecret,
		"redirect_uris": []string{base + "/callback/op"}, "resource": resource, "dpop_bound_access_tokens": bound,
	}}})
	require.NoError(t, err)
	start(t, "-addr", address, "-config", write(t, "config.json", config))
	p := sit(t, base)
	p.send(http.MethodGet, "/login/op", nil)
	return p
}

func testResource(t *testing.T, bound bool, scheme string) {
	var calls []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls = append(calls, r.Header.Get("Authorization"))
		if len(calls) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		says(http.StatusTeapot, `{"hello":"api"}`)(w, r)
	}))
	t.Cleanup(api.Close)
	p := withAPI(t, api.URL+"/me", bound)
	answer, body := p.send(http.MethodGet, "/resource/op", nil)
	assert.Equal(t, http.StatusTeapot, answer.StatusCode)
	assert.JSONEq(t, `{"hello":"api"}`, body)
	require.Len(t, calls, 2, "once more after a refresh")
	assert.NotEqual(t, calls[0], calls[1])
	for _, call := range calls {
		assert.True(t, strings.HasPrefix(call, scheme), "sent as what it is")
	}
	answer, _ = p.send(http.MethodGet, "/resource/other", nil)
	assert.Equal(t, http.StatusNotFound, answer.StatusCode)
}

// What the API answers is passed on as it is, or not at all.
func TestResourceThatAnswersBadly(t *testing.T) {
	var raw atomic.Value
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		_, _ = io.WriteString(conn, raw.Load().(string))
		assert.NoError(t, conn.Close())
	}))
	t.Cleanup(api.Close)
	p := withAPI(t, api.URL+"/me", false)
	says := func(status string, announced, sent int) string {
		return fmt.Sprintf("HTTP/1.1 %s Odd\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", status, announced, strings.Repeat("x", sent))
	}
	for name, tt := range map[string]struct {
		raw  string
		want int
		why  string // "" for the API's own answer
	}{
		"the least status":      {says("200", 2, 2), 200, ""},
		"a strange status":      {says("999", 2, 2), 999, ""},
		"no status":             {says("000", 2, 2), 502, "the API's status is none of an answer"},
		"a status too low":      {says("099", 2, 2), 502, "the API's status is none of an answer"},
		"another protocol":      {says("101", 0, 0), 502, "the API's status is none of an answer"},
		"as long as it may be":  {says("200", maxAPIAnswer, maxAPIAnswer), 200, ""},
		"a byte longer":         {says("200", maxAPIAnswer+1, maxAPIAnswer+1), 502, "the API's answer is too long"},
		"less than it promised": {says("200", 3, 2), 502, "the API's answer broke off"},
		"nothing of HTTP":       {"hello", 502, "the API was not reached"},
	} {
		raw.Store(tt.raw)
		answer, body := p.send(http.MethodGet, "/resource/op", nil)
		assert.Equal(t, tt.want, answer.StatusCode, name)
		if tt.why == "" {
			assert.Equal(t, strings.SplitN(tt.raw, "\r\n\r\n", 2)[1], body, name)
			continue
		}
		assert.JSONEq(t, `{"error":"provider_error","error_description":"`+tt.why+`"}`, body, name)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// HTTP/2 has statuses of any length.
func TestStatusOfAnAPI(t *testing.T) {
	for status, good := range map[int]bool{-1: false, 199: false, 200: true, 999: true, 1000: false} {
		_, _, _, err := fetch(t.Context(), &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: http.NoBody}, nil
		})}, "http://127.0.0.1/")
		assert.Equal(t, good, err == nil, status)
	}
}

// Somebody grants access to an API and is not identified: the page says so, and the
// API can be called.
func TestGrantOfNobody(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		says(http.StatusOK, `{"accounts":[]}`)(w, r)
	}))
	t.Cleanup(api.Close)
	address := freeAddress(t)
	base := "http://" + address
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{base + "/callback/bank"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"bank": map[string]any{
		"profile": "oauth", "issuer": op.Issuer(), "client_id": op.Client().ClientID, "client_secret": op.Client().ClientSecret,
		"redirect_uris": []string{base + "/callback/bank"}, "scope": "email", "resource": api.URL + "/accounts",
	}}})
	require.NoError(t, err)
	start(t, "-addr", address, "-config", write(t, "config.json", config))
	p := sit(t, base)
	answer, _ := p.send(http.MethodGet, "/resource/bank", nil)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	_, page := p.visit(http.MethodGet, "/login/bank", nil)
	assert.Contains(t, page, "You granted access")
	assert.NotContains(t, page, "Subject")
	assert.NotContains(t, page, "pseudonym")
	said := p.session()
	assert.Equal(t, []any{"bank", "", "email"}, []any{said["client"], said["subject"], said["scope"]})
	answer, body := p.send(http.MethodGet, "/resource/bank", nil)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.JSONEq(t, `{"accounts":[]}`, body)
	answer, _ = p.send(http.MethodPost, "/refresh", url.Values{})
	assert.Equal(t, http.StatusOK, answer.StatusCode)
}

// A client without a browser needs nowhere to come back to, and asks for its own scopes.
func TestMachineWithoutABrowser(t *testing.T) {
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked.Store(r.PostForm)
		says(200, `{"access_token":"at","token_type":"Bearer"}`)(w, r)
	}))
	t.Cleanup(server.Close)
	name := write(t, "config.json", []byte(`{"base_url":"http://127.0.0.1:8080","clients":{"one":{"profile":"oidc","issuer":"https://op.example","client_id":"c","client_secret":"s",
		"grant_types":["client_credentials"],"scope":"openid api:read","resource_indicators":["https://api.example"],"provider_metadata":{"token_endpoint":"`+server.URL+`"}}}}`))
	places, err := open(name, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	app, err := newApp(places, store{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	w, out := ask(t, app, "POST", "/machine/one", nil)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Equal(t, "api:read", out["scope"], "what was asked for, where the answer says nothing")
	assert.Equal(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"api:read"}, "resource": {"https://api.example"}}, asked.Load())
	w, _ = ask(t, app, "GET", "/login/one", nil)
	assert.Equal(t, http.StatusBadRequest, w.Code)
	w, _ = ask(t, app, "GET", "/", nil)
	assert.NotContains(t, w.Body.String(), "/login/one")
	w, out = ask(t, app, "POST", "/device/two", nil)
	assert.Equal(t, []any{http.StatusNotFound, "not_found"}, []any{w.Code, out["error"]})
}

// What others say about the person is on the page and in the session, without the tokens
// by which it was had.
func TestClaimsFromElsewhere(t *testing.T) {
	address := freeAddress(t)
	base := "http://" + address
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{base + "/callback/op"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	mux := http.NewServeMux()
	bank := httptest.NewServer(mux)
	t.Cleanup(bank.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	mux.HandleFunc("GET /.well-known/openid-configuration", says(200, `{"issuer":"`+bank.URL+`","jwks_uri":"`+bank.URL+`/jwks","authorization_endpoint":"`+bank.URL+`/a","token_endpoint":"`+bank.URL+`/t"}`))
	mux.HandleFunc("GET /jwks", says(200, `{"keys":[{"kty":"RSA","kid":"b","n":"`+base64.RawURLEncoding.EncodeToString(key.N.Bytes())+`","e":"AQAB"}]}`))
	mux.HandleFunc("GET /claims", func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer of-the-bank", r.Header.Get("Authorization"))
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"b"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+bank.URL+`","score":650}`))
		sum := sha256.Sum256([]byte(input))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		assert.NoError(t, err)
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = io.WriteString(w, input+"."+base64.RawURLEncoding.EncodeToString(signature))
	})
	op.OnToken(func(i *oidctest.Issue) {
		if i.Step == oidctest.StepUserInfo {
			i.Claims["_claim_names"] = map[string]any{"score": "src"}
			i.Claims["_claim_sources"] = map[string]any{"src": map[string]any{"endpoint": bank.URL + "/claims", "access_token": "of-the-bank"}}
		}
	})
	config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"op": map[string]any{
		"profile": "oidc", "issuer": op.Issuer(), "client_id": op.Client().ClientID, "client_secret": op.Client().ClientSecret,
		"redirect_uris": []string{base + "/callback/op"}, "distributed_claims": []string{bank.URL}, "userinfo": true,
	}}})
	require.NoError(t, err)
	start(t, "-addr", address, "-config", write(t, "config.json", config))
	p := sit(t, base)
	_, page := p.visit(http.MethodGet, "/login/op", nil)
	assert.Contains(t, page, "650")
	assert.NotContains(t, page, "of-the-bank")
	said := p.session()
	assert.Equal(t, []any{map[string]any{"iss": bank.URL, "claims": map[string]any{"score": 650.0}}}, said["claim_sources"])
	text, err := json.Marshal(said)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "of-the-bank")
}
