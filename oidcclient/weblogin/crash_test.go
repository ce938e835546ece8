package weblogin

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// fate is the store and the network of one replica, which ends where it is told
// to: the goroutine that gets there does nothing more, as if the process were
// killed.
type fate struct {
	*Memory
	point string // "lease", "put", "delete", "named" or "token", with "before " or "after " in front

	mu   sync.Mutex // guards dead
	dead bool
}

// reach ends the goroutine at the point, and wherever a dead replica would go on.
func (f *fate) reach(point string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead || point == f.point {
		f.dead = true
		runtime.Goexit()
	}
}

func (f *fate) Lease(ctx context.Context, key, holder string, lasts time.Duration) (Record, error) {
	f.reach("before lease")
	r, err := f.Memory.Lease(ctx, key, holder, lasts)
	f.reach("after lease")
	return r, err
}

func (f *fate) Put(ctx context.Context, r Record) error {
	f.reach("before put")
	err := f.Memory.Put(ctx, r)
	f.reach("after put")
	return err
}

func (f *fate) Delete(ctx context.Context, key string, version int64) error {
	f.reach("before delete")
	err := f.Memory.Delete(ctx, key, version)
	f.reach("after delete")
	return err
}

func (f *fate) DeleteNamed(ctx context.Context, names ...string) (int, error) {
	f.reach("before named")
	n, err := f.Memory.DeleteNamed(ctx, names...)
	f.reach("after named")
	return n, err
}

func (f *fate) Once(ctx context.Context, key string, until time.Time) (bool, error) {
	f.reach("before once")
	first, err := f.Memory.Once(ctx, key, until)
	f.reach("after once")
	return first, err
}

// RoundTrip is the way to the provider.
func (f *fate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		f.reach("before token")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if r.Method == http.MethodPost {
		f.reach("after token")
	}
	return resp, err
}

// replica makes another Handler of a site over the same memory, which ends at the
// given point.
func (s *site) replica(point string, change func(*Config)) *Handler {
	s.t.Helper()
	f := &fate{Memory: s.memory(), point: point}
	config := Config{BaseURL: s.url, Clock: s.clock.Now, Sealer: s.h.sealer, Sessions: f, SessionsInCookies: s.h.inCookies, Logger: s.h.log, Clients: map[string]*oidcclient.Client{}}
	for id, op := range s.ops {
		client, err := relying.Config(op)
		require.NoError(s.t, err)
		client.Clock, client.HTTPClient, client.PostLogoutRedirectURI = s.clock.Now, &http.Client{Transport: f}, s.url+"/"
		config.Clients[id], err = oidcclient.New(client)
		require.NoError(s.t, err)
	}
	if change != nil {
		change(&config)
	}
	h, err := New(config)
	require.NoError(s.t, err)
	return h
}

// memory is where the site's sessions are in the end.
func (s *site) memory() *Memory {
	switch store := s.h.sessions.(type) {
	case *fate:
		return store.Memory
	case *shaky:
		return store.Memory
	}
	return s.h.sessions.(*Memory)
}

// try sends one request that may end without an answer.
func (b *browser) try(method, path string, form ...string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(strings.Join(form, "")))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if resp, err := b.client.Do(r); err == nil {
		_ = resp.Body.Close()
	}
}

// Each point at which a replica can end while it refreshes, and what another one
// finds there afterwards: the table of SESSIONS.md.
func TestCrashDuringRefresh(t *testing.T) {
	for _, tt := range []struct {
		point   string
		asked   int // requests to the provider in all
		strict  int // the answer of the next refresh where a second use ends the login
		lenient int // and where the old refresh token stays good
	}{
		{"before lease", 1, http.StatusOK, http.StatusOK},
		{"after lease", 1, http.StatusOK, http.StatusOK},
		{"before token", 1, http.StatusOK, http.StatusOK},
		{"after token", 2, http.StatusUnauthorized, http.StatusOK},
		{"before put", 2, http.StatusUnauthorized, http.StatusOK},
		{"after put", 2, http.StatusOK, http.StatusOK}, // the next one is a refresh of its own
	} {
		for _, cookies := range []bool{false, true} {
			for system, want := range map[oidctest.System]int{oidctest.Generic: tt.strict, oidctest.Faces: tt.lenient} {
				name := tt.point + " at " + system.String()
				if cookies {
					name += " in cookies"
				}
				t.Run(name, func(t *testing.T) {
					s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {System: system}}, config: func(c *Config) { c.SessionsInCookies = cookies }})
					b := s.browser()
					b.login("/login/op")
					person := b.session()["subject"]
					survivor := s.replica("", nil)
					point := tt.point
					if cookies && point == "before put" {
						// The first put is the session's way into the store.
						require.NoError(t, s.h.enter(t.Context(), s.h.must(t, b)))
					}
					s.use(s.replica(point, nil))
					b.try(http.MethodPost, "/refresh")
					s.use(survivor)
					s.clock.Advance(leaseLasts)
					p := b.send(http.MethodPost, "/refresh", "", "Accept", "application/json")
					require.Equal(t, want, p.StatusCode, "%.200s", p.body)
					asked := tt.asked
					if cookies && point == "after put" {
						asked = 1 // it ended when the session had entered the store
					}
					assert.Equal(t, asked, s.sent("refresh_token"))
					if want == http.StatusOK {
						assert.Equal(t, person, b.session()["subject"])
					} else {
						assert.Nil(t, b.session())
					}
				})
			}
		}
	}
}

// must returns the session of a browser.
func (h *Handler) must(t *testing.T, b *browser) *Session {
	t.Helper()
	s, err := h.load(t.Context(), b.presented())
	require.NoError(t, err)
	return s
}

// While a lease lasts whose holder is gone, others wait, and give up without
// harm.
func TestLeaseOfTheDeadIsWaitedFor(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	seen := s.h.must(t, b)
	survivor := s.replica("", nil)
	s.use(s.replica("after lease", nil))
	b.try(http.MethodPost, "/refresh")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := survivor.refreshed(ctx, seen, time.Time{})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, s.sent("refresh_token"), "the holder may just be slow")
	s.clock.Advance(leaseLasts)
	fresh, err := survivor.refreshed(t.Context(), seen, time.Time{})
	require.NoError(t, err, "it goes on by itself")
	assert.Equal(t, int64(1), fresh.refreshes)
	assert.Equal(t, 1, s.sent("refresh_token"))
}

// A login can end at any point: the person logs in again, and an earlier session
// is the worse for it only once the new one is stored.
func TestCrashDuringLogin(t *testing.T) {
	for point, earlierLives := range map[string]bool{
		"before once": true, "after once": true, "before token": true, "after token": true,
		"before put": true, "after put": true, "before delete": true, "after delete": false,
	} {
		t.Run(point, func(t *testing.T) {
			s := newSite(t, rig{})
			b := s.browser()
			b.login("/login/op")
			target, _ := b.start("/login/op")
			survivor := s.replica("", nil)
			s.use(s.replica(point, nil))
			b.try(http.MethodGet, target[len(b.url):])
			s.use(survivor)
			assert.Equal(t, earlierLives, b.session() != nil)
			assert.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
			assert.NotNil(t, b.session())
		})
	}
}

// A logout that ended in the middle can be repeated.
func TestCrashDuringLogout(t *testing.T) {
	for point, lives := range map[string]bool{"before delete": true, "after delete": false} {
		s := newSite(t, rig{})
		b := s.browser()
		b.login("/login/op")
		survivor := s.replica("", nil)
		s.use(s.replica(point, nil))
		b.try(http.MethodPost, "/logout")
		s.use(survivor)
		assert.Equal(t, lives, b.session() != nil, point)
		assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "/logout", "").StatusCode)
		assert.Nil(t, b.session())
	}
}

// A logout token that arrived at a replica which ended is no replay when the
// provider sends it again, and only then.
func TestCrashDuringBackChannelLogout(t *testing.T) {
	for _, point := range []string{"before put", "after put", "before lease", "after lease", "before named", "after named"} {
		t.Run(point, func(t *testing.T) {
			s := newSite(t, rig{})
			b := s.browser()
			b.login("/login/op")
			token, err := s.ops["op"].LogoutToken("", sid(b))
			require.NoError(t, err)
			form := "logout_token=" + token
			post := func() int { return b.send(http.MethodPost, "/backchannel-logout/op", form).StatusCode }
			survivor := s.replica("", nil)
			s.use(s.replica(point, nil))
			b.try(http.MethodPost, "/backchannel-logout/op", form)
			s.use(survivor)
			s.clock.Advance(leaseLasts)
			assert.Equal(t, http.StatusOK, post())
			assert.Nil(t, b.session())
			assert.Equal(t, http.StatusBadRequest, post(), "now it is a replay")
		})
	}
}

// Linking gives the session a new id in two steps: after the first the browser
// still has the old one, and after the second it has to log in again.
func TestCrashDuringLinking(t *testing.T) {
	for point, lives := range map[string]bool{
		"before lease": true, "after lease": true, "before put": true, "after put": true, "before delete": true, "after delete": false,
	} {
		t.Run(point, func(t *testing.T) {
			s := newSite(t, rig{})
			b := s.browser()
			b.login("/login/op")
			_, target, _ := b.follow(b.ask("/login/op?link=1", url.Values{}), b.url+"/callback/")
			survivor := s.replica("", nil)
			s.use(s.replica(point, nil))
			b.try(http.MethodGet, target[len(b.url):])
			s.use(survivor)
			s.clock.Advance(leaseLasts)
			assert.Equal(t, lives, b.session() != nil)
			if lives {
				assert.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
			}
		})
	}
}
