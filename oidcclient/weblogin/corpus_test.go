package weblogin

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/corpus"
	"github.com/rely-go/rely/oidcclient"
)

// corpusMoment is the default moment of the corpus's cases.
var corpusMoment = time.Unix(1_790_000_000, 0)

// corpusSite is a handler at the moment of a case, whose provider refuses every
// code.
type corpusSite struct {
	*Handler
	memory *Memory
	asked  int // requests to the provider, but for keys
	log    bytes.Buffer
}

// RoundTrip is the network.
func (s *corpusSite) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/jwks" {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"keys":[]}`)),
		}, nil
	}
	s.asked++
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"error":"invalid_grant","error_description":"<script>secret"}`)),
	}, nil
}

func newCorpusSite(t *testing.T, now time.Time, advertised bool) *corpusSite {
	t.Helper()
	key, err := fs.ReadFile(corpus.Files(), "keys/sealing.txt")
	require.NoError(t, err)
	sealer, err := oidcclient.NewSealer(key)
	require.NoError(t, err)
	s := &corpusSite{memory: NewMemory(nil)}
	clock := func() time.Time { return now }
	s.memory.now = clock
	client := func(id string) *oidcclient.Client {
		c, err := oidcclient.New(oidcclient.Config{
			Profile: oidcclient.Profile{Name: "corpus", Scopes: []string{"openid"}, RequiredScopes: []string{"openid"}},
			Issuer:  "https://op.example", ClientID: "client-1", ClientSecret: "secret-of-the-client", RedirectURI: "https://rp.example/callback/" + id,
			Provider: &oidcclient.ProviderMetadata{
				AuthorizationEndpoint: "https://op.example/authorize", TokenEndpoint: "https://op.example/token",
				JWKSURI: "https://op.example/jwks", ResponseIssuerSupported: advertised,
			},
			HTTPClient: &http.Client{Transport: s}, Clock: clock,
		})
		require.NoError(t, err)
		return c
	}
	s.Handler, err = New(Config{
		BaseURL: "https://rp.example", Clients: map[string]*oidcclient.Client{"op": client("op"), "other": client("other")},
		Clock: clock, Sessions: s.memory, Replay: s.memory, Sealer: sealer,
		Logger: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	return s
}

// ask sends one request and reads what became of it, in the words of the corpus.
func (s *corpusSite) ask(t *testing.T, r *http.Request) (verdict string, refusal map[string]string) {
	t.Helper()
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	for _, secret := range []string{"code-of-this-login", "state-of-this-login", "access-token-of-this-login", "verifier-", "<script", "alert(1)", "evil.example", "aaaaaaaa", "secret-of-the-client"} {
		assert.NotContains(t, w.Body.String(), secret)
		assert.NotContains(t, s.log.String(), secret)
	}
	if w.Code == http.StatusOK {
		return "ok", nil
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &refusal), "%s", w.Body)
	for _, c := range w.Result().Cookies() {
		assert.NotEqual(t, "__Host-rely-session", c.Name, "nobody is logged in")
	}
	if refusal["error"] == "login_required" {
		return "login_required", refusal
	}
	if _, said, found := strings.Cut(refusal["error_description"], "callback: provider did not log the person in: provider said "); found {
		return said, refusal
	}
	_, rest, found := strings.Cut(refusal["error_description"], "refused: ")
	if !found {
		return refusal["error"], refusal
	}
	verdict, _, _ = strings.Cut(rest, ":")
	return verdict, refusal
}

// corpusLogin returns the cookie of the login that the corpus's callbacks answer.
func (s *corpusSite) corpusLogin(t *testing.T, mode string) *http.Cookie {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"v": 1, "client_id": "client-1", "iss": "https://op.example", "redirect_uri": "https://rp.example/callback/op", "state": "state-of-this-login",
		"nonce": "nonce-of-this-login", "code_verifier": strings.Repeat("verifier-", 5), "response_mode": mode, "exp": corpusMoment.Add(10 * time.Minute),
	})
	require.NoError(t, err)
	sealed, err := s.sealer.Seal("pending", text, nil)
	require.NoError(t, err)
	l := &waiting{cookie: s.loginCookie("state-of-this-login"), waitingMeta: waitingMeta{Version: loginVersion, Client: "op", ReturnTo: "/", BegunAt: corpusMoment}}
	l.pending, err = s.sealer.OpenPending(sealed)
	require.NoError(t, err)
	value, err := s.sealLogin(l)
	require.NoError(t, err)
	return &http.Cookie{Name: l.cookie, Value: value}
}

func callbackRequest(method, input string) *http.Request {
	if method != http.MethodPost {
		r := httptest.NewRequest(http.MethodGet, "/callback/op", nil)
		r.URL.RawQuery = input
		return r
	}
	r := httptest.NewRequest(http.MethodPost, "/callback/op", strings.NewReader(input))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// handlersVerdict is what the handler says of a case: it looks at the state before
// it gives the rest to the client, and has bounds of its own.
func handlersVerdict(c corpus.Case) string {
	values, err := url.ParseQuery(c.Input)
	switch {
	case err == nil && len(values["state"]) > 1:
		return "state"
	case c.Expect == "query" && c.Field("method") == http.MethodPost:
		return "invalid_request"
	case c.Expect == "query":
		return "parameters"
	case c.Expect == "ok":
		return "invalid_grant"
	case c.Expect == "error":
		return c.Field("code")
	}
	return c.Expect
}

func TestCorpusCallback(t *testing.T) {
	cases, err := corpus.Callback().Load(corpus.Files())
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			now := corpusMoment
			if c.Field("now") != "" {
				seconds, err := strconv.ParseInt(c.Field("now"), 10, 64)
				require.NoError(t, err)
				now = time.Unix(seconds, 0)
			}
			s := newCorpusSite(t, now, c.Field("advertised") == "yes")
			cookie := s.corpusLogin(t, c.Field("response-mode"))
			requests := 0
			if c.Expect == "ok" || c.Expect == "replay" {
				requests = 1
			}
			times := 1
			if c.Field("times") != "" {
				times, err = strconv.Atoi(c.Field("times"))
				require.NoError(t, err)
			}
			var got string
			var refusal map[string]string
			for range times {
				r := callbackRequest(c.Field("method"), c.Input)
				r.AddCookie(cookie)
				got, refusal = s.ask(t, r)
			}
			assert.Equal(t, handlersVerdict(c), got, "%v", refusal)
			assert.Equal(t, requests, s.asked, "requests to the provider")
		})
	}
}

func TestCorpusCookies(t *testing.T) {
	cases, err := corpus.Cookie().Load(corpus.Files())
	require.NoError(t, err)
	const sessionName = "__Host-rely-session="
	var goodSession, goodRecord string
	for _, c := range cases {
		switch {
		case c.Expect == "ok" && c.Field("at") == "session" && strings.HasPrefix(c.Input, sessionName):
			goodSession = c.Input
		case c.Expect == "ok" && c.Field("at") == "record":
			goodRecord = c.Input
		}
	}
	require.NotEmpty(t, goodSession)
	require.NotEmpty(t, goodRecord)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			s := newCorpusSite(t, corpusMoment, false)
			header, data, path := c.Input, goodRecord, "/session"
			requests, want := 0, c.Expect
			switch c.Field("at") {
			case "callback":
				path = "/callback/op?code=code-of-this-login&state=state-of-this-login"
				if c.Expect == "ok" {
					requests, want = 1, "invalid_grant"
				}
			case "record":
				header, data = goodSession, c.Input
			case "cookies":
				s.inCookies = true
			default:
				require.Equal(t, "session", c.Field("at"))
			}
			if c.Field("at") != "cookies" {
				require.NoError(t, s.memory.Put(t.Context(), Record{
					Key: recordKey(strings.TrimPrefix(goodSession, sessionName)), Data: data, ExpiresAt: corpusMoment.Add(time.Hour),
				}))
			}
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Cookie", header)
			got, refusal := s.ask(t, r)
			assert.Equal(t, want, got, "%v", refusal)
			assert.Equal(t, requests, s.asked, "requests to the provider")
		})
	}
}
