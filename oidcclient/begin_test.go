package oidcclient

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBeginQuery(t *testing.T) {
	hour := time.Hour
	c := staticClient(t, func(c *Config) {
		c.Scopes = []string{"openid", "email"}
		c.ACRValues = []string{"a", "b"}
		c.MaxAge = &hour
		c.ResponseMode = "form_post"
		c.Profile.AuthorizeParams = map[string]string{"api_version": "4"}
	})
	auth, pending, err := c.Begin(t.Context(), BeginOptions{
		LoginHint: "anna", Prompt: []string{"login", "consent"}, UILocales: []string{"nb", "en"},
		Claims: `{"userinfo":{"email":null}}`, AuthorizationDetails: `[{"type":"payment"}]`,
		Resources: []string{"https://a.example", "https://b.example"}, Scopes: []string{"email", "phone"},
		Params: url.Values{"list": {"1", "2"}},
	})
	require.NoError(t, err)
	assert.Equal(t, http.MethodGet, auth.Method)
	u, err := url.Parse(auth.URL)
	require.NoError(t, err)
	assert.Equal(t, "https://op.example/authorize", u.Scheme+"://"+u.Host+u.Path)

	q := u.Query()
	challenge := sha256.Sum256([]byte(pending.data.Verifier))
	assert.Equal(t, url.Values{
		"tenant": {"7"}, "response_type": {"code"}, "client_id": {"client"}, "redirect_uri": {"https://rp.example/cb"},
		"scope": {"openid email phone"}, "claims": {`{"userinfo":{"email":null}}`}, "authorization_details": {`[{"type":"payment"}]`}, "list": {"1", "2"}, "state": {pending.State()}, "nonce": {pending.data.Nonce}, "response_mode": {"form_post"},
		"login_hint": {"anna"}, "prompt": {"login consent"}, "ui_locales": {"nb en"}, "acr_values": {"a b"}, "max_age": {"3600"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
		"api_version": {"4"}, "resource": {"https://a.example", "https://b.example"},
	}, q)
	assert.Equal(t, testNow.Add(10*time.Minute).UTC(), pending.ExpiresAt())
	assert.Equal(t, "form_post", pending.ResponseMode())
}

func TestBeginIsUnguessable(t *testing.T) {
	c := staticClient(t, nil)
	seen := map[string]bool{}
	for range 100 {
		_, p, err := c.Begin(t.Context(), BeginOptions{})
		require.NoError(t, err)
		for _, v := range []string{p.data.State, p.data.Nonce, p.data.Verifier} {
			assert.GreaterOrEqual(t, len(v), 43, "256 bits")
			assert.False(t, seen[v], "never twice")
			seen[v] = true
		}
	}
}

func TestBeginRefuses(t *testing.T) {
	tests := map[string]struct {
		change    func(*Config)
		opts      BeginOptions
		wantCheck string
	}{
		"own parameter":          {opts: BeginOptions{Params: url.Values{"state": {"x"}}}, wantCheck: "parameters"},
		"absent own parameter":   {opts: BeginOptions{Params: url.Values{"request_uri": {"x"}}}, wantCheck: "parameters"},
		"profile's parameter":    {change: func(c *Config) { c.Profile.AuthorizeParams = map[string]string{"v": "4"} }, opts: BeginOptions{Params: url.Values{"v": {"3"}}}, wantCheck: "parameters"},
		"personal hint in a URL": {change: func(c *Config) { c.Profile.QueryLoginHints = []string{"BID"} }, opts: BeginOptions{LoginHint: "BID:01017012345"}, wantCheck: "login_hint"},
		"no redirect URI":        {change: func(c *Config) { c.RedirectURI = "" }, wantCheck: "redirect_uri"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			auth, pending, err := staticClient(t, tt.change).Begin(t.Context(), tt.opts)
			var refused *Error
			require.True(t, errors.As(err, &refused))
			assert.Equal(t, tt.wantCheck, refused.Check)
			assert.Nil(t, auth)
			assert.Nil(t, pending)
			assert.NotContains(t, err.Error(), "01017012345")
		})
	}
	_, _, err := staticClient(t, func(c *Config) { c.Profile.QueryLoginHints = []string{"BID"} }).Begin(t.Context(), BeginOptions{LoginHint: "BID"})
	assert.NoError(t, err)
}

func TestAuthorizationRedirects(t *testing.T) {
	w := httptest.NewRecorder()
	(&Authorization{Method: http.MethodGet, URL: "https://op.example/a?x=1&y=2"}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	assert.Equal(t, http.StatusSeeOther, w.Code)
	assert.Equal(t, "https://op.example/a?x=1&y=2", w.Header().Get("Location"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}

func TestAuthorizationPostsItself(t *testing.T) {
	w := httptest.NewRecorder()
	a := &Authorization{Method: http.MethodPost, URL: `https://op.example/a?x="><script>`, Form: url.Values{"request": {`"><script>alert(1)</script>`}, "scope": {"a b"}}}
	a.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	body := w.Body.String()
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, 1, strings.Count(body, "<script>"), "only our own script")
	assert.Contains(t, body, `name="scope" value="a b"`)

	hash := sha256.Sum256([]byte(formScript))
	policy := w.Header().Get("Content-Security-Policy")
	assert.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'")
	assert.Contains(t, policy, "default-src 'none'")
	assert.Contains(t, body, "<script>"+formScript+"</script>")
}
