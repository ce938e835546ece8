package weblogin

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

func TestSessionManagementPage(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	p := b.ask("/session-management/op", nil)
	assert.Equal(t, http.StatusUnauthorized, p.StatusCode)
	assert.Contains(t, p.body, `postMessage("session ended",location.origin)`)
	assert.Equal(t, http.StatusUnauthorized, b.ask("/session-management/op", nil, "Accept", "application/json").StatusCode)
	assert.Equal(t, http.StatusNotFound, b.ask("/session-management/nobody", nil).StatusCode)

	b.login("/login/op")
	state := s.h.must(t, b).Login.SessionState()
	require.NotEmpty(t, state)
	p = b.ask("/session-management/op", nil)
	require.Equal(t, http.StatusOK, p.StatusCode)
	frame := s.ops["op"].URL() + "/check-session"
	watchURL, allowed := s.h.WatchFrame(t.Context(), s.h.must(t, b))
	assert.Equal(t, "/session-management/op", watchURL)
	assert.Equal(t, []string{"'self'", s.ops["op"].URL()}, allowed)
	assert.Contains(t, p.body, `src="`+frame+`"`)
	assert.Contains(t, p.body, `data-message="`+s.h.clients["op"].ClientID()+" "+state+`"`)
	assert.Contains(t, p.body, `data-origin="`+s.ops["op"].URL()+`"`)
	assert.Equal(t, "SAMEORIGIN", p.Header.Get("X-Frame-Options"))
	policy := p.Header.Get("Content-Security-Policy")
	assert.Regexp(t, "^"+regexp.QuoteMeta("default-src 'none'; script-src "+scriptHash(watchScript)+"; frame-src "+s.ops["op"].URL()+"; base-uri 'none'; frame-ancestors 'self'")+"$", policy)
}

// A provider without the page, or a login without its state, has nothing to watch.
func TestNothingToWatch(t *testing.T) {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {}}})
	s.ops["op"].OnCallback(func(values url.Values) { values.Del("session_state") })
	b := s.browser()
	b.login("/login/op")
	assert.Equal(t, http.StatusNotFound, b.ask("/session-management/op", nil).StatusCode)
	watchURL, _ := s.h.WatchFrame(t.Context(), s.h.must(t, b))
	assert.Empty(t, watchURL)
}

// "changed" is followed by a login without asking: the session goes on as the same
// person's, and ends as another's or nobody's; a provider that is down ends nothing.
func TestChangedAtTheProvider(t *testing.T) {
	for name, tt := range map[string]struct {
		now     func(*site)
		goesOn  bool
		problem bool
	}{
		"the same person": {func(*site) {}, true, false},
		"nobody": {func(s *site) {
			s.ops["op"].OnCallback(func(values url.Values) {
				values.Del("code")
				values.Set("error", "login_required")
			})
		}, false, false},
		"somebody else": {func(s *site) {
			s.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["sub"] = "somebody-else" })
		}, false, false},
		"a provider that can't say": {func(s *site) {
			s.ops["op"].OnCallback(func(values url.Values) {
				values.Del("code")
				values.Set("error", "temporarily_unavailable")
			})
		}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {}}})
			b := s.browser()
			b.login("/login/op")
			before := s.h.must(t, b)
			tt.now(s)
			sent := b.ask("/session-management/op", url.Values{})
			require.Equal(t, http.StatusSeeOther, sent.StatusCode, sent.body)
			asked, err := url.Parse(sent.to(t))
			require.NoError(t, err)
			assert.Equal(t, "none", asked.Query().Get("prompt"))
			assert.Equal(t, before.Login.IDToken().Raw(), asked.Query().Get("id_token_hint"))
			_, target, form := b.follow(sent, b.url+"/callback/")
			back := b.ask(target, form)
			if tt.problem {
				assert.Equal(t, http.StatusServiceUnavailable, back.StatusCode)
			} else {
				assert.Equal(t, http.StatusSeeOther, back.StatusCode, back.body)
				assert.Equal(t, "/session-management/op", back.Header.Get("Location"))
			}
			if tt.goesOn {
				require.NotNil(t, b.session())
				assert.Equal(t, before.Login.Subject(), s.h.must(t, b).Login.Subject())
				return
			}
			assert.Nil(t, b.session())
			assert.Equal(t, http.StatusUnauthorized, b.ask("/session-management/op", nil).StatusCode)
		})
	}
}

func TestChangedIsNotForOthers(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	assert.Equal(t, http.StatusUnauthorized, b.ask("/session-management/op", url.Values{}, "Accept", "application/json").StatusCode)
	b.login("/login/op")
	assert.Equal(t, http.StatusForbidden, b.ask("/session-management/op", url.Values{}, "Sec-Fetch-Site", "cross-site").StatusCode)
	assert.NotNil(t, b.session())
}

func TestOriginOf(t *testing.T) {
	for raw, want := range map[string]string{
		"https://op.example/check":       "https://op.example",
		"https://OP.example:443/check":   "https://op.example",
		"https://op.example:8443/c?a=b":  "https://op.example:8443",
		"http://127.0.0.1:80/":           "http://127.0.0.1",
		"http://[::1]:8080/":             "http://[::1]:8080",
		"https://op.example;sandbox/":    "",
		"https://op.example'none'/check": "",
		"/check":                         "",
	} {
		got, ok := originOf(raw)
		assert.Equal(t, want != "", ok, raw)
		assert.Equal(t, want, got, raw)
	}
}

// Nothing that a provider or a registration says becomes markup.
func TestWatchEscapes(t *testing.T) {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {ClientID: `a"><script>alert(1)</script>`}}})
	b := s.browser()
	b.login("/login/op")
	p := b.ask("/session-management/op", nil)
	require.Equal(t, http.StatusOK, p.StatusCode)
	assert.Equal(t, 1, strings.Count(p.body, "<script"))
}
