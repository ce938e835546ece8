package weblogin

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// granting is the client of an authorization server that identifies nobody.
func granting(id string, c *oidcclient.Config) {
	if id == "bank" {
		c.Profile, c.Scopes, c.Algorithm = profiles.OAuth(), []string{"email"}, ""
	}
}

// A session in which nobody is identified is good for its tokens, and opens no page.
func TestSessionOfNobody(t *testing.T) {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"bank": {}}, client: granting})
	b := s.browser()
	require.Equal(t, http.StatusSeeOther, b.login("/login/bank").StatusCode)
	said := b.session()
	assert.Equal(t, []any{"bank", "", map[string]any{}, "email"}, []any{said["client"], said["subject"], said["claims"], said["scope"]})

	for _, need := range []Requirement{{}, {Scopes: []string{"email"}}} {
		for _, accept := range []string{asBrowser, asProgram} {
			answer := b.visit(s.h.Require(need, hello()), accept)
			assert.Equal(t, http.StatusForbidden, answer.StatusCode, "not sent to log in there again, which would not help")
			assert.Empty(t, answer.Header.Get("WWW-Authenticate"))
		}
	}
	var token string
	attached := s.h.Attach(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		found, err := s.h.Session(r)
		require.NoError(t, err)
		got, err := s.h.Tokens(found).AccessToken(r.Context(), "")
		require.NoError(t, err)
		token = got.Value
	}))
	assert.Equal(t, http.StatusOK, b.visit(attached, asBrowser).StatusCode)
	assert.NotEmpty(t, token)

	refreshed := b.ask("/refresh", url.Values{}, "Sec-Fetch-Site", "same-origin", "Accept", "application/json")
	require.Equal(t, http.StatusOK, refreshed.StatusCode, refreshed.body)
	assert.Empty(t, refreshed.json(t)["subject"])
	assert.Equal(t, http.StatusSeeOther, b.ask("/logout", url.Values{}, "Sec-Fetch-Site", "same-origin").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.ask("/session", nil).StatusCode)
}

// A person who is logged in grants access elsewhere, and stays who they are.
func TestNobodyIsLinkedToAPerson(t *testing.T) {
	var got []Login
	s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {}, "bank": {}}, client: granting, config: func(c *Config) {
		c.OnLogin = func(_ context.Context, l Login) error {
			got = append(got, l)
			return nil
		}
	}})
	b := s.browser()
	b.login("/login/op")
	before := b.session()
	p := b.ask("/login/bank?link=1", url.Values{}, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
	_, target, form := b.follow(p, s.url+"/callback/")
	require.Equal(t, http.StatusSeeOther, b.ask(target, form).StatusCode)
	assert.Equal(t, before, b.session())
	require.Len(t, got, 2)
	assert.Equal(t, before["subject"], got[1].LinkTo.Login.Subject())
	assert.False(t, got[1].Session.Identified())
	assert.NotEmpty(t, got[1].Session.AccessToken().Value, "for the application to keep")
}

// Sessions of nobody have no subject under which the provider could end them all.
func TestLogoutNamesOfNobody(t *testing.T) {
	assert.Empty(t, logoutNames(&Session{Client: "bank", Login: &oidcclient.Session{}}))
}
