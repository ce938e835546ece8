package weblogin

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

func TestInitiate(t *testing.T) {
	s := newSite(t, rig{})
	issuer := s.ops["op"].Issuer()
	for name, tt := range map[string]struct {
		values url.Values
		status int
		back   string
	}{
		"issuer alone":             {url.Values{"iss": {issuer}}, http.StatusSeeOther, "/"},
		"a target of ours":         {url.Values{"iss": {issuer}, "target_link_uri": {s.url + "/account?a=b"}}, http.StatusSeeOther, "/account?a=b"},
		"a path":                   {url.Values{"iss": {issuer}, "target_link_uri": {"/account"}}, http.StatusSeeOther, "/account"},
		"our origin alone":         {url.Values{"iss": {issuer}, "target_link_uri": {s.url}}, http.StatusSeeOther, "/"},
		"a target elsewhere":       {url.Values{"iss": {issuer}, "target_link_uri": {"https://evil.example/"}}, http.StatusSeeOther, "/"},
		"a target that looks ours": {url.Values{"iss": {issuer}, "target_link_uri": {s.url + ".evil.example/"}}, http.StatusSeeOther, "/"},
		"slashes behind ours":      {url.Values{"iss": {issuer}, "target_link_uri": {s.url + "//evil.example/"}}, http.StatusSeeOther, "/"},
		"another issuer":           {url.Values{"iss": {issuer + "1"}}, http.StatusBadRequest, ""},
		"no issuer":                {url.Values{"x": {"y"}}, http.StatusBadRequest, ""},
		"issuer twice":             {url.Values{"iss": {issuer, issuer}}, http.StatusBadRequest, ""},
		"hint twice":               {url.Values{"iss": {issuer}, "login_hint": {"a", "b"}}, http.StatusBadRequest, ""},
	} {
		for _, posted := range []bool{false, true} {
			b := s.browser()
			p := b.ask("/initiate/op?"+tt.values.Encode(), nil)
			if posted {
				p = b.ask("/initiate/op", tt.values, "Origin", "https://elsewhere.example")
			}
			require.Equal(t, tt.status, p.StatusCode, "%s: %s", name, p.body)
			if tt.status != http.StatusSeeOther {
				assert.Zero(t, b.waiting(), name)
				continue
			}
			_, target, form := b.follow(p, b.url+"/callback/")
			assert.Equal(t, s.url+tt.back, b.ask(target, form).to(t), name)
			assert.NotNil(t, b.session())
		}
	}
	p := s.browser().ask("/initiate/op?"+url.Values{"iss": {issuer}, "login_hint": {"anna"}}.Encode(), nil)
	to, err := url.Parse(p.to(t))
	require.NoError(t, err)
	assert.Equal(t, "anna", to.Query().Get("login_hint"))
	assert.Equal(t, http.StatusNotFound, s.browser().ask("/initiate/nobody?iss=x", nil).StatusCode)
}

// Cookies are left behind by a POST of another site, and set by its answer: so that does
// nothing but lead to a GET, where the logins that wait are counted.
func TestInitiateByForeignPOST(t *testing.T) {
	s := newSite(t, rig{})
	values := url.Values{"iss": {s.ops["op"].Issuer()}, "login_hint": {"anna & otto"}, "target_link_uri": {"/account"}}
	for _, header := range [][]string{{"Origin", "https://elsewhere.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		p := s.browser().ask("/initiate/op", values, header...)
		require.Equal(t, http.StatusSeeOther, p.StatusCode)
		assert.True(t, strings.HasPrefix(p.to(t), s.url+"/initiate/op?posted="), p.to(t))
		assert.NotContains(t, p.to(t), "anna")
		assert.Empty(t, p.Cookies())
		begun, err := url.Parse(s.browser().ask(p.to(t), nil).to(t))
		require.NoError(t, err)
		assert.Equal(t, "anna & otto", begun.Query().Get("login_hint"))
		p = s.browser().ask(p.to(t)+"x", nil)
		assert.Equal(t, http.StatusBadRequest, p.StatusCode, "changed")
	}
	long := url.Values{"iss": {s.ops["op"].Issuer()}, "login_hint": {strings.Repeat("a", maxPosted)}}
	assert.Equal(t, http.StatusBadRequest, s.browser().ask("/initiate/op", long, "Sec-Fetch-Site", "cross-site").StatusCode)
	b := s.browser()
	for range maxLogins + 2 {
		b.ask(s.browser().ask("/initiate/op", values, "Sec-Fetch-Site", "cross-site").to(t), nil)
	}
	assert.Equal(t, maxLogins, b.waiting())
	p := s.browser().ask("/initiate/op", url.Values{"iss": {"https://another.example"}}, "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusBadRequest, p.StatusCode)
}

func TestPublishedKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	keys := func(client func(string, *oidcclient.Config)) []map[string]any {
		s := newSite(t, rig{client: client})
		p := s.browser().ask("/jwks/op", nil)
		require.Equal(t, http.StatusOK, p.StatusCode)
		assert.Equal(t, "application/jwk-set+json", p.Header.Get("Content-Type"))
		assert.Equal(t, http.StatusNotFound, s.browser().ask("/jwks/nobody", nil).StatusCode)
		var set struct{ Keys []map[string]any }
		require.NoError(t, json.Unmarshal([]byte(p.body), &set))
		assert.NotNil(t, set.Keys)
		return set.Keys
	}
	assert.Empty(t, keys(nil), "it signs nothing")
	published := keys(func(_ string, c *oidcclient.Config) {
		c.AuthMethod, c.Key = "private_key_jwt", &assertion.Key{Signer: key, ID: "k1"}
	})
	require.Len(t, published, 1)
	assert.Equal(t, []any{"EC", "P-256", "k1", "ES256", "sig", nil}, []any{published[0]["kty"], published[0]["crv"], published[0]["kid"], published[0]["alg"], published[0]["use"], published[0]["d"]})
	assert.Empty(t, keys(func(_ string, c *oidcclient.Config) { c.AuthMethod = "client_secret_jwt" }), "a secret is not published")
}

func TestStartSession(t *testing.T) {
	refuses := errors.New("not this one")
	var asked []Login
	s := newSite(t, rig{config: func(c *Config) {
		c.OnLogin = func(_ context.Context, login Login) error {
			asked = append(asked, login)
			if len(asked) > 2 {
				return refuses
			}
			return nil
		}
	}})
	b := s.browser()
	b.login("/login/op")
	before := b.cookies()["__Host-rely-session"]
	login := s.h.must(t, b).Login
	start := func(client string, login *oidcclient.Session) (*httptest.ResponseRecorder, error) {
		r, w := httptest.NewRequest(http.MethodGet, "/device", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", "__Host-rely-session="+before)
		return w, s.h.StartSession(w, r, client, login)
	}
	w, err := start("op", login)
	require.NoError(t, err)
	after := w.Result().Cookies()[0].Value
	for value, status := range map[string]int{after: http.StatusOK, before: http.StatusUnauthorized} {
		assert.Equal(t, status, s.browser().ask("/session", nil, "Cookie", "__Host-rely-session="+value).StatusCode)
	}
	require.Len(t, asked, 2)
	assert.Same(t, login, asked[1].Session)
	_, err = start("op", login)
	assert.ErrorIs(t, err, refuses)
	var p *Problem
	for _, bad := range []struct {
		client string
		login  *oidcclient.Session
	}{{"nobody", login}, {"op", nil}, {"op", &oidcclient.Session{}}} {
		_, err := start(bad.client, bad.login)
		assert.ErrorAs(t, err, &p)
	}
	// Another client of the same issuer.
	others := newSite(t, rig{client: func(_ string, c *oidcclient.Config) { c.ClientID = "another" }})
	w = httptest.NewRecorder()
	err = others.h.StartSession(w, httptest.NewRequest(http.MethodGet, "/device", nil), "op", login)
	require.ErrorAs(t, err, &p)
	assert.Equal(t, http.StatusBadRequest, p.Status)
	assert.Empty(t, w.Result().Cookies())
}
