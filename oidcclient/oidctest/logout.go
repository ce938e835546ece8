package oidctest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Session is a login that the provider remembers.
type Session struct {
	// ID is the sid of its ID tokens, where the system writes one.
	ID string
	// Subject is the sub of its ID tokens.
	Subject string
	// Scopes were granted.
	Scopes []string
}

// Sessions returns the logins that have not ended, the oldest first.
func (p *Provider) Sessions() []Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Session
	for _, sid := range p.state.sessions.order {
		if g, ok := p.state.sessions.get(p.now(), sid); ok && !g.revoked {
			out = append(out, Session{sid, g.subject, slices.Clone(g.scopes)})
		}
	}
	return out
}

// endSession is the end_session_endpoint (OpenID Connect RP-Initiated Logout
// §2). It sends the browser only to a registered URI, and only for a client
// that shows an ID token or names itself.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	params, bad := authParams(r)
	if bad != nil {
		p.refusePage(w, bad)
		return
	}
	known := params["client_id"] == p.client.id
	if hint := params["id_token_hint"]; hint != "" {
		t, err := parseJWT(hint)
		if err != nil || !p.signedHere(t) || audience(t.claims) != p.client.id {
			p.refusePage(w, refuse("invalid_request", "id_token_hint is no token for this client"))
			return
		}
		p.end(text(t.claims, "sub"), text(t.claims, "sid"))
		known = true
	}
	if p.desc.authorize.signOn {
		if cookie, err := r.Cookie(ssoCookie); err == nil {
			p.mu.Lock()
			p.state.sso.take(p.now(), cookie.Value)
			p.mu.Unlock()
		}
		http.SetCookie(w, &http.Cookie{Name: ssoCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		forgetState(w)
	}
	next := params["post_logout_redirect_uri"]
	if next == "" {
		p.writePage(w, http.StatusOK, "", page{Heading: "You are logged out"})
		return
	}
	if !known || !slices.Contains(p.postLogoutURIs(), next) {
		p.refusePage(w, refuse("invalid_request", "post_logout_redirect_uri is not registered"))
		return
	}
	values := url.Values{}
	if params["state"] != "" {
		values.Set("state", params["state"])
		next = withParams(next, "query", values)
	}
	http.Redirect(w, r, next, p.desc.authorize.status)
}

// end revokes the tokens of one login, or of all logins of a subject when sid
// is empty.
func (p *Provider) end(subject, sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, e := range p.state.sessions.entries {
		if sid != "" && id == sid || sid == "" && e.value.subject == subject {
			e.value.revoked = true
		}
	}
}

func (p *Provider) postLogoutURIs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.config.PostLogoutRedirectURIs
}

// SetLogoutURIs replaces Config.BackChannelLogoutURI, FrontChannelLogoutURI and
// PostLogoutRedirectURIs, for a relying party whose address is known only after
// the provider's.
func (p *Provider) SetLogoutURIs(backChannel, frontChannel string, postLogout ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config.BackChannelLogoutURI, p.config.FrontChannelLogoutURI = backChannel, frontChannel
	p.config.PostLogoutRedirectURIs = slices.Clone(postLogout)
}

// LogoutToken returns a signed logout token (OpenID Connect Back-Channel Logout
// §2.4) for a subject, a sid or both; one may be empty.
func (p *Provider) LogoutToken(subject, sid string) (string, error) {
	issue := &Issue{
		Step:   StepLogout,
		Header: map[string]any{"alg": p.config.SigningAlg, "kid": p.signer().kid, "typ": "logout+jwt"},
		Claims: map[string]any{
			"iss": p.Issuer(), "aud": p.client.id, "jti": uuid(),
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		},
	}
	times(issue.Claims, p.now(), 2*time.Minute)
	setText(issue.Claims, "sub", subject)
	setText(issue.Claims, "sid", sid)
	p.tamper(issue)
	return p.signWith(issue)
}

// BackChannelLogout ends the login (all logins of the subject when sid is
// empty) and posts a logout token to the client's backchannel_logout_uri
// (OpenID Connect Back-Channel Logout §2.5). It returns the status of the
// answer; an error says that there was none, or no URI.
func (p *Provider) BackChannelLogout(ctx context.Context, subject, sid string) (status int, err error) {
	p.mu.Lock()
	target := p.config.BackChannelLogoutURI
	p.mu.Unlock()
	if target == "" {
		return 0, errors.New("oidctest: the client has no BackChannelLogoutURI")
	}
	token, err := p.LogoutToken(subject, sid)
	if err != nil {
		return 0, err
	}
	p.end(subject, sid)
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, body)
	if err != nil {
		return 0, errors.New("oidctest: BackChannelLogoutURI is no URL")
	}
	r.Header.Set("Content-Type", formType)
	answer, err := p.outgoing.Do(r)
	if err != nil {
		return 0, errors.New("oidctest: the client did not answer the logout token")
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxBody)) // the status is the answer
	return answer.StatusCode, answer.Body.Close()
}

// FrontChannelLogoutURL returns what the provider would load in a frame to end
// the login with this sid (OpenID Connect Front-Channel Logout §2); "" when the
// client has no FrontChannelLogoutURI.
func (p *Provider) FrontChannelLogoutURL(sid string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.config.FrontChannelLogoutURI == "" {
		return ""
	}
	return withParams(p.config.FrontChannelLogoutURI, "query", url.Values{"iss": {p.Issuer()}, "sid": {sid}})
}
