package weblogin

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

func TestRefresh(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	assert.Equal(t, http.StatusUnauthorized, b.ask("/refresh", url.Values{}).StatusCode)
	b.login("/login/op")
	first, key := b.session(), b.presented().key
	for range 3 {
		s.clock.Advance(time.Minute)
		p := b.ask("/refresh", url.Values{})
		require.Equal(t, http.StatusOK, p.StatusCode, p.body)
		fresh := p.json(t)
		assert.Greater(t, fresh["expires_at"], first["expires_at"])
		assert.Equal(t, fresh, b.session(), "the new session was stored")
		assert.Equal(t, key, b.presented().key)
	}
	assert.Equal(t, 3, s.sent("refresh_token"), "each used the refresh token of the one before")

	p := b.send("POST", "/refresh", "{}", "Content-Type", "application/json")
	assert.Equal(t, http.StatusOK, p.StatusCode, "a body that is no form is nothing to read")
	p = b.ask("/refresh", url.Values{"return_to": {"/account"}})
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Equal(t, s.url+"/account", p.to(t))
	p = b.ask("/refresh", url.Values{"return_to": {"//e.example"}})
	assert.Equal(t, s.url+"/", p.to(t))
}

func TestRefreshTokenIsDead(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	s.ops["op"].Answer(oidctest.StepToken, oidctest.Reply{Status: 400, Body: `{"error":"invalid_grant"}`})
	p := b.ask("/refresh", url.Values{}, "Accept", "application/json")
	assert.Equal(t, http.StatusUnauthorized, p.StatusCode)
	code, _ := p.refusal(t)
	assert.Equal(t, "login_required", code)
	assert.Empty(t, b.cookies(), "the cookie is cleared")
	assert.Nil(t, b.session())
}

func TestRefreshDuringOutage(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	before := b.session()
	s.ops["op"].Down(true)
	p := b.ask("/refresh", url.Values{}, "Accept", "application/json")
	assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode)
	assert.NotEmpty(t, p.Header.Get("Retry-After"))
	s.ops["op"].Down(false)
	s.ops["op"].Answer(oidctest.StepToken, oidctest.Reply{Status: 200, ContentType: "text/html", Body: "<p>maintenance"})
	assert.Equal(t, http.StatusBadGateway, b.ask("/refresh", url.Values{}).StatusCode)
	assert.Equal(t, before, b.session(), "the session is kept")
	assert.Equal(t, http.StatusOK, b.ask("/refresh", url.Values{}).StatusCode)
}

func TestRefreshThatCannotBeVerifiedYetKeepsItsTokens(t *testing.T) {
	s := newSite(t, rig{config: func(c *Config) { c.IdleTimeout, c.Lifetime = 1000*time.Hour, 1000*time.Hour }})
	b := s.browser()
	b.login("/login/op")
	s.clock.Advance(7 * time.Hour) // the provider's refresh tokens live 8
	replica, err := New(Config{
		BaseURL: s.url, Clients: freshClients(t, s), Sealer: s.h.sealer, Sessions: s.h.sessions, Clock: s.clock.Now,
		IdleTimeout: 1000 * time.Hour, Lifetime: 1000 * time.Hour,
	})
	require.NoError(t, err)
	s.use(replica) // has no keys yet
	s.ops["op"].Answer(oidctest.StepKeys, oidctest.Reply{Status: 503})
	p := b.ask("/refresh", url.Values{}, "Accept", "application/json")
	require.Equal(t, http.StatusServiceUnavailable, p.StatusCode, p.body)
	s.clock.Advance(time.Minute)
	p = b.ask("/refresh", url.Values{})
	assert.Equal(t, http.StatusOK, p.StatusCode, "the rotated refresh token was stored: %s", p.body)
	assert.Equal(t, 2, s.sent("refresh_token"))
}

func TestRefreshOfAnotherPersonEndsTheSession(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	s.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["sub"] = "somebody else" })
	p := b.ask("/refresh", url.Values{}, "Accept", "application/json")
	assert.Equal(t, http.StatusUnauthorized, p.StatusCode)
	assert.Nil(t, b.session())
}

func TestRefreshFromSeveralTabsIsOne(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.ops["op"].OnToken(func(*oidctest.Issue) { once.Do(func() { close(entered); <-leave }) })
	var wait sync.WaitGroup
	ask := func() {
		p := b.ask("/refresh", url.Values{})
		assert.Equal(t, http.StatusOK, p.StatusCode, p.body)
	}
	wait.Go(ask)
	<-entered
	key := recordKey(b.cookies()["__Host-rely-session"])
	current, mine := s.h.turns.take(key, true, time.Time{})
	require.False(t, mine, "a refresh is being done")
	for range 10 {
		wait.Go(ask)
	}
	close(leave)
	<-current.done
	wait.Wait()
	assert.NotNil(t, b.session(), "no rotated refresh token was lost or used twice")
}

func TestLogoutDuringRefresh(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	value := b.cookies()["__Host-rely-session"]
	entered, leave := make(chan struct{}), make(chan struct{})
	s.ops["op"].OnToken(func(*oidctest.Issue) { close(entered); <-leave })
	done := make(chan page)
	go func() { done <- b.ask("/refresh", url.Values{}, "Accept", "application/json") }()
	<-entered
	assert.Equal(t, http.StatusSeeOther, b.ask("/logout", url.Values{}).StatusCode)
	close(leave)
	assert.Equal(t, http.StatusUnauthorized, (<-done).StatusCode)
	p := s.browser().ask("/session", nil, "Cookie", "__Host-rely-session="+value)
	assert.Equal(t, http.StatusUnauthorized, p.StatusCode, "a refresh brings no session back that has ended")
}

func TestCrossSitePostsAreRefused(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	for _, path := range []string{"/refresh", "/logout"} {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			p := b.ask(path, url.Values{}, append(header, "Accept", "application/json")...)
			assert.Equal(t, http.StatusForbidden, p.StatusCode, "%s %v", path, header)
			code, _ := p.refusal(t)
			assert.Equal(t, "cross_site", code)
		}
	}
	assert.NotNil(t, b.session())
	assert.Zero(t, s.sent("refresh_token"))
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", s.url}, {"Sec-Fetch-Site", "none"}} {
		assert.Equal(t, http.StatusOK, b.ask("/refresh", url.Values{}, header...).StatusCode, header)
	}
}

// A refresh brings userinfo up to date where the login had it; what can't be had, or is
// about somebody else, leaves what was known.
func TestRefreshRenewsUserInfo(t *testing.T) {
	s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) { c.UserInfo = true }})
	op, name := s.ops["op"], "Anna"
	op.OnToken(func(i *oidctest.Issue) {
		if i.Step == oidctest.StepUserInfo {
			i.Claims["name"] = name
		}
	})
	b := s.browser()
	b.login("/login/op")
	shown := func() any { return b.session()["userinfo"].(map[string]any)["name"] }
	require.Equal(t, "Anna", shown())
	name = "Anna Married"
	p := b.ask("/refresh", url.Values{})
	require.Equal(t, http.StatusOK, p.StatusCode, p.body)
	assert.Equal(t, "Anna Married", p.json(t)["userinfo"].(map[string]any)["name"])
	assert.Equal(t, "Anna Married", shown(), "and it is stored")
	for status, body := range map[int]string{503: "", 401: `{}`, 200: `{"sub":"somebody-else","name":"Mallory"}`} {
		op.Answer(oidctest.StepUserInfo, oidctest.Reply{Status: status, Body: body})
		p = b.ask("/refresh", url.Values{})
		require.Equal(t, http.StatusOK, p.StatusCode, p.body)
		assert.Equal(t, "Anna Married", shown(), "%d", status)
	}
	assert.Equal(t, 4, s.sent("refresh_token"), "each with the refresh token of the one before")
}

// What ended a session at a refresh is said: it need not be the provider's refusal.
func TestRefreshSaysWhatWasRefused(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	s.ops["op"].OnToken(func(i *oidctest.Issue) {
		if i.Claims != nil && i.Grant == "refresh_token" {
			i.Claims["aud"] = "another-client"
		}
	})
	p := b.ask("/refresh", url.Values{}, "Accept", "application/json")
	assert.Equal(t, http.StatusUnauthorized, p.StatusCode)
	_, description := p.refusal(t)
	assert.Contains(t, description, "aud")
}
