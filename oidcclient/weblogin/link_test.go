package weblogin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

func TestLink(t *testing.T) {
	var linked [][2]string
	s := newSite(t, rig{
		ops: map[string]oidctest.Config{"one": {}, "two": {System: oidctest.BankID}, "post": {}},
		client: func(id string, c *oidcclient.Config) {
			if id == "post" {
				c.ResponseMode = "form_post"
			}
		},
		config: func(c *Config) {
			c.OnLogin = func(_ context.Context, l Login) error {
				if l.LinkTo != nil {
					linked = append(linked, [2]string{l.LinkTo.Login.Subject(), l.Session.Subject()})
				}
				return nil
			}
		},
	})
	b := s.browser()
	begin := func(path string) (string, url.Values) {
		p := b.ask(path, url.Values{}, "Sec-Fetch-Site", "same-origin")
		require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
		_, target, form := b.follow(p, s.url+"/callback/")
		return target, form
	}

	b.login("/login/one")
	first, id := b.session(), b.cookies()["__Host-rely-session"]
	for n, other := range []string{"two", "post"} {
		target, form := begin("/login/" + other + "?link=1&return_to=/linked")
		p := b.ask(target, form)
		require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
		assert.Equal(t, s.url+"/linked", p.to(t))
		require.Len(t, linked, n+1)
		assert.Equal(t, first["subject"], linked[n][0])
		assert.Equal(t, first, b.session(), "the session goes on")
		assert.NotEqual(t, id, b.cookies()["__Host-rely-session"], "with a new id")
		old := s.browser().ask("/session", nil, "Cookie", "__Host-rely-session="+id)
		assert.Equal(t, http.StatusUnauthorized, old.StatusCode)
		id = b.cookies()["__Host-rely-session"]
	}

	t.Run("a posted answer comes without the session's cookie", func(t *testing.T) {
		for _, path := range []string{"/login/post?link=1", "/login/post"} {
			var target string
			var form url.Values
			if path == "/login/post" {
				target, form = b.start(path)
			} else {
				target, form = begin(path)
			}
			cookies := b.cookies()
			old := cookies["__Host-rely-session"]
			require.NotEmpty(t, old)
			u, err := url.Parse(s.url)
			require.NoError(t, err)
			b.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-rely-session", Path: "/", Secure: true, MaxAge: -1}})
			p := b.ask(target, form)
			require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
			want := "one"
			if path == "/login/post" {
				want = "post"
			}
			assert.Equal(t, want, b.session()["client"])
			ended := s.browser().ask("/session", nil, "Cookie", "__Host-rely-session="+old)
			assert.Equal(t, http.StatusUnauthorized, ended.StatusCode, "the session before has ended")
		}
		linked = linked[:2]
	})
	t.Run("other sites can't start one", func(t *testing.T) {
		p := b.ask("/login/two?link=1", url.Values{}, "Sec-Fetch-Site", "cross-site", "Accept", "application/json")
		code, _ := p.refusal(t)
		assert.Equal(t, http.StatusForbidden, p.StatusCode)
		assert.Equal(t, "cross_site", code)
		assert.Equal(t, http.StatusMethodNotAllowed, b.ask("/login/two?link=1", nil).StatusCode)
	})
	t.Run("the session is another one by then", func(t *testing.T) {
		target, form := begin("/login/two?link=1")
		b.login("/login/one")
		p := b.ask(target, form, "Accept", "application/json")
		_, text := p.refusal(t)
		assert.Contains(t, text, "refused: link")
		assert.NotNil(t, b.session())
	})
	t.Run("the browser has somebody else's session by then", func(t *testing.T) {
		other := s.browser()
		other.login("/login/one")
		target, form := begin("/login/two?link=1")
		u, err := url.Parse(s.url)
		require.NoError(t, err)
		mine := b.cookies()["__Host-rely-session"]
		replace := func(value string) {
			b.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-rely-session", Value: value, Path: "/", Secure: true}})
		}
		replace(other.cookies()["__Host-rely-session"])
		p := b.ask(target, form, "Accept", "application/json")
		_, text := p.refusal(t)
		assert.Contains(t, text, "refused: link")
		replace(mine)
		assert.NotNil(t, b.session())
	})
	t.Run("the session has ended by then", func(t *testing.T) {
		target, form := begin("/login/two?link=1")
		b.ask("/logout", url.Values{})
		p := b.ask(target, form, "Accept", "application/json")
		_, text := p.refusal(t)
		assert.Contains(t, text, "refused: link")
		assert.Nil(t, b.session())
	})
	assert.Len(t, linked, 2)
}

// endsBetween is a store in which somebody logs the person out when a session has
// just got its new id.
type endsBetween struct {
	*Memory
	old string
	end func(ctx context.Context, s *Session, version int64) error
}

func (e *endsBetween) Put(ctx context.Context, r Record) error {
	err := e.Memory.Put(ctx, r)
	if r.Version == 0 && r.Key != e.old {
		err = errors.Join(err, e.end(ctx, &Session{key: e.old}, 0))
	}
	return err
}

// A session that ends while it gets a new id does not live on under that.
func TestLogoutWhileLinking(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
		b := s.browser()
		b.login("/login/op")
		_, target, _ := b.follow(b.ask("/login/op?link=1", url.Values{}), b.url+"/callback/")
		memory := s.memory()
		store := &endsBetween{Memory: memory, old: b.presented().key, end: s.h.remove}
		s.use(s.replica("", func(c *Config) { c.Sessions, c.Replay = store, memory }))
		p := b.ask(target, nil)
		assert.Equal(t, http.StatusUnauthorized, p.StatusCode, p.body)
		assert.Nil(t, b.session())
		for _, left := range memory.sessions.items {
			assert.Equal(t, []any{true, endedData}, []any{cookies, left.record.Data}, "neither the old record nor the new one")
		}
	}
}
