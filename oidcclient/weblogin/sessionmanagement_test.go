package weblogin

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
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
			s.clock.Advance(time.Minute)
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
				now := s.h.must(t, b)
				assert.Equal(t, before.Login.Subject(), now.Login.Subject())
				assert.Equal(t, []time.Time{before.StartedAt, before.EndsAt, before.ExpiresAt}, []time.Time{now.StartedAt, now.EndsAt, now.ExpiresAt},
					"nobody has to be there: it lasts no longer")
				return
			}
			assert.Nil(t, b.session())
			assert.Equal(t, http.StatusUnauthorized, b.ask("/session-management/op", nil).StatusCode)
		})
	}
}

// A login that only repeats another one begins nothing where that is over, or where
// somebody else is logged in meanwhile, and ends nothing there.
func TestChangedMeanwhile(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		for name, tt := range map[string]struct {
			meanwhile func(t *testing.T, b *browser)
			left      bool
		}{
			"logged out": {func(t *testing.T, b *browser) {
				require.Equal(t, http.StatusSeeOther, b.ask("/logout", url.Values{}).StatusCode)
			}, false},
			"logged out at the provider": {func(t *testing.T, b *browser) {
				raw, err := b.ops["op"].LogoutToken("", sid(b))
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, b.site.browser().ask("/backchannel-logout/op", url.Values{"logout_token": {raw}}).StatusCode)
			}, false},
			"logged out while the provider is asked": {func(_ *testing.T, b *browser) {
				key := b.presented().key
				b.ops["op"].OnToken(func(*oidctest.Issue) { _ = b.h.remove(t.Context(), &Session{key: key}, 0) })
			}, false},
			"logged out at the last moment": {func(t *testing.T, b *browser) {
				raw, err := b.ops["op"].LogoutToken("", sid(b))
				require.NoError(t, err)
				b.h.onLogin = func(context.Context, Login) error {
					b.site.browser().ask("/backchannel-logout/op", url.Values{"logout_token": {raw}})
					return nil
				}
			}, false},
			"logged out here at the last moment": {func(_ *testing.T, b *browser) {
				key := b.presented().key
				b.h.onLogin = func(context.Context, Login) error { return b.h.remove(t.Context(), &Session{key: key}, 0) }
			}, false},
			"somebody else": {func(_ *testing.T, b *browser) {
				b.ops["op"].LoginAs(b.ops["op"].Persons()[1].Subject)
				other := b.site.browser()
				other.login("/login/op")
				b.take(other)
			}, true},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
				b := s.browser()
				b.login("/login/op")
				_, target, form := b.follow(b.ask("/session-management/op", url.Values{}), b.url+"/callback/")
				tt.meanwhile(t, b)
				left := b.session()
				p := b.ask(target, form)
				assert.Equal(t, "/session-management/op", p.Header.Get("Location"), "which says what is")
				if !tt.left {
					assert.Nil(t, b.session())
					return
				}
				require.NotNil(t, left)
				assert.Equal(t, left["subject"], b.session()["subject"])
			})
		}
	}
}

// take gives a browser the session of another one.
func (b *browser) take(other *browser) {
	u, err := url.Parse(b.url)
	require.NoError(b.t, err)
	for name, value := range other.cookies() {
		b.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
	}
}

// A request by reference has no place for the hint, and the person is compared anyway.
func TestChangedByReference(t *testing.T) {
	s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) {
		op, err := usual()
		require.NoError(t, err)
		c.Carriage, c.Key = oidcclient.CarryReference, &assertion.Key{Signer: op.Client().PrivateKey}
	}})
	b := s.browser()
	b.login("/login/op")
	_, target, form := b.follow(b.ask("/session-management/op", url.Values{}), b.url+"/callback/")
	p := b.ask(target, form)
	assert.Equal(t, "/session-management/op", p.Header.Get("Location"), p.body)
	assert.NotNil(t, b.session())
}

// The frame goes to two places of the provider's.
func TestWatchFrameOfTwoOrigins(t *testing.T) {
	s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) {
		c.Provider = &oidcclient.ProviderMetadata{CheckSessionIframe: strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) + "/check-session"}
	}})
	b := s.browser()
	b.login("/login/op")
	op := s.ops["op"].URL()
	_, allowed := s.h.WatchFrame(t.Context(), s.h.must(t, b))
	assert.Equal(t, []string{"'self'", strings.Replace(op, "127.0.0.1", "localhost", 1), op}, allowed)
}

// A provider that hangs keeps no page of somebody who is logged in.
func TestWatchFrameDuringOutage(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	config, err := relying.Config(s.ops["op"])
	require.NoError(t, err)
	config.Clock, config.HTTPClient = s.clock.Now, &http.Client{Transport: hanging{}}
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	h := s.replica("", func(c *Config) { c.Clients = map[string]*oidcclient.Client{"op": client} })
	page, _ := h.WatchFrame(t.Context(), h.must(t, b))
	assert.Empty(t, page)
}

// hanging is a provider that answers nobody.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
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
