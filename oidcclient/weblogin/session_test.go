package weblogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// freshClients makes a second set of a site's clients, as another process has.
func freshClients(t *testing.T, s *site) map[string]*oidcclient.Client {
	t.Helper()
	clients := map[string]*oidcclient.Client{}
	for id, op := range s.ops {
		config, err := relying.Config(op)
		require.NoError(t, err)
		config.Clock = s.clock.Now
		clients[id], err = oidcclient.New(config)
		require.NoError(t, err)
	}
	return clients
}

func TestSessionEnds(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.IdleTimeout, c.Lifetime = 10*time.Minute, time.Hour }})
	b := s.browser()
	b.login("/login/op")
	s.clock.Advance(10*time.Minute - time.Second)
	require.NotNil(t, b.session(), "it is used in time")
	s.clock.Advance(10 * time.Minute)
	assert.Nil(t, b.session(), "it was idle")

	b.login("/login/op")
	for range 11 {
		s.clock.Advance(5 * time.Minute)
		require.NotNil(t, b.session())
	}
	s.clock.Advance(5 * time.Minute)
	assert.Nil(t, b.session(), "an hour is over, used or not")
}

func TestSessionEndsAlsoInASlowStore(t *testing.T) {
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	stuck := time.Now()
	memory := NewMemory(func() time.Time { return stuck })
	s := newSite(t, rig{config: func(c *Config) { c.Sessions, c.Sealer = memory, sealer }})
	b := s.browser()
	b.login("/login/op")
	require.NotNil(t, b.session())
	s.clock.Advance(31 * time.Minute)
	assert.Nil(t, b.session(), "the store still has it")
}

func TestSessionSaysWhatWasChecked(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", "__Host-rely-session="+b.cookies()["__Host-rely-session"])
	session, err := s.h.Session(r)
	require.NoError(t, err)
	made := map[string]bool{}
	for _, outcome := range session.Checks() {
		made[outcome.Check.String()] = outcome.Made
	}
	for _, name := range []string{"signature", "iss", "aud", "exp", "nonce", "at_hash"} {
		assert.True(t, made[name], name)
	}
	assert.False(t, made["nbf"], "there was none")
	assert.WithinDuration(t, s.clock.Now().Add(8*time.Hour), session.EndsAt, time.Minute)
	assert.WithinDuration(t, s.clock.Now().Add(30*time.Minute), session.ExpiresAt, time.Minute)
}

func TestSessionCookieThatIsNone(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	value := b.cookies()["__Host-rely-session"]
	const name = "__Host-rely-session="
	for _, header := range []string{
		"", name, name + "x", name + value[:42], name + value + "A", name + strings.Repeat("A", 43), name + strings.Repeat("!", 43),
		name + value + "; " + name + value, "rely-session=" + value, name + strings.ToLower(value),
	} {
		p := s.browser().ask("/session", nil, "Cookie", header)
		assert.Equal(t, http.StatusUnauthorized, p.StatusCode, "%q", header)
	}
	assert.NotNil(t, b.session())
}

func TestStoredSessionsAreSealedAndBound(t *testing.T) {
	memory := NewMemory(nil)
	key := make([]byte, oidcclient.SealerKeySize)
	sealer, err := oidcclient.NewSealer(key)
	require.NoError(t, err)
	s := newSite(t, rig{config: func(c *Config) { c.Sessions, c.Sealer = memory, sealer }})
	memory.now = s.clock.Now
	one, two := s.browser(), s.browser()
	one.login("/login/op")
	two.login("/login/op")
	require.Len(t, memory.sessions.items, 2)
	var records []*Record
	for _, i := range memory.sessions.items {
		records = append(records, &i.record)
		text := fmt.Sprint(i.record)
		assert.NotContains(t, text, s.ops["op"].Persons()[0].Subject)
		assert.NotContains(t, text, one.cookies()["__Host-rely-session"])
		assert.NotContains(t, text, "eyJhbGciOi")
	}
	records[0].Data, records[1].Data = records[1].Data, records[0].Data
	assert.Nil(t, one.session(), "a record is bound to its key")
	assert.Nil(t, two.session())
	records[0].Data, records[1].Data = records[1].Data, records[0].Data
	assert.NotNil(t, one.session())

	for _, r := range records {
		r.ExpiresAt = s.clock.Now().Add(1000 * time.Hour)
	}
	s.clock.Advance(9 * time.Hour)
	assert.Nil(t, one.session(), "a store can't make a session live longer")
	s.clock.Advance(-9 * time.Hour)
	require.NotNil(t, one.session())

	rotated, err := oidcclient.NewSealer([]byte(strings.Repeat("k", 32)), key)
	require.NoError(t, err)
	s.h.sealer = rotated
	assert.NotNil(t, one.session(), "an old key still opens")
	s.h.sealer, err = oidcclient.NewSealer([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	assert.Nil(t, one.session(), "a key that is gone does not")
}

// brokenStore fails where it is told to.
type brokenStore struct {
	*Memory
	failing string
}

var errBroken = errors.New("broken")

func (b *brokenStore) fails(operation string) error {
	if b.failing == operation {
		return errBroken
	}
	return nil
}

func (b *brokenStore) Put(ctx context.Context, r Record) error {
	return errors.Join(b.fails("put"), b.Memory.Put(ctx, r))
}

func (b *brokenStore) Load(ctx context.Context, keys ...string) ([]Record, error) {
	r, err := b.Memory.Load(ctx, keys...)
	return r, errors.Join(b.fails("load"), err)
}

func (b *brokenStore) Extend(ctx context.Context, key string, until time.Time) error {
	return errors.Join(b.fails("extend"), b.Memory.Extend(ctx, key, until))
}

func (b *brokenStore) Delete(ctx context.Context, key string, version int64) error {
	return errors.Join(b.fails("delete"), b.Memory.Delete(ctx, key, version))
}

func (b *brokenStore) DeleteNamed(ctx context.Context, names ...string) (int, error) {
	n, err := b.Memory.DeleteNamed(ctx, names...)
	return n, errors.Join(b.fails("named"), err)
}

func (b *brokenStore) Once(ctx context.Context, key string, until time.Time) (bool, error) {
	ok, err := b.Memory.Once(ctx, key, until)
	return ok, errors.Join(b.fails("once"), err)
}

func TestStoreOutOfOrder(t *testing.T) {
	store := &brokenStore{Memory: NewMemory(nil)}
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	s := newSite(t, rig{config: func(c *Config) { c.Sessions, c.Sealer = store, sealer }})
	store.now = s.clock.Now
	b := s.browser()
	unavailable := func(p page) {
		t.Helper()
		assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode, p.body)
		assert.NotEmpty(t, p.Header.Get("Retry-After"))
		assert.NotContains(t, p.body, "broken")
	}
	for _, operation := range []string{"once", "put"} {
		store.failing = operation
		unavailable(b.login("/login/op"))
		assert.Empty(t, b.cookies()["__Host-rely-session"])
	}
	store.failing = ""
	require.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
	store.failing = "load"
	unavailable(b.ask("/session", nil))
	unavailable(b.ask("/refresh", url.Values{}))
	unavailable(b.ask("/logout", url.Values{}))
	store.failing = "extend"
	s.clock.Advance(20 * time.Minute)
	assert.NotNil(t, b.session(), "it is good now")
	store.failing = "delete"
	unavailable(b.ask("/logout", url.Values{}))
	store.failing = "named"
	token, err := s.ops["op"].LogoutToken(s.ops["op"].Persons()[0].Subject, "")
	require.NoError(t, err)
	unavailable(b.ask("/backchannel-logout/op", url.Values{"logout_token": {token}}))
	unavailable(b.ask("/frontchannel-logout/op?sid=x&iss="+url.QueryEscape(s.ops["op"].Issuer()), nil))
	assert.Contains(t, s.log.String(), "session store failed")
}

func TestRequire(t *testing.T) {
	s := newSite(t, rig{})
	protected := s.h.Require(Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := s.h.Session(r)
		if assert.NoError(t, err) {
			_, _ = w.Write([]byte(session.Login.Subject()))
		}
	}))
	ask := func(method, target, cookie, accept string) *http.Response {
		r := httptest.NewRequest(method, target, nil)
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		return w.Result()
	}
	p := ask("GET", "/account?a=b", "", "text/html")
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Equal(t, "/login/op?return_to=%2Faccount%3Fa%3Db", p.Header.Get("Location"))
	assert.Equal(t, http.StatusUnauthorized, ask("GET", "/account", "", "application/json").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, ask("POST", "/account", "", "text/html").StatusCode)

	b := s.browser()
	b.login("/login/op")
	p = ask("POST", "/account", "__Host-rely-session="+b.cookies()["__Host-rely-session"], "text/html")
	assert.Equal(t, http.StatusOK, p.StatusCode)
}
