package oidctest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"
)

// token is the token endpoint (RFC 6749 §3.2).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	params, bad := form(r)
	if bad == nil {
		bad = p.authenticate(r, params)
	}
	if bad == nil && params["grant_type"] == "" {
		bad = refuse("invalid_request", "grant_type is missing")
	}
	if bad == nil && !slices.Contains(p.desc.token.grants, params["grant_type"]) {
		bad = refuse("unsupported_grant_type", "grant_type is not supported")
	}
	if bad != nil {
		p.refuseToken(w, r, bad)
		return
	}
	jkt, bad := p.proof(w, r, StepToken, "")
	if bad != nil {
		p.refuseToken(w, r, bad)
		return
	}
	var g *grant
	switch params["grant_type"] {
	case "authorization_code":
		g, bad = p.spendCode(params, jkt)
	case "refresh_token":
		g, bad = p.spendRefresh(params, jkt)
	default:
		g, bad = p.machine(params)
	}
	if bad != nil {
		p.refuseToken(w, r, bad)
		return
	}
	scopes := g.scopes
	if narrowed := strings.Fields(params["scope"]); params["grant_type"] == "refresh_token" && len(narrowed) > 0 {
		scopes = narrowed
	}
	p.answerTokens(w, g, params["grant_type"], scopes, jkt)
}

// spendCode exchanges a code, once. A second try ends the whole login (RFC 6749
// §4.1.2).
func (p *Provider) spendCode(params map[string]string, jkt string) (*grant, *refusal) {
	if params["code"] == "" || params["redirect_uri"] == "" {
		return nil, refuse("invalid_request", "code or redirect_uri is missing")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.state.codes.get(p.now(), params["code"])
	if !ok {
		return nil, refuse("invalid_grant", "code is unknown or expired")
	}
	if g.used {
		g.revoked = true
		return nil, refuse("invalid_grant", "code was used before")
	}
	g.used = true
	if params["redirect_uri"] != g.redirectURI {
		return nil, refuse("invalid_grant", "redirect_uri is not that of the request")
	}
	if !provesChallenge(g.challenge, params["code_verifier"]) {
		return nil, refuse("invalid_grant", "code_verifier does not fit")
	}
	return g, boundTo(g.jkt, jkt)
}

// provesChallenge checks S256 (RFC 7636 §4.6). A verifier without a challenge is
// an attack or a mistake.
func provesChallenge(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	if len(verifier) < 43 || len(verifier) > 128 || strings.Trim(verifier, unreserved) != "" {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(b64.EncodeToString(sum[:])), []byte(challenge)) == 1
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// spendRefresh uses a refresh token. Where they rotate, a second use of one ends
// the login (RFC 9700 §4.14.2).
func (p *Provider) spendRefresh(params map[string]string, jkt string) (*grant, *refusal) {
	if params["refresh_token"] == "" {
		return nil, refuse("invalid_request", "refresh_token is missing")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.state.refresh.get(p.now(), params["refresh_token"])
	if !ok || t.grant.revoked {
		return nil, refuse("invalid_grant", "refresh_token is unknown or expired")
	}
	if t.spent {
		t.grant.revoked = true
		return nil, refuse("invalid_grant", "refresh_token was used before")
	}
	if p.desc.token.redirectURI && params["redirect_uri"] != t.grant.redirectURI {
		return nil, refuse("invalid_grant", "redirect_uri is not that of the login")
	}
	for _, scope := range strings.Fields(params["scope"]) {
		if !slices.Contains(t.grant.scopes, scope) {
			return nil, refuse("invalid_scope", "scope was not granted")
		}
	}
	if bad := boundTo(t.jkt, jkt); bad != nil {
		return nil, bad
	}
	t.spent = p.desc.token.refresh == refreshRotate
	return t.grant, nil
}

// machine is the client credentials grant (RFC 6749 §4.4).
func (p *Provider) machine(params map[string]string) (*grant, *refusal) {
	scopes := strings.Fields(params["scope"])
	for _, scope := range p.desc.authorize.scopes {
		if scope != "openid" && !slices.Contains(scopes, scope) {
			return nil, refuse("invalid_scope", "scope lacks "+scope)
		}
	}
	return &grant{client: p.client.id, subject: p.client.id, scopes: scopes, authTime: p.now(), machine: true}, nil
}

// answerTokens makes and sends the tokens of a grant, bound to a key where jkt is
// not "".
func (p *Provider) answerTokens(w http.ResponseWriter, g *grant, grantType string, scopes []string, jkt string) {
	rules, now := p.desc.token, p.now()
	access, lifetime := rules.opaque(), rules.lifetime(g)
	answer := map[string]any{
		"access_token": access, "token_type": rules.tokenType, "expires_in": int(lifetime.Seconds()),
	}
	if jkt != "" {
		answer["token_type"] = "DPoP"
	}
	if rules.scopeMember {
		answer["scope"] = strings.Join(scopes, " ")
	}
	refresh, err := p.nextRefresh(g, grantType)
	if err != nil {
		http.Error(w, "token can't be made", http.StatusInternalServerError)
		return
	}
	if refresh != "" {
		answer["refresh_token"] = refresh
	}
	if rules.extra != nil {
		rules.extra(p, g, answer)
	}
	p.mu.Lock()
	p.state.access.put(now, access, g, lifetime)
	if jkt != "" {
		p.state.bound.put(now, access, jkt, lifetime)
	}
	if refresh != "" {
		t := &refreshToken{grant: g}
		if p.client.method == "none" {
			t.jkt = jkt
		}
		p.state.refresh.put(now, refresh, t, rules.refreshFor)
	}
	p.mu.Unlock()
	if err := p.addIDToken(g, grantType, slices.Contains(scopes, "openid"), answer); err != nil {
		http.Error(w, "token can't be signed", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, "application/json", answer, p.desc.answerOrder)
}

// nextRefresh makes the refresh token of an answer; "" when it has none.
func (p *Provider) nextRefresh(g *grant, grantType string) (string, error) {
	rules := p.desc.token
	first := grantType == "authorization_code"
	switch {
	case rules.refresh == refreshNever || g.machine:
		return "", nil
	case !first && rules.refresh == refreshKeep:
		return "", nil
	case first && rules.omitFirst != nil && rules.omitFirst(p, g):
		return "", nil
	case rules.newRefresh != nil:
		return rules.newRefresh(p, g)
	}
	return rules.opaque(), nil
}

// addIDToken lets the hook see the answer and adds the signed ID token.
func (p *Provider) addIDToken(g *grant, grantType string, wanted bool, answer map[string]any) error {
	issue := &Issue{Step: StepToken, Grant: grantType, Answer: answer}
	if wanted && !g.machine {
		key := p.signer()
		issue.Header, issue.Claims = p.desc.header(p, key), p.desc.claims(p, g, p.now())
		if _, hashed := issue.Claims["at_hash"]; hashed {
			issue.Claims["at_hash"] = leftHalf(p.config.SigningAlg, text(answer, "access_token"))
		}
		if grantType != "authorization_code" {
			delete(issue.Claims, "nonce") // OpenID Connect Core §12.2
		}
		addClaims(issue.Claims, g.person.Claims)
	}
	p.tamper(issue)
	if _, set := answer["id_token"]; set || len(issue.Claims) == 0 {
		return nil
	}
	compact, err := p.signWith(issue)
	answer["id_token"] = compact
	return err
}

func addClaims(claims, more map[string]any) {
	for name, value := range more {
		claims[name] = value
	}
}

// refuseToken says no in the shape of the system.
func (p *Provider) refuseToken(w http.ResponseWriter, r *http.Request, bad *refusal) {
	rules := p.desc.token
	if bad.code == "invalid_client" {
		bad.status = rules.badClient
		if r.Header.Get("Authorization") != "" && bad.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		}
	}
	if same, ok := rules.texts[bad.code]; ok {
		bad.text = same
	}
	if rules.shape != nil {
		status, members := rules.shape(p, bad)
		writeMembers(w, status, members)
		return
	}
	writeMembers(w, bad.status, []member{{"error", bad.code}, {"error_description", bad.text}})
}

// userinfo is the userinfo endpoint (OpenID Connect Core §5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	g, ok := p.access(w, r, StepUserInfo)
	if ok && g.machine {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	if !ok || g.machine {
		writeMembers(w, http.StatusUnauthorized, []member{{"error", "invalid_token"}, {"error_description", "access token is unknown or expired"}})
		return
	}
	if !slices.Contains(g.scopes, "openid") { // OpenID Connect Core §5.3.1: an access token of OpenID Connect
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="openid"`)
		writeMembers(w, http.StatusForbidden, []member{{"error", "insufficient_scope"}, {"error_description", "access token is not for userinfo"}})
		return
	}
	rules := p.desc.userInfo
	issue := &Issue{Step: StepUserInfo, Claims: rules.claims(p, g, p.now())}
	addClaims(issue.Claims, g.person.Claims)
	if !rules.signed {
		p.tamper(issue)
		writeJSON(w, http.StatusOK, rules.contentType, issue.Claims, []string{"sub"})
		return
	}
	issue.Header = p.desc.header(p, p.signer())
	p.tamper(issue)
	compact, err := p.signWith(issue)
	if err != nil {
		http.Error(w, "userinfo can't be signed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", rules.contentType)
	_, _ = w.Write([]byte(compact)) // the client may be gone
}

// times are the claims that every signed answer has.
func times(claims map[string]any, now time.Time, lifetime time.Duration) {
	claims["iat"], claims["exp"] = now.Unix(), now.Add(lifetime).Unix()
}
