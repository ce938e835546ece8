package conformance

import (
	"html"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sessionModules are of Session Management. What the page's script does is asked of a
// browser elsewhere; here the page and what comes of its form are.
func sessionModules() []module {
	return []module{
		{"oidcc-client-test-session-management", oneOfEach(), func(r *rp) {
			for name, tt := range map[string]struct {
				change func(*rp)
				goesOn bool
			}{
				"changed, the same person":   {func(*rp) {}, true},
				"changed, a person less":     {answersLoginRequired, false},
				"changed, another person":    {func(r *rp) { r.op.ChangeJWT(more("sub"), FrontToken, CodeToken) }, false},
				"changed, a token not ours":  {func(r *rp) { r.op.ChangeJWT(more("aud"), FrontToken, CodeToken) }, false},
				"changed, in another's name": {func(r *rp) { r.op.ChangeJWT(more("iss"), FrontToken, CodeToken) }, false},
			} {
				r.Run(name, func(t *testing.T) {
					r := r.again(t)
					r.watchesSession(tt.change, tt.goesOn)
				})
			}
		}},
	}
}

func answersLoginRequired(r *rp) {
	r.op.Change(Authorize, func(_ *Call, a *Answer) {
		a.Params = url.Values{"error": {"login_required"}, "state": a.Params["state"]}
	})
}

// watchesSession reads the page that watches the provider's frame, and sends its form
// after a change at the provider.
func (r *rp) watchesSession(change func(*rp), goesOn bool) {
	r.Helper()
	r.op.Handle("check session", "/check_session", "check_session_iframe", func(*OP, *Call) *Answer {
		return &Answer{Status: http.StatusOK, Text: "<!doctype html>", Type: "text/html"}
	})
	r.op.Change(Authorize, func(_ *Call, a *Answer) { a.Params.Set("session_state", "hash.salt") })
	s := r.site(nil)
	s.login()
	p := s.get("/session-management/op")
	require.Equal(r, http.StatusOK, p.StatusCode, p.body)
	assert.Contains(r, p.body, `src="`+r.op.Issuer+`/check_session"`)
	assert.Contains(r, html.UnescapeString(p.body), `="`+r.op.Client.ID+` hash.salt"`, "what is posted to the frame")
	assert.Contains(r, p.body, `="`+r.op.URL+`"`, "the only origin that is believed")
	assert.Contains(r, p.Header.Get("Content-Security-Policy"), "frame-src "+r.op.URL+";")
	assert.Len(r, r.op.Calls(Authorize), 1, "nobody is asked before something has changed")
	assert.NotNil(r, s.session())
	change(r)
	s.follow(http.MethodPost, s.url+"/session-management/op", url.Values{})
	assert.Equal(r, "none", r.asked().Get("prompt"))
	assert.NotEmpty(r, r.asked().Get("id_token_hint"))
	assert.Equal(r, goesOn, s.session() != nil)
}
