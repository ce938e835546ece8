package oidctest

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	codeLifetime    = time.Minute
	loginLifetime   = 10 * time.Minute
	sessionLifetime = 24 * time.Hour
	ssoCookie       = "oidctest_login"
)

// authRequest is an authorization request that was found good enough to answer
// at its redirect URI.
type authRequest struct {
	params      map[string]string
	redirectURI string
	mode        string // response_mode
	scopes      []string
}

// authorize is the authorization endpoint (OpenID Connect Core §3.1.2).
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	outer, bad := authParams(r)
	if bad != nil {
		p.refusePage(w, bad)
		return
	}
	params, bad := p.effective(outer)
	if bad != nil {
		p.refusePage(w, bad)
		return
	}
	req, bad := p.target(params)
	if bad != nil {
		p.refusePage(w, bad)
		return
	}
	if bad := p.checkRequest(req, outer, r.Method == http.MethodGet); bad != nil {
		p.refuseLogin(w, r, req, bad)
		return
	}
	p.decide(w, r, req)
}

func authParams(r *http.Request) (map[string]string, *refusal) {
	if r.Method == http.MethodPost {
		return form(r)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("invalid_request", "query can't be read")
	}
	return once(values)
}

// effective resolves a pushed request (RFC 9126 §4) or a request object
// (OpenID Connect Core §6.1) into the parameters that count.
func (p *Provider) effective(outer map[string]string) (map[string]string, *refusal) {
	uri := outer["request_uri"]
	if p.desc.authorize.request != requestNever && (strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://")) {
		object, bad := p.fetchObject(uri)
		if bad != nil {
			return nil, bad
		}
		outer = maps.Clone(outer)
		delete(outer, "request_uri")
		outer["request"], uri = object, ""
	}
	if uri != "" {
		p.mu.Lock()
		pushed, ok := p.state.pushed.take(p.now(), uri)
		p.mu.Unlock()
		if !ok || pushed.Get("client_id") != outer["client_id"] {
			return nil, refuse("invalid_request_uri", "request_uri is unknown or was used")
		}
		return once(pushed)
	}
	rules := p.desc.authorize
	switch {
	case outer["request"] != "" && rules.request == requestNever:
		return nil, refuse("request_not_supported", "request objects are not supported")
	case outer["request"] == "" && rules.request == requestMust:
		return nil, refuse("invalid_request", "request is missing")
	case outer["request"] == "":
		return outer, nil
	}
	return rules.requestObject(p, outer)
}

// fetchObject gets a request object from where the client serves it (OpenID Connect
// Core §6.2, RFC 9101 §5.2.3). Only loopback is asked.
func (p *Provider) fetchObject(uri string) (string, *refusal) {
	bad := refuse("invalid_request_uri", "request_uri can't be fetched")
	u, err := url.Parse(uri)
	if err != nil || len(uri) > 512 {
		return "", bad
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", bad
	}
	resp, err := p.outgoing.Get(uri)
	if err != nil {
		return "", bad
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxJWT))
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/oauth-authz-req+jwt" {
		return "", bad
	}
	return string(text), nil
}

// target checks the client and where the answer would go; until both are known
// nothing is sent anywhere.
func (p *Provider) target(params map[string]string) (*authRequest, *refusal) {
	if params["client_id"] != p.client.id {
		return nil, refuse("invalid_client", "client_id is unknown")
	}
	uri := params["redirect_uri"]
	p.mu.Lock()
	registered := p.config.RedirectURIs
	p.mu.Unlock()
	open := p.desc.authorize.openRedirect && len(registered) == 0
	u, err := url.Parse(uri)
	if err != nil || !u.IsAbs() || u.Host == "" || u.Fragment != "" || !open && !slices.Contains(registered, uri) {
		return nil, refuse("invalid_request", "redirect_uri is not registered")
	}
	return &authRequest{params: params, redirectURI: uri, mode: "query", scopes: strings.Fields(params["scope"])}, nil
}

// checkRequest checks what a refusal can be sent to the client for.
func (p *Provider) checkRequest(req *authRequest, outer map[string]string, query bool) *refusal {
	rules := p.desc.authorize
	if mode := req.params["response_mode"]; mode != "" {
		if !slices.Contains(rules.modes, mode) {
			return refuse("invalid_request", "response_mode is not supported")
		}
		req.mode = mode
	}
	if req.params["response_type"] != "code" {
		return refuse("unsupported_response_type", "response_type is not code")
	}
	for _, name := range rules.demanded {
		if req.params[name] == "" {
			return refuse("invalid_request", name+" is missing")
		}
	}
	if len(req.scopes) == 0 {
		req.scopes = strings.Fields(rules.defaultScope)
	}
	for _, scope := range rules.scopes {
		if !slices.Contains(req.scopes, scope) {
			return refuse("invalid_scope", "scope lacks "+scope)
		}
	}
	if bad := checkChallenge(req.params); bad != nil {
		return bad
	}
	if age := req.params["max_age"]; age != "" {
		if n, err := strconv.Atoi(age); err != nil || n < 0 {
			return refuse("invalid_request", "max_age is no number of seconds")
		}
	}
	if rules.check != nil {
		return rules.check(p, req.params, query && outer["login_hint"] != "")
	}
	return nil
}

// checkChallenge demands S256 wherever PKCE is used (RFC 7636 §4.3).
func checkChallenge(params map[string]string) *refusal {
	challenge, method := params["code_challenge"], params["code_challenge_method"]
	if challenge == "" && method == "" {
		return nil
	}
	if raw, err := b64.DecodeString(challenge); method != "S256" || err != nil || len(raw) != 32 {
		return refuse("invalid_request", "code_challenge is not of S256")
	}
	return nil
}

// decide approves the request, or asks a human.
func (p *Provider) decide(w http.ResponseWriter, r *http.Request, req *authRequest) {
	prompts := strings.Fields(req.params["prompt"])
	known := p.signedOn(r, req, prompts)
	switch {
	case slices.Contains(prompts, "none") && p.desc.authorize.signOn:
		if known == nil || len(prompts) > 1 {
			p.refuseLogin(w, r, req, refuse("login_required", "nobody has logged in"))
			return
		}
		p.approve(w, r, req, *known)
	case known != nil:
		p.approve(w, r, req, *known)
	case p.config.Interactive:
		handle := random(24)
		p.mu.Lock()
		p.state.logins.put(p.now(), handle, req, loginLifetime)
		p.mu.Unlock()
		p.loginPage(w, handle, req)
	default:
		p.approve(w, r, req, signedOn{p.chosen(), p.now()})
	}
}

// signedOn returns the earlier login of this browser when the request may use
// it (OpenID Connect Core §3.1.2.1, prompt and max_age).
func (p *Provider) signedOn(r *http.Request, req *authRequest, prompts []string) *signedOn {
	cookie, err := r.Cookie(ssoCookie)
	if err != nil || !p.desc.authorize.signOn || slices.Contains(prompts, "login") || slices.Contains(prompts, "select_account") {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.state.sso.get(p.now(), cookie.Value)
	if !ok {
		return nil
	}
	if age, err := strconv.Atoi(req.params["max_age"]); err == nil && p.now().Sub(s.authTime) > time.Duration(age)*time.Second {
		return nil
	}
	return s
}

// chosen is the person who is approved without asking.
func (p *Provider) chosen() Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, person := range p.config.Persons {
		if name := p.hooks.login; name != "" && (name == person.Subject || name == person.Username) {
			return person
		}
	}
	return p.config.Persons[0]
}

// login receives the choice made on the login page.
func (p *Provider) login(w http.ResponseWriter, r *http.Request) {
	params, bad := form(r)
	if bad != nil {
		p.refusePage(w, bad)
		return
	}
	p.mu.Lock()
	req, ok := p.state.logins.take(p.now(), params["login"])
	p.mu.Unlock()
	if !ok {
		p.refusePage(w, refuse("invalid_request", "this login has ended; start again"))
		return
	}
	i, err := strconv.Atoi(params["person"])
	if err != nil || i < 0 || i >= len(p.config.Persons) || params["cancel"] != "" {
		p.refuseLogin(w, r, req, refuse("access_denied", "the person said no"))
		return
	}
	p.approve(w, r, req, signedOn{p.config.Persons[i], p.now()})
}

// approve makes an authorization code and sends the browser back with it.
func (p *Provider) approve(w http.ResponseWriter, r *http.Request, req *authRequest, who signedOn) {
	if p.desc.authorize.signOn {
		handle := random(24)
		p.mu.Lock()
		p.state.sso.put(p.now(), handle, &who, sessionLifetime)
		p.mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: ssoCookie, Value: handle, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	p.respond(w, r, req, p.callback(req, p.withState(w, r, req, url.Values{"code": {p.newCode(req, who)}})))
}

// newCode remembers what the person agreed to.
func (p *Provider) newCode(req *authRequest, who signedOn) string {
	g := &grant{
		person: who.person, subject: p.desc.subject(p, who.person), client: p.client.id, scopes: req.scopes,
		redirectURI: req.redirectURI, nonce: req.params["nonce"], acr: p.acr(req.params["acr_values"]),
		challenge: req.params["code_challenge"], jkt: req.params["dpop_jkt"], authTime: who.authTime, sid: uuid(),
	}
	code := random(32)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.codes.put(p.now(), code, g, codeLifetime)
	p.state.sessions.put(p.now(), g.sid, g, sessionLifetime)
	return code
}

// acr is the first of the requested values that the system knows.
func (p *Provider) acr(requested string) string {
	for _, value := range strings.Fields(requested) {
		if len(p.desc.acrs) == 0 || slices.Contains(p.desc.acrs, value) {
			return value
		}
	}
	return ""
}

// callback completes the parameters of an authorization response.
func (p *Provider) callback(req *authRequest, values url.Values) url.Values {
	if state := req.params["state"]; state != "" {
		values.Set("state", state)
	}
	if p.desc.authorize.issuer {
		values.Set("iss", p.Issuer())
	}
	p.mu.Lock()
	hook, f := p.hooks.onCallback, p.hooks.fault
	p.mu.Unlock()
	if f.callback != nil {
		f.callback(values)
	}
	if hook != nil {
		hook(values)
	}
	return values
}

// refuseLogin says no at the redirect URI, or on a page where the system never
// tells the client.
func (p *Provider) refuseLogin(w http.ResponseWriter, r *http.Request, req *authRequest, bad *refusal) {
	if p.desc.authorize.onPage {
		p.refusePage(w, bad)
		return
	}
	p.respond(w, r, req, p.callback(req, url.Values{"error": {bad.code}, "error_description": {bad.text}}))
}

// respond sends the browser back in the response_mode of the request.
func (p *Provider) respond(w http.ResponseWriter, r *http.Request, req *authRequest, values url.Values) {
	if req.mode == "form_post" {
		p.postBackPage(w, req.redirectURI, values)
		return
	}
	http.Redirect(w, r, withParams(req.redirectURI, req.mode, values), p.desc.authorize.status)
}

// withParams appends parameters to the query, which may exist (RFC 6749
// §4.1.2), or as the fragment.
func withParams(uri, mode string, values url.Values) string {
	switch {
	case mode == "fragment":
		return uri + "#" + values.Encode()
	case strings.Contains(uri, "?"):
		return uri + "&" + values.Encode()
	}
	return uri + "?" + values.Encode()
}

// push takes an authorization request in the back channel (RFC 9126 §2).
func (p *Provider) push(w http.ResponseWriter, r *http.Request) {
	params, bad := form(r)
	if bad == nil {
		bad = p.authenticate(r, params)
	}
	jkt := ""
	if bad == nil {
		jkt, bad = p.proof(w, r, StepPush, "")
	}
	if bad == nil && params["request_uri"] != "" {
		bad = refuse("invalid_request", "request_uri can't be pushed")
	}
	if bad == nil {
		params["client_id"] = p.client.id
		params, bad = p.effective(params)
	}
	var req *authRequest
	if bad == nil {
		req, bad = p.target(params)
	}
	if bad == nil {
		bad = p.checkRequest(req, params, false)
	}
	if bad == nil && jkt != "" {
		bad = boundTo(params["dpop_jkt"], jkt)
		params["dpop_jkt"] = jkt
	}
	if bad != nil {
		p.refuseToken(w, r, bad)
		return
	}
	values := url.Values{}
	for name, value := range params {
		if !slices.Contains([]string{"client_secret", "client_assertion", "client_assertion_type"}, name) {
			values.Set(name, value)
		}
	}
	uri := "urn:ietf:params:oauth:request_uri:" + random(24)
	p.mu.Lock()
	p.state.pushed.put(p.now(), uri, values, codeLifetime)
	p.mu.Unlock()
	writeMembers(w, http.StatusCreated, []member{{"request_uri", uri}, {"expires_in", int(codeLifetime.Seconds())}})
}
