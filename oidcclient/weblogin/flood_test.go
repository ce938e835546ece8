package weblogin

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// T31: however many logins are begun, nothing of them stays behind.
func TestFloodOfBegunLoginsTakesNoMemory(t *testing.T) {
	const workers, each = 64, 300
	s := newCorpusSite(t, corpusMoment, false)
	s.Handler.log = slog.New(slog.DiscardHandler)
	begin := func() {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login/op", nil))
		assert.Equal(t, http.StatusSeeOther, w.Code)
	}
	begin()
	before := heapInUse()
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range each {
				begin()
			}
		})
	}
	wait.Wait()
	assert.Less(t, heapInUse(), before+1<<20, "50 bytes for each login at the most")
	assert.Empty(t, s.memory.sessions.items)
	assert.Empty(t, s.memory.marks.items)
	assert.Zero(t, s.asked)
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// T40: an id that the browser had before the login, ours or an attacker's, is
// worth nothing after it, and the callback in another browser is refused.
func TestSessionIDIsNewWithEachLogin(t *testing.T) {
	const name = "__Host-rely-session"
	s := newSite(t, rig{})
	b := s.browser()
	require.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
	first := b.cookies()[name]
	require.NotEmpty(t, first)
	require.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
	assert.NotEqual(t, first, b.cookies()[name])
	assert.Equal(t, http.StatusUnauthorized, s.browser().ask("/session", nil, "Cookie", name+"="+first).StatusCode, "the old id has ended")

	planted := newRandom()
	victim := s.browser()
	u, err := url.Parse(s.url)
	require.NoError(t, err)
	victim.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: planted, Path: "/", Secure: true}})
	require.Equal(t, http.StatusSeeOther, victim.login("/login/op").StatusCode)
	assert.NotEqual(t, planted, victim.cookies()[name])
	assert.Equal(t, http.StatusUnauthorized, s.browser().ask("/session", nil, "Cookie", name+"="+planted).StatusCode)

	target, _ := s.browser().start("/login/op")
	stranger := s.browser()
	assert.Equal(t, http.StatusBadRequest, stranger.ask(target, nil).StatusCode)
	assert.Nil(t, stranger.session())
}

// T60: a request is let through for its session and for nothing else: neither a
// way of writing its path nor a header makes another rule apply.
func TestRequireLooksAtNothingButTheSession(t *testing.T) {
	s := newCorpusSite(t, corpusMoment, false)
	reached := false
	protected := s.Require(Requirement{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for _, target := range []string{
		"/account", "//account", "/./account", "/login/op", "/login/op/../../account", "/callback/op", "/session", "/%2faccount", "/login%2fop",
		"/account?/login/op", "/account?return_to=/login/op", "/account%23/login/op", "/account%3f/login/op", "/account;/login/op", "/favicon.ico", "/robots.txt",
	} {
		for _, header := range []string{"X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL", "X_Forwarded_Uri", "X-Forwarded-User", "X_Forwarded_User", "X-Auth-Request-User", "User-Agent"} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
				r := httptest.NewRequest(method, target, nil)
				r.Header[header] = []string{"/login/op"}
				w := httptest.NewRecorder()
				protected.ServeHTTP(w, r)
				assert.False(t, reached, "%s %s with %s", method, target, header)
				assert.Contains(t, []int{http.StatusUnauthorized, http.StatusSeeOther}, w.Code)
				location := w.Header().Get("Location")
				assert.True(t, location == "" || strings.HasPrefix(location, s.loginPath+"?return_to="), "%q", location)
			}
		}
	}
}

// T60: routes are matched by the parsed path only.
func TestRoutesMatchTheParsedPathOnly(t *testing.T) {
	s := newCorpusSite(t, corpusMoment, false)
	for _, target := range []string{
		"/x?/login/op", "/x%3f/login/op", "/x%23/login/op", "/login%2fop", "/%2flogin/op", "/login/op/", "/LOGIN/op", "/login/op%00", "/login/op%2f..", "/login/OP", "/login/op;x",
	} {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("X-Forwarded-Uri", "/login/op")
		r.Header.Set("X-Original-Url", "/login/op")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		assert.Equal(t, http.StatusNotFound, w.Code, "%s", target)
		assert.Empty(t, w.Header().Values("Set-Cookie"), "%s", target)
	}
}
