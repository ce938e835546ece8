package weblogin

import (
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
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// What holds for sessions in a store holds for those in cookies.
func TestSessionsInCookies(t *testing.T) {
	inCookies = true
	defer func() { inCookies = false }()
	for name, test := range map[string]func(*testing.T){
		"login at each system": TestLoginAtEachSystem, "ends": TestSessionEnds, "checks": TestSessionSaysWhatWasChecked,
		"refresh": TestRefresh, "dead refresh token": TestRefreshTokenIsDead, "outage": TestRefreshDuringOutage,
		"refresh of another person": TestRefreshOfAnotherPersonEndsTheSession, "logout during refresh": TestLogoutDuringRefresh,
		"cross-site posts": TestCrossSitePostsAreRefused, "back-channel logout": TestBackChannelLogoutEndsExactlyThose,
		"back-channel refusals": TestBackChannelLogoutRefusals, "no sid": TestLogoutOfSessionsWithoutSID, "userinfo": TestRefreshRenewsUserInfo, "link": TestLink, "nobody": TestSessionOfNobody, "nobody linked": TestNobodyIsLinkedToAPerson,
	} {
		t.Run(name, test)
	}
}

// asks makes one request with the cookies of an earlier moment.
func (b *browser) asks(cookies map[string]string) page {
	b.t.Helper()
	var pairs []string
	for name, value := range cookies {
		pairs = append(pairs, name+"="+value)
	}
	return b.site.browser().ask("/session", nil, "Cookie", strings.Join(pairs, "; "))
}

func TestSessionInCookiesNeedsNoStore(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	b := s.browser()
	b.login("/login/op")
	before := b.session()
	require.NotNil(t, before)
	memory := s.h.sessions.(*Memory)
	assert.Empty(t, memory.sessions.items, "nothing has changed since the login")

	s.h.sessions = NewMemory(s.clock.Now) // as after a restart
	assert.Equal(t, before, b.session())

	old := b.cookies()
	s.clock.Advance(10 * time.Minute)
	require.NotNil(t, b.session())
	assert.NotEqual(t, old, b.cookies(), "using it moves its idle end, and so its cookie")
	s.clock.Advance(25 * time.Minute)
	assert.Equal(t, http.StatusUnauthorized, b.asks(old).StatusCode, "the old cookie was idle")
	assert.NotNil(t, b.session())
}

// A tab that still has the cookie from before a refresh gets the newer tokens, and
// the newer cookie.
func TestOldCookieAfterRefresh(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	b := s.browser()
	b.login("/login/op")
	old := b.cookies()
	s.clock.Advance(time.Minute)
	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
	fresh := b.session()
	p := b.asks(old)
	require.Equal(t, http.StatusOK, p.StatusCode)
	assert.Equal(t, fresh, p.json(t))
	require.NotEmpty(t, p.Cookies())
	assert.Equal(t, "__Host-rely-session", p.Cookies()[0].Name)
	assert.Equal(t, 1, s.sent("refresh_token"))

	b.send(http.MethodPost, "/logout", "")
	assert.Equal(t, http.StatusUnauthorized, b.asks(old).StatusCode, "a logout ends all copies")
}

func TestLogoutEndsCopies(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	b := s.browser()
	b.login("/login/op")
	old := b.cookies()
	require.Equal(t, http.StatusOK, b.asks(old).StatusCode)
	b.send(http.MethodPost, "/logout", "")
	assert.Equal(t, http.StatusUnauthorized, b.asks(old).StatusCode)
	again := s.browser()
	again.login("/login/op")
	before := again.cookies()
	again.login("/login/op")
	assert.Equal(t, http.StatusUnauthorized, again.asks(before).StatusCode, "and so does the next login")
	assert.NotNil(t, again.session())
}

func TestSessionInSeveralCookies(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	defer s.ops["op"].OnToken(nil)
	pad := func(size int) {
		s.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["pad"] = strings.Repeat("x", size) })
	}
	pad(5000)
	b := s.browser()
	require.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
	cookies := b.cookies()
	assert.NotEmpty(t, cookies["__Host-rely-session-2"])
	require.NotNil(t, b.session())
	for name, value := range cookies {
		assert.LessOrEqual(t, len(name)+len(value), 4096)
	}
	pad(0)
	b.login("/login/op")
	require.NotNil(t, b.session(), "leftover parts are in nobody's way")
	b.send(http.MethodPost, "/logout", "")
	delete(cookies, "__Host-rely-logout")
	left := b.cookies()
	delete(left, "__Host-rely-logout")
	assert.Empty(t, left)

	pad(20_000)
	p := s.browser().login("/login/op")
	assert.Equal(t, http.StatusInternalServerError, p.StatusCode)
	assert.Contains(t, s.log.String(), "needs a store")
}

// What a refresh has made too long for cookies is in its record.
func TestSessionGrowsOutOfItsCookies(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	defer s.ops["op"].OnToken(nil)
	b := s.browser()
	b.login("/login/op")
	before := b.cookies()["__Host-rely-session"]
	s.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["pad"] = strings.Repeat("x", 20_000) })
	for range 2 {
		require.Equal(t, http.StatusOK, b.ask("/refresh", url.Values{}, "Accept", "application/json").StatusCode)
		assert.Equal(t, before, b.cookies()["__Host-rely-session"])
		assert.NotNil(t, b.session())
	}
	assert.EqualValues(t, 2, s.h.must(t, b).refreshes)
}

// A good session in more parts than there may be is none.
func TestSessionInTooManyCookies(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	b := s.browser()
	b.login("/login/op")
	text := strings.TrimPrefix(b.cookies()["__Host-rely-session"], "1.")
	cut := func(parts int) map[string]string {
		cookies, rest := map[string]string{}, text
		for i := range parts {
			part := rest
			if i < parts-1 {
				part = rest[:len(text)/parts]
			}
			rest = rest[len(part):]
			if i == 0 {
				part = strconv.Itoa(parts) + "." + part
			}
			cookies[s.h.partCookie(i)] = part
		}
		return cookies
	}
	assert.Equal(t, http.StatusOK, b.asks(cut(maxParts)).StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.asks(cut(maxParts+1)).StatusCode)
}

// What Require finds is written back before the page answers.
func TestRequireRenewsCookie(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = true }})
	b := s.browser()
	b.login("/login/op")
	page := s.h.Require(Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	ask := func() *http.Response {
		r := httptest.NewRequest(http.MethodGet, "/account", nil)
		r.Header.Set("Cookie", "__Host-rely-session="+b.cookies()["__Host-rely-session"])
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		return w.Result()
	}
	assert.Empty(t, ask().Cookies(), "it was used just now")
	s.clock.Advance(10 * time.Minute)
	assert.Len(t, ask().Cookies(), 1)
}

// Nothing that was not sealed here opens, however it is cut up.
func FuzzSessionCookie(f *testing.F) {
	client, err := oidcclient.New(oidcclient.Config{
		Issuer: "https://op.example", ClientID: "c", RedirectURI: "https://rp.example/callback/op", AuthMethod: "none",
		Profile:  oidcclient.Profile{Name: "fuzz", Scopes: []string{"openid"}},
		Provider: &oidcclient.ProviderMetadata{AuthorizationEndpoint: "https://op.example/a", TokenEndpoint: "https://op.example/t", JWKSURI: "https://op.example/j"},
	})
	require.NoError(f, err)
	h, err := New(Config{BaseURL: "https://rp.example", Clients: map[string]*oidcclient.Client{"op": client}, SessionsInCookies: true})
	require.NoError(f, err)
	cases, err := corpus.Cookie().Load(corpus.Files())
	require.NoError(f, err)
	for _, c := range cases {
		if c.Field("at") == "cookies" {
			f.Add(c.Input)
		}
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		assert.Zero(t, h.presented(r))
	})
}
