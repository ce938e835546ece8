package weblogin

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFrontChannelLogout(t *testing.T) {
	l := newLogins(t)
	issuer, anna1 := url.QueryEscape(l.ops["op"].Issuer()), sid(l.anna1)
	b := l.browser()
	for _, query := range []string{
		"", "?sid=" + anna1, "?iss=" + issuer, "?iss=" + issuer + "&sid=", "?iss=https://evil.example&sid=" + anna1,
		"?iss=" + issuer + "&sid=" + anna1 + "&sid=x", "?iss=" + url.QueryEscape(l.ops["other"].Issuer()) + "&sid=" + anna1,
	} {
		p := b.ask("/frontchannel-logout/op"+query, nil, "Accept", "application/json")
		assert.Equal(t, http.StatusBadRequest, p.StatusCode, query)
	}
	p := b.ask("/frontchannel-logout/op?iss="+issuer+"&sid=unknown", nil)
	assert.Equal(t, http.StatusOK, p.StatusCode)
	assert.Equal(t, []bool{true, true, true, true}, l.alive())

	p = b.ask(l.ops["op"].FrontChannelLogoutURL(anna1), nil)
	assert.Equal(t, http.StatusOK, p.StatusCode)
	assert.Equal(t, "no-store", p.Header.Get("Cache-Control"))
	assert.Empty(t, p.Header.Get("X-Frame-Options"), "it is made for a frame")
	assert.NotContains(t, p.Header.Get("Content-Security-Policy"), "frame-ancestors")
	assert.Contains(t, p.Header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, []bool{false, true, true, true}, l.alive())
}

// Strangers who make up logouts keep each other out, and nobody else.
func TestStrangersLogouts(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		s := newSite(t, rig{config: func(c *Config) { c.SessionsInCookies = cookies }})
		b := s.browser()
		b.login("/login/op")
		records := func() int { return len(s.memory().sessions.items) }
		before, lasts := records(), s.h.life+clockSkew
		for range maxStrangers - 1 {
			require.True(t, s.h.strangers.allow(s.clock.Now(), lasts))
		}
		target := func(sid string) string {
			return "/frontchannel-logout/op?" + url.Values{"iss": {s.ops["op"].Issuer()}, "sid": {sid}}.Encode()
		}
		p := s.browser().ask(target("a stranger's"), nil)
		require.Equal(t, http.StatusOK, p.StatusCode)
		p = s.browser().ask(target("another stranger's"), nil, "Accept", "application/json")
		if !cookies {
			assert.Equal(t, http.StatusOK, p.StatusCode, "nothing is remembered")
			assert.Equal(t, before, records())
			continue
		}
		assert.Equal(t, http.StatusServiceUnavailable, p.StatusCode)
		assert.Equal(t, "temporarily_unavailable", p.json(t)["error"])
		assert.Equal(t, before+1, records())
		assert.Equal(t, http.StatusOK, b.ask("/refresh", url.Values{}).StatusCode)
		s.clock.Advance(lasts)
		assert.True(t, s.h.strangers.allow(s.clock.Now(), time.Second))
		s.clock.Advance(-lasts)
	}
}
