package conformance

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// A site is an application with the relying party as its client "op", and a browser.
type site struct {
	*rp
	url     string
	handler *weblogin.Handler
	browser *http.Client
	// What [weblogin.Handler.LoggedOut] said last.
	knewLogout bool
	notKnown   error
	// problem is what an error page was last made of.
	problem *weblogin.Problem
}

// page is an answer to the browser.
type page struct {
	*http.Response
	body string
}

// site makes the relying party an application; change may add to it.
func (r *rp) site(change func(*weblogin.Config)) *site {
	r.Helper()
	s := &site{rp: r}
	var serving atomic.Pointer[weblogin.Handler]
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/": // post_logout_redirect_uri
			s.knewLogout, s.notKnown = serving.Load().LoggedOut(w, req)
			_, _ = fmt.Fprintf(w, "logged out: %v, %v", s.knewLogout, s.notKnown)
		case "/account":
			_, _ = io.WriteString(w, "the application's own page")
		default:
			serving.Load().ServeHTTP(w, req)
		}
	}))
	secured(server)
	r.Cleanup(server.Close)
	s.url = server.URL
	r.config.RedirectURI, r.config.PostLogoutRedirectURI = s.url+"/callback/op", s.url+"/"
	r.op.Client.RedirectURI, r.op.Client.PostLogoutRedirectURI = r.config.RedirectURI, r.config.PostLogoutRedirectURI
	if r.config.Register != nil {
		r.config.Register.Metadata["request_uris"] = []string{s.url + "/request/op/"}
	}
	config := weblogin.Config{BaseURL: s.url, Clients: map[string]*oidcclient.Client{"op": r.client()}, Clock: r.config.Clock}
	config.ErrorPage = func(w http.ResponseWriter, _ *http.Request, p *weblogin.Problem) {
		s.problem = p
		w.WriteHeader(p.Status)
	}
	if change != nil {
		change(&config)
	}
	var err error
	s.handler, err = weblogin.New(config)
	require.NoError(r, err)
	serving.Store(s.handler)
	jar, err := cookiejar.New(nil)
	require.NoError(r, err)
	s.browser = server.Client()
	s.browser.Jar = jar
	s.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// secured starts a server behind TLS.
func secured(server *httptest.Server) {
	server.TLS = &tls.Config{Certificates: []tls.Certificate{serverCertificate()}}
	server.StartTLS()
}

// get asks as a browser, and goes on as one: to where it is redirected, and with
// forms that post themselves or were in a fragment.
func (s *site) get(target string) page {
	s.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.url + target
	}
	return s.follow(http.MethodGet, target, nil)
}

func (s *site) follow(method, target string, form url.Values) page {
	s.Helper()
	for range 10 {
		p := s.send(method, target, form)
		method, form = http.MethodGet, nil
		switch {
		case p.StatusCode == http.StatusSeeOther:
			to, err := p.Location()
			require.NoError(s, err)
			if text := to.EscapedFragment(); text != "" {
				method = http.MethodPost
				form, err = url.ParseQuery(text)
				require.NoError(s, err)
				to.Fragment, to.RawFragment = "", ""
			}
			target = to.String()
		case strings.Contains(p.body, "document.forms[0].submit()") && strings.Contains(p.body, `action="`+s.rp.config.RedirectURI):
			method, target, form = http.MethodPost, s.rp.config.RedirectURI, hidden(p.body)
		default:
			return p
		}
	}
	require.Fail(s, "sent on too often")
	return page{}
}

func (s *site) send(method, target string, form url.Values) page {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, target, strings.NewReader(form.Encode()))
	require.NoError(s, err)
	req.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.browser.Do(req)
	require.NoError(s, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(s, err)
	return page{answer, string(body)}
}

// refuses demands that an answer is the error page of a refusal, by the check or with the
// code.
func (s *site) refuses(p page, check, code string) {
	s.Helper()
	assert.Equal(s, http.StatusBadRequest, p.StatusCode)
	require.NotNil(s, s.problem)
	assert.Equal(s, http.StatusBadRequest, s.problem.Status)
	assert.Equal(s, check, s.problem.Check)
	assert.Equal(s, code, s.problem.Code)
}

// login logs the browser in and returns the subject and sid of the ID token.
func (s *site) login() (subject, sid string) {
	s.Helper()
	s.op.ChangeJWT(func(t *JWT) { subject, sid = t.Claims["sub"].(string), t.Claims["sid"].(string) }, FrontToken, CodeToken)
	p := s.get("/login/op?return_to=/account")
	require.Equal(s, s.url+"/account", p.Request.URL.String(), p.body)
	require.NotNil(s, s.session())
	return subject, sid
}

// logout ends the session by the application's own page. meanwhile is what happens
// while the browser is at the end_session_endpoint.
func (s *site) logout(meanwhile func()) page {
	s.Helper()
	p := s.send(http.MethodPost, s.url+"/logout", url.Values{})
	require.Equal(s, http.StatusSeeOther, p.StatusCode, p.body)
	assert.Nil(s, s.session())
	to, err := p.Location()
	require.NoError(s, err)
	if meanwhile != nil {
		meanwhile()
	}
	return s.get(to.String())
}

// deliver posts a logout token as the provider does, beside a parameter that nobody
// knows.
func (s *site) deliver(token string) page {
	s.Helper()
	return s.stranger(http.MethodPost, "/backchannel-logout/op", url.Values{"logout_token": {token}, "unknown": {"to be ignored"}})
}

// frame loads the front-channel URI as a frame in the provider's page: there a browser
// has no cookies for the site.
func (s *site) frame(issuer, sid string) page {
	s.Helper()
	return s.stranger(http.MethodGet, "/frontchannel-logout/op?"+url.Values{"iss": {issuer}, "sid": {sid}}.Encode(), nil)
}

// stranger asks without the cookies of the browser.
func (s *site) stranger(method, target string, form url.Values) page {
	s.Helper()
	jar := s.browser.Jar
	s.browser.Jar = nil
	defer func() { s.browser.Jar = jar }()
	return s.send(method, s.url+target, form)
}

// session is what the application says of the browser's session, nil without one.
func (s *site) session() map[string]any {
	s.Helper()
	p := s.send(http.MethodGet, s.url+"/session", nil)
	if p.StatusCode == http.StatusUnauthorized {
		return nil
	}
	require.Equal(s, http.StatusOK, p.StatusCode, p.body)
	var out map[string]any
	require.NoError(s, json.Unmarshal([]byte(p.body), &out))
	return out
}
