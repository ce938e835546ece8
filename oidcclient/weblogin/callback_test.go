package weblogin

import (
	"context"
	"errors"
	"net/http"
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

// altered returns a callback with parameters set, or removed by "".
func altered(t *testing.T, target string, change ...string) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	query := u.Query()
	for i := 0; i < len(change); i += 2 {
		query.Set(change[i], change[i+1])
		if change[i+1] == "" {
			query.Del(change[i])
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func TestCallbackRefusals(t *testing.T) {
	const evil = `<script>alert(1)</script>`
	s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {}, "other": {}, "post": {}}, client: func(id string, c *oidcclient.Config) {
		if id == "post" {
			c.ResponseMode = "form_post"
		}
	}})
	tests := map[string]struct {
		id     string // "" is op
		change func(t *testing.T, b *browser, target string, form url.Values) page
		status int
		code   string
		check  string
		kept   bool // the login's cookie is still there
	}{
		"state missing": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "state", ""), nil)
		}, status: 400, code: "login_refused", check: "state", kept: true},
		"state twice": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(target+"&state=x", nil)
		}, status: 400, code: "login_refused", check: "state", kept: true},
		"state wrong": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "state", "x"), nil)
		}, status: 400, code: "login_refused", check: "state", kept: true},
		"another browser": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.site.browser().ask(target, nil, "Accept", b.header.Get("Accept"))
		}, status: 400, code: "login_refused", check: "state", kept: true},
		"query too long": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(target+"&x="+strings.Repeat("x", maxCallbackQuery), nil)
		}, status: 414, code: "login_refused", check: "parameters", kept: true},
		"query malformed": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(target+"&x=%zz", nil)
		}, status: 400, code: "login_refused", check: "parameters", kept: true},
		"another client's route": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(strings.Replace(target, "/callback/op", "/callback/other", 1), nil)
		}, status: 400, code: "login_refused", check: "client"},
		"posted although asked by query": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			u, _ := url.Parse(target)
			return b.ask("/callback/op", u.Query())
		}, status: 400, code: "login_refused", check: "response_mode"},
		"by query although asked to post": {id: "post", change: func(_ *testing.T, b *browser, target string, form url.Values) page {
			return b.ask(target+"?"+form.Encode(), nil)
		}, status: 400, code: "login_refused", check: "response_mode"},
		"posted form too long": {id: "post", change: func(_ *testing.T, b *browser, target string, form url.Values) page {
			form.Set("x", strings.Repeat("x", maxForm))
			return b.ask(target, form)
		}, status: 413, code: "invalid_request", kept: true},
		"posted as JSON": {id: "post", change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.send("POST", target, "{}", "Content-Type", "application/json")
		}, status: 415, code: "invalid_request", kept: true},
		"posted with a second state in the query": {id: "post", change: func(_ *testing.T, b *browser, target string, form url.Values) page {
			return b.ask(target+"?state=x&code=y", form)
		}, status: http.StatusSeeOther},
		"another issuer": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "iss", "https://evil.example"), nil)
		}, status: 400, code: "login_refused", check: "iss"},
		"issuer missing": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "iss", ""), nil)
		}, status: 400, code: "login_refused", check: "iss"},
		"code and error": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(target+"&error=access_denied", nil)
		}, status: 400, code: "login_refused", check: "parameters"},
		"code twice": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(target+"&code=x", nil)
		}, status: 400, code: "login_refused", check: "parameters"},
		"code unknown": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "code", "guessed"), nil)
		}, status: 400, code: "invalid_grant"},
		"the person said no": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "code", "", "error", "access_denied", "error_description", evil), nil)
		}, status: 403, code: "access_denied"},
		"an error with markup": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "code", "", "error", evil, "error_description", evil), nil)
		}, status: 400, code: "unprintable_error"},
		"provider busy": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "code", "", "error", "temporarily_unavailable"), nil)
		}, status: 503, code: "temporarily_unavailable"},
		"provider in trouble": {change: func(t *testing.T, b *browser, target string, _ url.Values) page {
			return b.ask(altered(t, target, "code", "", "error", "server_error"), nil)
		}, status: 502, code: "provider_error"},
		"too late": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			b.clock.Advance(11 * time.Minute)
			return b.ask(target, nil)
		}, status: 400, code: "login_refused", check: "expired"},
		"token endpoint down": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			b.ops["op"].Answer(oidctest.StepToken, oidctest.Reply{Status: 503, Body: evil})
			return b.ask(target, nil)
		}, status: 503, code: "temporarily_unavailable"},
		"token endpoint broken": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			b.ops["op"].Answer(oidctest.StepToken, oidctest.Reply{ContentType: "text/html", Body: evil})
			return b.ask(target, nil)
		}, status: 502, code: "provider_error"},
		"nonce of another login": {change: func(_ *testing.T, b *browser, target string, _ url.Values) page {
			b.ops["op"].OnToken(func(i *oidctest.Issue) { i.Claims["nonce"] = "x" })
			defer b.ops["op"].OnToken(nil)
			return b.ask(target, nil)
		}, status: 400, code: "login_refused", check: "nonce"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.id == "" {
				tt.id = "op"
			}
			b := s.browser()
			require.Equal(t, http.StatusSeeOther, b.login("/login/other").StatusCode)
			before := b.session()
			for _, json := range []bool{false, true} {
				b.header.Set("Accept", "text/html")
				target, form := b.start("/login/" + tt.id)
				if json {
					b.header.Set("Accept", "application/json")
				}
				p := tt.change(t, b, target, form)
				require.Equal(t, tt.status, p.StatusCode, p.body)
				if tt.status == http.StatusSeeOther {
					return
				}
				assert.NotContains(t, p.body, evil)
				assert.Equal(t, "no-store", p.Header.Get("Cache-Control"))
				assert.Contains(t, p.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
				assert.Equal(t, "nosniff", p.Header.Get("X-Content-Type-Options"))
				if json {
					code, text := p.refusal(t)
					assert.Equal(t, tt.code, code)
					if tt.check != "" {
						assert.Contains(t, text, "refused: "+tt.check)
					}
				} else {
					assert.Contains(t, p.Header.Get("Content-Type"), "text/html")
					assert.Contains(t, p.body, "<h1>")
				}
				assert.Equal(t, tt.status == 503, p.Header.Get("Retry-After") != "")
				assert.Equal(t, tt.kept, b.waiting() > 0)
				if tt.kept {
					b.jar.SetCookies(p.Request.URL, expired(b))
				}
			}
			b.header.Set("Accept", "text/html")
			assert.Equal(t, before["subject"], b.session()["subject"], "a refused login never disturbs the live session")
			assert.Equal(t, http.StatusSeeOther, b.login("/login/"+tt.id).StatusCode, "the next login works")
		})
	}
	for _, secret := range []string{evil, s.ops["op"].Client().ClientSecret} {
		assert.NotContains(t, s.log.String(), secret)
	}
	for _, sent := range s.ops["op"].Sent(oidctest.StepToken) {
		assert.NotContains(t, s.log.String(), sent.Form.Get("code"))
		assert.NotContains(t, s.log.String(), sent.Form.Get("code_verifier"))
	}
}

// expired removes the browser's login cookies.
func expired(b *browser) []*http.Cookie {
	var out []*http.Cookie
	for name := range b.cookies() {
		if strings.HasPrefix(name, "__Host-rely-login-") {
			out = append(out, &http.Cookie{Name: name, Path: "/", Secure: true, MaxAge: -1})
		}
	}
	return out
}

func TestCallbackServesOnce(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	target, _ := b.start("/login/op")
	before := b.cookies()
	var cookie []string
	for name, value := range before {
		cookie = append(cookie, name+"="+value)
	}
	header := []string{"Cookie", strings.Join(cookie, "; "), "Accept", "application/json"}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			p := s.browser().ask(target, nil, header...)
			if p.StatusCode != http.StatusSeeOther {
				_, text := p.refusal(t)
				assert.Contains(t, text, "refused: replay")
			}
		})
	}
	wait.Wait()
	assert.Equal(t, 1, s.sent("authorization_code"), "the code is sent once")
}

func TestCookieOfAnotherLoginDoesNotOpen(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	first, _ := b.start("/login/op")
	cookies := b.cookies()
	require.Len(t, cookies, 1)
	other := s.browser()
	other.start("/login/op")
	for name := range cookies {
		for _, value := range other.cookies() {
			p := s.browser().ask(first, nil, "Cookie", name+"="+value, "Accept", "application/json")
			_, text := p.refusal(t)
			assert.Contains(t, text, "refused: state", "a value is bound to its cookie's name")
		}
		for _, value := range cookies {
			for i := range len(value) {
				changed := []byte(value)
				changed[i] ^= 1
				if _, err := s.h.openLogin(&http.Cookie{Name: name, Value: string(changed)}); err == nil {
					assert.Fail(t, "a changed cookie opens", "byte %d", i)
				}
			}
			p := s.browser().ask(first, nil, "Cookie", name+"="+value+"; "+name+"="+value, "Accept", "application/json")
			assert.Equal(t, http.StatusBadRequest, p.StatusCode, "a cookie that is there twice")
		}
	}
}

func TestProviderDownAtCallbackOfAnotherReplica(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	target, _ := b.start("/login/op")
	// The replica that takes the callback has just started.
	begunOn := s.h
	replica, err := New(Config{BaseURL: s.url, Clients: freshClients(t, s), Sealer: s.h.sealer, Sessions: s.h.sessions, Clock: s.clock.Now})
	require.NoError(t, err)
	s.use(replica)
	s.ops["op"].Down(true)
	p := b.ask(target, nil)
	assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode)
	assert.Equal(t, 1, b.waiting(), "nothing is lost")
	s.ops["op"].Down(false)
	assert.Equal(t, http.StatusSeeOther, b.ask(target, nil).StatusCode, "reloading the page goes on")
	s.use(begunOn)
	assert.NotNil(t, b.session(), "the other replica knows the session")
}

func TestOnLogin(t *testing.T) {
	var answer error
	var got Login
	s := newSite(t, rig{config: func(c *Config) {
		c.OnLogin = func(_ context.Context, l Login) error { got = l; return answer }
	}})
	b := s.browser()
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{&Problem{Status: 403, Code: "not_invited", Title: "No", Description: "not invited"}, 403, "not_invited"},
		{errors.New("secret detail"), 500, "internal_error"},
	} {
		answer = tt.err
		target, form := b.start("/login/op")
		p := b.ask(target, form, "Accept", "application/json")
		assert.Equal(t, tt.status, p.StatusCode)
		code, text := p.refusal(t)
		assert.Equal(t, tt.code, code)
		assert.NotContains(t, text, "secret")
		assert.Nil(t, b.session())
	}
	answer = nil
	assert.Equal(t, http.StatusSeeOther, b.login("/login/op").StatusCode)
	assert.Equal(t, "op", got.Client)
	assert.Equal(t, s.ops["op"].Persons()[0].Subject, got.Session.Subject())
	assert.Nil(t, got.LinkTo)
}
