package weblogin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// visit asks for a page behind Require, as a browser or as a program.
func (b *browser) visit(page http.Handler, accept string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/account?a=b", nil)
	for name, value := range b.cookies() {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w.Result()
}

const (
	asBrowser = "text/html"
	asProgram = "application/json"
)

func hello() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
}

// claims lets the provider say more, until the test ends.
func (s *site) claims(t *testing.T, more map[string]any) {
	s.ops["op"].OnToken(func(i *oidctest.Issue) {
		for name, value := range more {
			i.Claims[name] = value
		}
	})
	t.Cleanup(func() { s.ops["op"].OnToken(nil) })
}

func TestStepUp(t *testing.T) {
	weak, strong := map[string]any{"acr": "low"}, map[string]any{"acr": "high"}
	for name, tt := range map[string]struct {
		need          Requirement
		before, after map[string]any // what the first and the second login say
		wait          time.Duration  // after the first
		status        int            // for a program
		challenge     string
		asks          url.Values // what the second login asks the provider for
	}{
		"acr": {
			Requirement{MinACR: "high"}, weak, strong, 0, http.StatusUnauthorized,
			`Bearer error="insufficient_user_authentication", acr_values="high"`, url.Values{"acr_values": {"high"}},
		},
		"no acr": {
			Requirement{MinACR: "high"}, nil, strong, 0, http.StatusUnauthorized,
			`Bearer error="insufficient_user_authentication", acr_values="high"`, url.Values{"acr_values": {"high"}},
		},
		"age": {
			Requirement{MaxAge: 5 * time.Minute}, nil, nil, 6 * time.Minute, http.StatusUnauthorized,
			`Bearer error="insufficient_user_authentication", max_age="300"`, url.Values{"max_age": {"300"}},
		},
		"acr and age": {
			Requirement{MinACR: "high", MaxAge: 5 * time.Minute}, weak, strong, 0, http.StatusUnauthorized,
			`Bearer error="insufficient_user_authentication", acr_values="high", max_age="300"`, url.Values{"acr_values": {"high"}, "max_age": {"300"}},
		},
		"scope": {
			Requirement{Scopes: []string{"profile"}}, nil, nil, 0, http.StatusForbidden,
			`Bearer error="insufficient_scope", scope="profile"`, url.Values{"scope": {"openid profile"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) { c.Scopes = []string{"openid"} }})
			page := s.h.Require(tt.need, hello())
			b := s.browser()
			p := b.visit(page, asProgram)
			assert.Equal(t, http.StatusUnauthorized, p.StatusCode)
			assert.Equal(t, "Bearer", p.Header.Get("WWW-Authenticate"), "no session at all (RFC 6750 §3)")

			s.claims(t, tt.before)
			b.login("/login/op")
			s.clock.Advance(tt.wait)
			p = b.visit(page, asProgram)
			assert.Equal(t, tt.status, p.StatusCode)
			assert.Equal(t, tt.challenge, p.Header.Get("WWW-Authenticate"))

			p = b.visit(page, asBrowser)
			require.Equal(t, http.StatusSeeOther, p.StatusCode)
			to := p.Header.Get("Location")
			assert.True(t, strings.HasPrefix(to, "/login/op?"), to)
			s.claims(t, tt.after)
			sent, err := url.Parse(b.ask(to, nil).to(t))
			require.NoError(t, err)
			for parameter, want := range tt.asks {
				assert.Equal(t, want, sent.Query()[parameter])
			}
			p = b.login(to).Response
			require.Equal(t, http.StatusSeeOther, p.StatusCode)
			assert.Equal(t, "/account?a=b", p.Header.Get("Location"))
			assert.Equal(t, http.StatusOK, b.visit(page, asBrowser).StatusCode)
			assert.Equal(t, http.StatusOK, b.visit(page, asProgram).StatusCode)
		})
	}
}

// An authentication of which the provider does not say when it was is not a recent
// one.
func TestAgeThatIsNotKnown(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	for name, tt := range map[string]struct {
		authTime any
		status   int
	}{"just now": {s.clock.Now().Unix(), http.StatusOK}, "not said": {nil, http.StatusUnauthorized}} {
		s.ops["op"].OnToken(func(i *oidctest.Issue) {
			i.Claims["auth_time"] = tt.authTime
			if tt.authTime == nil {
				delete(i.Claims, "auth_time")
			}
		})
		b.login("/login/op")
		page := s.h.Require(Requirement{MaxAge: 5 * time.Minute}, hello())
		assert.Equal(t, tt.status, b.visit(page, asProgram).StatusCode, name)
	}
	s.ops["op"].OnToken(nil)
}

// A provider that does not do what was asked for ends the matter, rather than
// sending the browser round in circles.
func TestStepUpNotMet(t *testing.T) {
	for name, tt := range map[string]struct {
		need  Requirement
		check string
	}{
		"acr":   {Requirement{MinACR: "high"}, "acr"},
		"scope": {Requirement{Scopes: []string{"payments"}}, "scope"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, rig{})
			s.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["acr"], i.Answer["scope"] = "low", "openid" })
			t.Cleanup(func() { s.ops["op"].OnToken(nil) })
			page := s.h.Require(tt.need, hello())
			b := s.browser()
			b.login("/login/op")
			before := b.session()
			s.clock.Advance(time.Second)
			p := b.login(b.visit(page, asBrowser).Header.Get("Location"))
			assert.GreaterOrEqual(t, p.StatusCode, 400)
			assert.Less(t, p.StatusCode, 500)
			assert.Contains(t, p.body, tt.check)
			assert.Equal(t, before["subject"], b.session()["subject"], "the earlier login is as good as it was")
		})
	}
}

func TestNeedOfTheURLIsOneOfOurs(t *testing.T) {
	s := newSite(t, rig{})
	p := s.browser().ask("/login/op?need=anything", nil, "Accept", asProgram)
	assert.Equal(t, http.StatusBadRequest, p.StatusCode)
	code, _ := p.refusal(t)
	assert.Equal(t, "invalid_request", code)
}

func TestAttach(t *testing.T) {
	s := newSite(t, rig{})
	loads := &counting{Memory: s.memory()}
	s.use(s.replica("", func(c *Config) { c.Sessions = loads }))
	who := s.h.Attach(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, err := s.h.Session(r)
		second, again := s.h.Session(r)
		assert.Same(t, first, second)
		assert.Equal(t, err, again)
		if err != nil {
			_, _ = w.Write([]byte(err.Error()))
			return
		}
		_, _ = w.Write([]byte(first.Login.Subject()))
	}))
	b := s.browser()
	answer := b.visit(who, asBrowser)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	b.login("/login/op")
	loads.n = 0
	answer = b.visit(who, asBrowser)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, 1, loads.n, "the store is asked once for a request")
}

// Where the identity says nothing of the authentication no login would help: whoever asks
// for a page that needs one is told so, and not sent round.
func TestStepUpOfALegacyIdentity(t *testing.T) {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"faces": {System: oidctest.Faces}}})
	b := s.browser()
	require.Equal(t, http.StatusSeeOther, b.login("/login/faces").StatusCode)
	assert.Equal(t, http.StatusOK, b.visit(s.h.Require(Requirement{}, hello()), asBrowser).StatusCode)
	for _, need := range []Requirement{{MinACR: "high"}, {MaxAge: time.Minute}} {
		page := s.h.Require(need, hello())
		sent := b.visit(page, asBrowser)
		require.Equal(t, http.StatusSeeOther, sent.StatusCode)
		answer := b.ask(sent.Header.Get("Location"), nil)
		assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
		assert.Empty(t, answer.Header.Get("Location"))
	}
}
