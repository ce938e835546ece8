package weblogin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// shaky is a store whose Put goes wrong as each of turns says, in order.
type shaky struct {
	*Memory
	mu    sync.Mutex // guards turns
	turns []func(put func() error) error
}

func (s *shaky) Put(ctx context.Context, r Record) error {
	s.mu.Lock()
	var turn func(func() error) error
	if len(s.turns) > 0 {
		turn, s.turns = s.turns[0], s.turns[1:]
	}
	s.mu.Unlock()
	put := func() error { return s.Memory.Put(ctx, r) }
	if turn == nil {
		return put()
	}
	return turn(put)
}

// newShaky logs in, and lets the puts after that go wrong.
func newShaky(t *testing.T, turns ...func(put func() error) error) (*site, *browser, *shaky) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	store := &shaky{Memory: s.h.sessions.(*Memory), turns: turns}
	s.use(s.replica("", func(c *Config) { c.Sessions = store }))
	return s, b, store
}

var errCut = errors.New("connection was cut")

// A store that goes away when the provider has just rotated loses nothing.
func TestRotatedTokensOutlastTheStore(t *testing.T) {
	fails := func(func() error) error { return errCut }
	lost := func(put func() error) error { return errors.Join(put(), errCut) }
	for name, turns := range map[string][]func(func() error) error{
		"away for a while":                    {fails, fails, fails},
		"answer lost":                         {lost},
		"away, and then the answer lost":      {fails, lost, fails},
		"answer lost again and again":         {lost, lost, lost},
		"nothing wrong":                       nil,
		"away when the lease is taken again":  {lost, fails},
		"answer lost after the lease was new": {fails, lost, lost},
	} {
		t.Run(name, func(t *testing.T) {
			s, b, _ := newShaky(t, turns...)
			before := s.h.must(t, b)
			p := b.send(http.MethodPost, "/refresh", "")
			require.Equal(t, http.StatusOK, p.StatusCode, p.body)
			now := s.h.must(t, b)
			assert.Equal(t, int64(1), now.refreshes)
			assert.NotEqual(t, before.Login.Token().RefreshToken, now.Login.Token().RefreshToken)
			assert.Equal(t, 1, s.sent("refresh_token"))
			assert.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode, "the stored ones go on")
		})
	}
}

// A holder that is paused until its lease is over stores nothing under it, but
// does not lose what it has got either.
func TestLeaseRunsOutBeforeThePut(t *testing.T) {
	var s *site
	var b *browser
	s, b, _ = newShaky(t, func(put func() error) error {
		s.clock.Advance(leaseLasts)
		key := b.presented().key
		_, err := s.h.sessions.Lease(t.Context(), key, "somebody else", time.Second)
		require.NoError(t, err)
		err = put()
		assert.ErrorIs(t, err, ErrConflict, "the version is the fencing value")
		go s.clock.Advance(2 * time.Second) // and that one does nothing
		return err
	})
	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
	assert.Equal(t, int64(1), s.h.must(t, b).refreshes)
	assert.Equal(t, 1, s.sent("refresh_token"))
}

// When somebody else has refreshed under a later lease, what is stored counts.
func TestLeaseRunsOutAndSomebodyElseRefreshes(t *testing.T) {
	var s *site
	var b *browser
	var theirs string
	s, b, _ = newShaky(t, func(put func() error) error {
		s.clock.Advance(leaseLasts)
		other := s.replica("", nil)
		record, err := s.h.sessions.Lease(t.Context(), b.presented().key, other.replica, leaseLasts)
		require.NoError(t, err)
		session, err := other.openLive(t.Context(), record)
		require.NoError(t, err)
		session.refreshes++
		require.NoError(t, other.put(t.Context(), session))
		theirs = session.Login.Token().AccessToken
		return put()
	})
	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
	assert.Equal(t, theirs, s.h.must(t, b).Login.Token().AccessToken)
}

// What the provider refuses to a holder whose lease is over does not end the
// session of the next holder.
func TestLateRefusalEndsNothing(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	seen := s.h.must(t, b)
	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
	late := *seen // leased before the refresh, and asking only now
	late.version++
	_, err := s.h.clients["op"].Refresh(t.Context(), late.Login)
	require.Error(t, err, "the provider has rotated")
	got, err := s.h.refusedAtProvider(t.Context(), &late, asError(t, err))
	require.NoError(t, err)
	assert.Equal(t, int64(1), got.refreshes)
	assert.NotNil(t, b.session())
}

func TestShutdownWaitsForTokens(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, b, _ := newShaky(t, func(put func() error) error {
		close(entered)
		<-leave
		return put()
	})
	assert.NoError(t, s.h.Shutdown(t.Context()))
	seen := s.h.must(t, b)
	gone, giveUp := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.h.refreshed(gone, seen, time.Time{})
		done <- err
	}()
	<-entered
	giveUp()
	assert.ErrorIs(t, <-done, context.Canceled, "the browser is gone")
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, s.h.Shutdown(short), context.DeadlineExceeded)
	close(leave)
	assert.NoError(t, s.h.Shutdown(t.Context()))
	assert.Equal(t, int64(1), s.h.must(t, b).refreshes)
}

// leaseLost leases, and loses the answer once.
type leaseLost struct {
	*Memory
	lost bool
}

func (l *leaseLost) Lease(ctx context.Context, key, holder string, lasts time.Duration) (Record, error) {
	r, err := l.Memory.Lease(ctx, key, holder, lasts)
	if !l.lost {
		l.lost = true
		return Record{}, errors.Join(err, errCut)
	}
	return r, err
}

// A lease that was given, though nobody was told, is the same process's at the
// next attempt, and in others' way until it is over.
func TestAnswerToTheLeaseIsLost(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	seen := s.h.must(t, b)
	other := s.replica("", nil)
	s.use(s.replica("", func(c *Config) { c.Sessions, c.Replay = &leaseLost{Memory: s.memory()}, s.memory() }))
	assert.Equal(t, http.StatusServiceUnavailable, b.send(http.MethodPost, "/refresh", "").StatusCode)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := other.refreshed(short, seen, time.Time{})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, s.sent("refresh_token"))
	assert.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
	assert.Equal(t, 1, s.sent("refresh_token"))
	assert.NoError(t, other.Shutdown(t.Context()))
}

// A store that has lost what it had acknowledged, as after a failover, does not
// bring a used refresh token back while somebody has the newer one.
func TestStoreThatForgot(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
		b := s.browser()
		b.login("/login/op")
		require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
		key := b.presented().key
		backup := *s.memory().sessions.items[key]
		require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/refresh", "").StatusCode)
		seen := s.h.must(t, b)
		*s.memory().sessions.items[key] = backup
		if cookies {
			assert.Equal(t, int64(2), s.h.must(t, b).refreshes, "the cookie is newer")
		}
		fresh, err := s.h.refreshed(t.Context(), seen, time.Time{})
		require.NoError(t, err)
		assert.Equal(t, int64(3), fresh.refreshes)
		assert.Equal(t, fresh.Login.Token(), s.h.must(t, b).Login.Token())
	}
}

// panicking is a store that panics.
type panicking struct{ *Memory }

func (p *panicking) Lease(context.Context, string, string, time.Duration) (Record, error) {
	panic("secret")
}

func TestPanicOfAStoreEndsNothingElse(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	s.use(s.replica("", func(c *Config) { c.Sessions, c.Replay = &panicking{s.memory()}, s.memory() }))
	p := b.send(http.MethodPost, "/refresh", "")
	assert.Equal(t, http.StatusInternalServerError, p.StatusCode)
	assert.NotContains(t, p.body+s.log.String(), "secret")
	assert.Contains(t, s.log.String(), "panic of type string")
	assert.NotNil(t, b.session())
}

func TestOneRecordForAnOutage(t *testing.T) {
	s := newSite(t, rig{})
	broken := &brokenStore{Memory: s.memory(), failing: "load"}
	b := s.browser()
	b.login("/login/op")
	s.use(s.replica("", func(c *Config) { c.Sessions = broken }))
	for range 20 {
		b.ask("/session", nil)
	}
	assert.Equal(t, 1, strings.Count(s.log.String(), "session store failed"))
	s.clock.Advance(troubleRests)
	b.ask("/session", nil)
	assert.Equal(t, 2, strings.Count(s.log.String(), "session store failed"))
	assert.Contains(t, s.log.String(), "silent=19")
}

// prolonged counts how often a lease was taken.
type prolonged struct {
	*Memory
	n atomic.Int32
}

func (p *prolonged) Lease(ctx context.Context, key, holder string, lasts time.Duration) (Record, error) {
	p.n.Add(1)
	return p.Memory.Lease(ctx, key, holder, lasts)
}

// A holder that waits for a slow provider keeps its lease, and the version with
// it; nothing is left behind when it is done.
func TestLeaseIsHeldWhileTheProviderIsAsked(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	store := &prolonged{Memory: s.memory()}
	s.use(s.replica("", func(c *Config) { c.Sessions, c.Replay = store, s.memory() }))
	s.h.leaseRenews = 10 * time.Millisecond
	entered, leave := make(chan struct{}), make(chan struct{})
	s.ops["op"].OnToken(func(*oidctest.Issue) { close(entered); <-leave })
	done := make(chan page)
	go func() { done <- b.send(http.MethodPost, "/refresh", "") }()
	<-entered
	require.Eventually(t, func() bool { return store.n.Load() >= 3 }, 10*time.Second, time.Millisecond)
	close(leave)
	assert.Equal(t, http.StatusOK, (<-done).StatusCode)
	assert.Equal(t, int64(1), s.h.must(t, b).refreshes)
	assert.Equal(t, 1, s.sent("refresh_token"))
}
