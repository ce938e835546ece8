package weblogin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// logins are the browsers of two persons at two providers, each person at "op"
// twice.
type logins struct {
	*site
	anna1, anna2, bo, other *browser
	anna                    string
}

func newLogins(t *testing.T) logins {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {}, "other": {}}})
	people := s.ops["op"].Persons()
	l := logins{site: s, anna1: s.browser(), anna2: s.browser(), bo: s.browser(), other: s.browser(), anna: people[0].Subject}
	l.anna1.login("/login/op")
	l.anna2.login("/login/op")
	l.other.login("/login/other")
	s.ops["op"].LoginAs(people[1].Subject)
	l.bo.login("/login/op")
	return l
}

func (l logins) alive() []bool {
	return []bool{l.anna1.session() != nil, l.anna2.session() != nil, l.bo.session() != nil, l.other.session() != nil}
}

func sid(b *browser) string {
	return b.session()["claims"].(map[string]any)["sid"].(string)
}

func TestBackChannelLogoutEndsExactlyThose(t *testing.T) {
	l := newLogins(t)
	op := l.ops["op"]
	post := func(subject, sid string) int {
		status, err := op.BackChannelLogout(t.Context(), subject, sid)
		require.NoError(t, err)
		return status
	}
	anna1 := sid(l.anna1)
	assert.Equal(t, http.StatusOK, post("nobody", anna1), "believed, though no session fits")
	assert.Equal(t, []bool{true, true, true, true}, l.alive(), "sid and sub have both to fit")
	assert.Equal(t, http.StatusOK, post(l.anna, anna1))
	assert.Equal(t, []bool{false, true, true, true}, l.alive())
	assert.Equal(t, http.StatusOK, post("", sid(l.bo)))
	assert.Equal(t, []bool{false, true, false, true}, l.alive())
	l.anna1.login("/login/op")
	op.LoginAs("")
	assert.Equal(t, http.StatusOK, post(l.anna, ""))
	assert.False(t, l.anna2.session() != nil)
	assert.NotNil(t, l.other.session(), "the same subject of another issuer is another person")
}

func TestBackChannelLogoutRefusals(t *testing.T) {
	l := newLogins(t)
	op := l.ops["op"]
	token := func(change func(*oidctest.Issue)) url.Values {
		op.OnToken(change)
		defer op.OnToken(nil)
		raw, err := op.LogoutToken(l.anna, "")
		require.NoError(t, err)
		return url.Values{"logout_token": {raw}}
	}
	set := func(name string, value any) func(*oidctest.Issue) {
		return func(i *oidctest.Issue) {
			i.Claims[name] = value
			if value == nil {
				delete(i.Claims, name)
			}
		}
	}
	idToken, err := l.h.load(t.Context(), l.anna1.presented())
	require.NoError(t, err)
	used := token(nil)
	b := l.browser()
	b.header = http.Header{} // a provider
	for name, form := range map[string]url.Values{
		"no token":        {"x": {"y"}},
		"two tokens":      {"logout_token": {used.Get("logout_token"), used.Get("logout_token")}},
		"no JWT":          {"logout_token": {"x"}},
		"an ID token":     {"logout_token": {idToken.Login.IDToken().Raw()}},
		"no event":        token(set("events", map[string]any{})),
		"wrong event":     token(set("events", map[string]any{"http://schemas.openid.net/event/other": map[string]any{}})),
		"a nonce":         token(set("nonce", "x")),
		"another issuer":  token(set("iss", "https://evil.example")),
		"another client":  token(set("aud", "somebody")),
		"no sub and sid":  token(set("sub", nil)),
		"no jti":          token(set("jti", nil)),
		"no iat":          token(set("iat", nil)),
		"expired":         token(set("exp", 1000)),
		"old":             token(func(i *oidctest.Issue) { i.Claims["iat"] = 1000; delete(i.Claims, "exp") }),
		"alg none":        token(func(i *oidctest.Issue) { i.Header["alg"] = "none" }),
		"alg HS256":       token(func(i *oidctest.Issue) { i.Header["alg"] = "HS256" }),
		"broken by a bit": token(func(i *oidctest.Issue) { i.Rewrite = func(s string) string { return s[:len(s)-4] + "AAAA" } }),
	} {
		p := b.ask("/backchannel-logout/op", form)
		assert.Equal(t, http.StatusBadRequest, p.StatusCode, "%s: %s", name, p.body)
		assert.Equal(t, "no-store", p.Header.Get("Cache-Control"), name)
		code, _ := p.refusal(t)
		assert.Equal(t, "invalid_request", code, name)
	}
	p := b.send("POST", "/backchannel-logout/op", `{"logout_token":"x"}`, "Content-Type", "application/json")
	assert.Equal(t, http.StatusBadRequest, p.StatusCode)
	p = b.ask("/backchannel-logout/op?"+used.Encode(), url.Values{"x": {"y"}})
	assert.Equal(t, http.StatusBadRequest, p.StatusCode, "the query is not the form")
	assert.Equal(t, []bool{true, true, true, true}, l.alive())

	p = b.ask("/backchannel-logout/op", used)
	assert.Equal(t, http.StatusOK, p.StatusCode, p.body)
	assert.Equal(t, "no-store", p.Header.Get("Cache-Control"))
	assert.Equal(t, []bool{false, false, true, true}, l.alive())
	l.ops["op"].LoginAs(l.anna)
	l.anna1 = l.browser()
	l.anna1.login("/login/op")
	p = b.ask("/backchannel-logout/op", used)
	_, text := p.refusal(t)
	assert.Equal(t, http.StatusBadRequest, p.StatusCode)
	assert.Contains(t, text, "refused: jti")
	assert.NotNil(t, l.anna1.session(), "a replay ends nothing")
}

func otherToken(t *testing.T, op *oidctest.Provider, subject string) string {
	t.Helper()
	raw, err := op.LogoutToken(subject, "")
	require.NoError(t, err)
	return raw
}

func TestBackChannelLogoutWhileKeysAreAway(t *testing.T) {
	l := newLogins(t)
	replica, err := New(Config{BaseURL: l.url, Clients: freshClients(t, l.site), Sealer: l.h.sealer, Sessions: l.h.sessions, Clock: l.clock.Now})
	require.NoError(t, err)
	l.use(replica)
	form := url.Values{"logout_token": {otherToken(t, l.ops["op"], l.anna)}}
	l.ops["op"].Down(true)
	b := l.browser()
	p := b.ask("/backchannel-logout/op", form)
	assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode)
	l.ops["op"].Down(false)
	assert.Equal(t, http.StatusOK, b.ask("/backchannel-logout/op", form).StatusCode, "the provider tries again with the same token")
	assert.Equal(t, []bool{false, false, true, true}, l.alive())
}

func TestLogoutWhileProviderIsDown(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	s.ops["op"].Down(true)
	p := b.ask("/logout", url.Values{})
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Nil(t, b.session(), "the session here is ended in any case")
	p = b.ask("/logout", url.Values{})
	assert.Equal(t, s.url+"/", p.to(t), "twice does no harm")
	s.clock.Advance(time.Second)
}

// A logout that the store did not take can be repeated, and ends the session everywhere.
func TestLogoutWhileStoreIsDown(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
		b := s.browser()
		b.login("/login/op")
		before := b.cookies()
		healthy := s.h
		s.use(s.replica("", func(c *Config) { c.Sessions = &stubborn{Memory: s.memory()} }))
		p := b.ask("/logout", url.Values{})
		assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode)
		s.use(healthy)
		require.NotNil(t, b.session())
		p = b.ask("/logout", url.Values{})
		assert.Contains(t, p.to(t), s.ops["op"].URL())
		assert.Nil(t, b.session())
		assert.Equal(t, http.StatusUnauthorized, b.asks(before).StatusCode)
	}
}

// stubborn is a store that can be read, and not changed.
type stubborn struct{ *Memory }

func (stubborn) Put(context.Context, Record) error           { return errCut }
func (stubborn) Delete(context.Context, string, int64) error { return errCut }

// What comes back from the provider's logout is believed where the state is that
// of a logout which this browser began.
func TestLogoutStateIsChecked(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	last, _, _ := b.follow(b.send(http.MethodPost, "/logout", ""), s.url)
	back, err := url.Parse(last.to(t))
	require.NoError(t, err)
	state := back.Query().Get("state")
	require.Len(t, state, 43)
	cookie := b.cookies()["__Host-rely-logout"]
	for name, tt := range map[string]struct {
		query, cookie string
		returned, ok  bool
	}{
		"as it was sent":   {"state=" + state, cookie, true, true},
		"without state":    {"", cookie, false, true},
		"another page":     {"a=b", "", false, true},
		"another state":    {"state=" + state + "1", cookie, false, false},
		"empty state":      {"state=", cookie, false, false},
		"state twice":      {"state=" + state + "&state=" + state, cookie, false, false},
		"another browser":  {"state=" + state, "", false, false},
		"malformed":        {"state=" + state + "&%zz", cookie, false, false},
		"an empty cookie":  {"state=", "x", false, false},
		"a cookie of ours": {"state=" + state, newRandom(), false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+tt.query, nil)
		if tt.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "__Host-rely-logout", Value: tt.cookie})
		}
		w := httptest.NewRecorder()
		returned, err := s.h.LoggedOut(w, r)
		assert.Equal(t, tt.returned, returned, name)
		assert.Equal(t, tt.ok, err == nil, name)
		assert.Equal(t, tt.returned, len(w.Result().Cookies()) == 1, "%s: a state is good once", name)
		if err != nil {
			var p *Problem
			require.ErrorAs(t, err, &p)
			assert.Equal(t, http.StatusBadRequest, p.Status)
		}
	}
}

// Wherever it arrives, a logout ends sessions that began elsewhere.
func TestLogoutOnAnotherReplica(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
		b, other := s.browser(), s.browser()
		b.login("/login/op")
		s.ops["op"].LoginAs(s.ops["op"].Persons()[1].Subject)
		other.login("/login/op")
		s.ops["op"].LoginAs("")
		b.send(http.MethodPost, "/refresh", "")
		began, name := s.h, sid(b)
		s.use(s.replica("", nil))
		status, err := s.ops["op"].BackChannelLogout(t.Context(), "", name)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
		for _, h := range []*Handler{s.h, began} {
			s.use(h)
			assert.Nil(t, b.session())
			assert.NotNil(t, other.session())
		}
		p := other.ask("/frontchannel-logout/op?"+url.Values{"iss": {s.ops["op"].Issuer()}, "sid": {sid(other)}}.Encode(), nil)
		assert.Equal(t, http.StatusOK, p.StatusCode)
		assert.Nil(t, other.session())
	}
}

// A sid that a refresh has changed is the one that ends the session.
func TestLogoutByChangedSID(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
		b := s.browser()
		b.login("/login/op")
		s.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["sid"] = "another" })
		require.Equal(t, http.StatusOK, b.ask("/refresh", url.Values{}).StatusCode)
		require.Equal(t, "another", sid(b))
		s.ops["op"].OnToken(nil)
		raw, err := s.ops["op"].LogoutToken("", "another")
		require.NoError(t, err)
		p := s.browser().ask("/backchannel-logout/op", url.Values{"logout_token": {raw}})
		require.Equal(t, http.StatusOK, p.StatusCode, p.body)
		assert.Nil(t, b.session(), "in cookies: %v", cookies)
	}
}

// A session that has ended stays so, whoever had its lease, and however many ask for it
// afterwards.
func TestLogoutWhileOthersRefresh(t *testing.T) {
	for name, end := range map[string]func(h *Handler, held *Session) error{
		"logout":             func(h *Handler, held *Session) error { return h.remove(t.Context(), held, 0) },
		"refused meanwhile":  func(h *Handler, held *Session) error { return h.remove(t.Context(), held, held.version) },
		"before a new login": func(h *Handler, held *Session) error { return h.remove(t.Context(), &Session{key: held.key}, 0) },
	} {
		for _, cookies := range []bool{false, true} {
			s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
			b := s.browser()
			b.login("/login/op")
			held, err := s.h.leased(t.Context(), s.h.must(t, b))
			require.NoError(t, err)
			require.NoError(t, end(s.h, held), name)
			_, err = s.h.leased(t.Context(), held)
			require.ErrorIs(t, err, ErrNoSession, "who has waited for the lease")
			held.refreshes++
			_, err = s.h.keepTokens(t.Context(), held)
			require.ErrorIs(t, err, ErrNoSession, "%s, in cookies: %v", name, cookies)
			assert.Nil(t, b.session())
		}
	}
}

// A logout token that names one of the person's sessions may be about any of those that
// got no name.
func TestLogoutOfSessionsWithoutSID(t *testing.T) {
	s := newSite(t, rig{})
	op := s.ops["op"]
	named, unnamed := s.browser(), s.browser()
	named.login("/login/op")
	op.OnToken(func(i *oidctest.Issue) { delete(i.Claims, "sid") })
	unnamed.login("/login/op")
	op.OnToken(nil) // logout tokens have it
	subject := unnamed.session()["subject"].(string)
	require.NotContains(t, unnamed.session()["claims"], "sid")
	status, err := op.BackChannelLogout(t.Context(), subject, "another-session")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Nil(t, unnamed.session())
	assert.NotNil(t, named.session(), "which has another name")
}
