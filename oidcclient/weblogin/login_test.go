package weblogin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

func TestLoginAtEachSystem(t *testing.T) {
	ops := map[string]oidctest.Config{}
	for _, system := range oidctest.Systems() {
		ops[system.String()] = oidctest.Config{System: system}
	}
	ops["post"] = oidctest.Config{}
	s := newSite(t, rig{ops: ops, client: func(id string, c *oidcclient.Config) {
		c.UserInfo = id == "oidc" || id == "bankid" || id == "ishare"
		if id == "post" {
			c.ResponseMode = "form_post"
		}
	}})
	for id, op := range s.ops {
		t.Run(id, func(t *testing.T) {
			b := s.browser()
			assert.Nil(t, b.session())
			p := b.login("/login/" + id + "?return_to=/account%3Fx=1")
			require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
			assert.Equal(t, s.url+"/account?x=1", p.to(t))
			assert.Zero(t, b.waiting(), "the login's cookie is gone")

			got := b.session()
			require.NotNil(t, got)
			var names []string
			for name := range got {
				names = append(names, name)
			}
			assert.ElementsMatch(t, []string{"client", "issuer", "subject", "claims", "userinfo", "acr", "amr", "scope", "expires_at"}, names)
			assert.Equal(t, id, got["client"])
			assert.Equal(t, op.Issuer(), got["issuer"])
			assert.NotEmpty(t, got["subject"])
			assert.NotEmpty(t, got["claims"])
			assert.IsType(t, []any{}, got["amr"])
			assert.Contains(t, got["scope"], "openid")
			assert.IsType(t, json.Number(""), got["expires_at"])
			userInfo := got["userinfo"].(map[string]any)
			assert.Equal(t, s.h.clients[id].Profile().UserInfo.Signed || id == "oidc", len(userInfo) > 0)

			p = b.ask("/refresh", url.Values{}, "Accept", "application/json")
			if id == "ishare" {
				code, _ := p.refusal(t)
				assert.Equal(t, http.StatusUnauthorized, p.StatusCode)
				assert.Equal(t, "login_required", code)
				assert.NotNil(t, b.session(), "the session is as good as before")
			} else {
				require.Equal(t, http.StatusOK, p.StatusCode, p.body)
				assert.Equal(t, got["subject"], p.json(t)["subject"])
			}

			p = b.ask("/logout", url.Values{})
			require.Equal(t, http.StatusSeeOther, p.StatusCode)
			if end := op.Client().EndSessionEndpoint; end != "" {
				assert.True(t, strings.HasPrefix(p.to(t), end+"?"), p.to(t))
				last, _, _ := b.follow(p, s.url)
				back, err := last.Location()
				require.NoError(t, err)
				assert.Equal(t, url.Values{"state": {b.cookies()["__Host-rely-logout"]}}, back.Query())
				back.RawQuery = ""
				assert.Equal(t, s.url+"/", back.String(), "the provider sends the browser back")
			} else {
				assert.Equal(t, s.url+"/", p.to(t))
			}
			assert.Nil(t, b.session())
			assert.Empty(t, b.cookies()["__Host-rely-session"])
		})
	}
}

func TestCookieAttributes(t *testing.T) {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"query": {}, "post": {}}, client: func(id string, c *oidcclient.Config) {
		if id == "post" {
			c.ResponseMode = "form_post"
		}
	}})
	for id, site := range map[string]http.SameSite{"query": http.SameSiteLaxMode, "post": http.SameSiteNoneMode} {
		b := s.browser()
		begun := b.ask("/login/"+id, nil)
		require.Len(t, begun.Cookies(), 1)
		_, target, form := b.follow(begun, s.url+"/callback/")
		ended := b.ask(target, form)
		require.Len(t, ended.Cookies(), 2)
		gone, session := ended.Cookies()[0], ended.Cookies()[1]
		for _, c := range []*http.Cookie{begun.Cookies()[0], gone, session} {
			assert.True(t, strings.HasPrefix(c.Name, "__Host-rely-"), c.Name)
			assert.True(t, c.Secure && c.HttpOnly, c.Raw)
			assert.Equal(t, "/", c.Path)
			assert.Empty(t, c.Domain)
		}
		assert.Equal(t, site, begun.Cookies()[0].SameSite, id)
		assert.Equal(t, begun.Cookies()[0].Name, gone.Name)
		assert.Negative(t, gone.MaxAge)
		assert.Equal(t, http.SameSiteLaxMode, session.SameSite, id)
		assert.Len(t, session.Value, 43, "256 bits")
		assert.Less(t, len(begun.Cookies()[0].Raw), 4096)
	}
}

func TestLoginsInSeveralTabs(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	type callback struct {
		target string
		form   url.Values
	}
	var tabs []callback
	for i := range 7 {
		target, form := b.start("/login/op?return_to=/" + string(rune('a'+i)))
		tabs = append(tabs, callback{target, form})
		assert.Equal(t, min(i+1, maxLogins), b.waiting())
		s.clock.Advance(time.Second)
	}
	for i, tab := range tabs[:2] {
		p := b.ask(tab.target, tab.form, "Accept", "application/json")
		code, text := p.refusal(t)
		assert.Equal(t, http.StatusBadRequest, p.StatusCode, i)
		assert.Equal(t, "login_refused", code)
		assert.Contains(t, text, "refused: state")
	}
	seen := map[string]bool{}
	for _, i := range []int{4, 2, 6, 5, 3} {
		p := b.ask(tabs[i].target, tabs[i].form)
		require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
		assert.Equal(t, s.url+"/"+string(rune('a'+i)), p.to(t))
		id := b.cookies()["__Host-rely-session"]
		assert.False(t, seen[id], "the id changes with every login")
		seen[id] = true
		assert.NotNil(t, b.session())
	}
	for id := range seen {
		if id != b.cookies()["__Host-rely-session"] {
			other := s.browser()
			p := other.ask("/session", nil, "Cookie", "__Host-rely-session="+id)
			assert.Equal(t, http.StatusUnauthorized, p.StatusCode, "earlier sessions have ended")
		}
	}
}

func TestLoginCookiesAreBoundedAndCleaned(t *testing.T) {
	s := newSite(t, rig{})
	var many strings.Builder
	for i := range 1000 {
		many.WriteString("__Host-rely-login-")
		many.WriteString(strings.Repeat("x", i%7+1))
		many.WriteString("=v1.AAAA~v1.BBBB; ")
	}
	p := s.browser().ask("/login/op", nil, "Cookie", many.String())
	require.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.LessOrEqual(t, len(p.Cookies()), maxLoginCookies+1)

	b := s.browser()
	b.start("/login/op")
	s.clock.Advance(time.Hour)
	b.start("/login/op")
	assert.Equal(t, 1, b.waiting(), "a login that is over makes room")
}

func TestManyStartedLoginsTakeNoMemory(t *testing.T) {
	s := newSite(t, rig{})
	require.Equal(t, http.StatusSeeOther, s.browser().login("/login/op").StatusCode)
	var wait sync.WaitGroup
	var states sync.Map
	for range 64 {
		wait.Go(func() {
			for range 50 {
				w := httptest.NewRecorder()
				s.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login/op", nil))
				u, err := url.Parse(w.Header().Get("Location"))
				assert.NoError(t, err)
				_, twice := states.LoadOrStore(u.Query().Get("state"), nil)
				assert.False(t, twice)
			}
		})
	}
	wait.Wait()
	memory := s.h.sessions.(*Memory)
	assert.Len(t, memory.sessions.items, 1)
	assert.Len(t, memory.marks.items, 1)
}

func TestStartRefusals(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	for _, tt := range []struct {
		method, target string
		status         int
		code           string
	}{
		{"GET", "/login/unknown", 404, "not_found"},
		{"GET", "/login/", 404, "not_found"},
		{"GET", "/nothing", 404, "not_found"},
		{"PUT", "/login/op", 405, "method_not_allowed"},
		{"GET", "/logout", 405, "method_not_allowed"},
		{"GET", "/refresh", 405, "method_not_allowed"},
		{"GET", "/backchannel-logout/op", 405, "method_not_allowed"},
		{"POST", "/session", 405, "method_not_allowed"},
		{"GET", "/login/op?link=1", 405, "method_not_allowed"},
		{"POST", "/login/op", 400, "invalid_request"},
		{"POST", "/login/op?link=1", 401, "login_required"},
		{"GET", "/callback/unknown?state=x&code=y", 404, "not_found"},
		{"GET", "/frontchannel-logout/unknown?iss=x&sid=y", 404, "not_found"},
	} {
		p := b.send(tt.method, tt.target, "", "Accept", "application/json")
		assert.Equal(t, tt.status, p.StatusCode, tt.target)
		code, _ := p.refusal(t)
		assert.Equal(t, tt.code, code, tt.target)
	}
	p := b.ask("/nothing", nil)
	assert.Equal(t, 404, p.StatusCode)
	assert.Contains(t, p.body, "<h1>There is nothing here</h1>")
}

func TestProviderDownAtLogin(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	s.ops["op"].Down(true)
	p := b.ask("/login/op", nil, "Accept", "application/json")
	code, _ := p.refusal(t)
	assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode)
	assert.Equal(t, "temporarily_unavailable", code)
	assert.Equal(t, "5", p.Header.Get("Retry-After"))
	assert.Empty(t, p.Cookies())
	s.ops["op"].Down(false)
	assert.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
}

func TestReturnToAtLogin(t *testing.T) {
	s := newSite(t, rig{})
	for raw, want := range map[string]string{
		"/" + strings.Repeat("a", maxReturnTo-1):         "/" + strings.Repeat("a", maxReturnTo-1),
		"/?" + strings.Repeat("<", maxReturnTo-2):        "/", // six bytes each in JSON: no cookie is that long
		"/account?from=" + url.QueryEscape("/x?a=b&c=d"): "/account?from=" + url.QueryEscape("/x?a=b&c=d"),
	} {
		b := s.browser()
		begun := b.ask("/login/op?return_to="+url.QueryEscape(raw), nil)
		require.Len(t, begun.Cookies(), 1)
		assert.LessOrEqual(t, len(begun.Cookies()[0].Name)+len(begun.Cookies()[0].Value), maxCookie)
		_, target, form := b.follow(begun, s.url+"/callback/")
		assert.Equal(t, s.url+want, b.ask(target, form).to(t))
	}
	for _, raw := range []string{"//e.example", "/\\e.example", "/\t/e.example", "https:e.example", "javascript:alert(1)"} {
		p := s.browser().login("/login/op?return_to=" + url.QueryEscape(raw))
		assert.Equal(t, s.url+"/", p.to(t), "%q", raw)
	}
}
