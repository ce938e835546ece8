package oidcclient

import (
	"context"
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/idtoken"
)

// maxCallback bounds the parameters of an authorization response, in bytes.
const maxCallback = 32 << 10

// Complete finishes a login. pending is what Begin returned to this browser,
// taken out of its keeping so that it serves only once; values are the
// parameters that the browser brought: r.URL.Query() of a GET, or r.PostForm of
// a form_post.
//
// The order is fixed: the signature of a signed response, each parameter once, the
// state, the issuer (RFC 9207), only then the provider's error, the age of the login;
// then the code is exchanged in one request, and the ID token is judged by all the
// checks of [idtoken.Verifier.Verify] and by what [BeginOptions.Claims] demanded; then
// userinfo, where the configuration asks for it, has to be about the same subject.
func (c *Client) Complete(ctx context.Context, pending *Pending, values url.Values) (*Session, error) {
	if pending == nil || pending.data.Version != pendingVersion {
		return nil, refuse(StepCallback, "pending", "no login was begun in this browser")
	}
	d := &pending.data
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	if d.ClientID != c.cfg.ClientID || d.Issuer != c.issuer {
		return nil, refuse(StepCallback, "pending", "login was begun with another client")
	}
	if kind, _ := responseTypeOf(d.ResponseType); isSignedMode(d.ResponseMode) != isSignedMode(c.cfg.ResponseMode) || kind != c.cfg.responseType() {
		return nil, refuse(StepCallback, "response_mode", "login was begun with another response mode")
	}
	if c.cfg.DPoP && len(d.DPoPKey) == 0 {
		return nil, refuse(StepCallback, "dpop", "login was begun without a key to bind tokens to")
	}
	if values, err = c.ReadResponse(ctx, values); err != nil {
		return nil, err
	}
	code, err := c.readCallback(d, found, values)
	if err != nil {
		return nil, err
	}
	front, err := c.frontIdentity(ctx, found, d, values)
	if err != nil {
		return nil, err
	}
	session, err := c.believe(ctx, found, d, values, code, front)
	if err != nil {
		return nil, err
	}
	session.data.SessionState = sessionState(values)
	if c.cfg.UserInfo {
		if session, err = c.UserInfo(ctx, session); err != nil {
			return nil, err
		}
	}
	return c.withSources(ctx, found, session), nil
}

// maxSessionState bounds session_state, in bytes.
const maxSessionState = 512

// sessionState reads what is sent to the provider's iframe together with the client's
// identifier, from which a space divides it. One that can't be sent counts for none.
func sessionState(values url.Values) string {
	state := values.Get("session_state")
	if len(state) > maxSessionState || strings.ContainsFunc(state, func(r rune) bool { return r <= ' ' || r > 0x7e }) {
		return ""
	}
	return state
}

// believe makes the session: of what the code is worth, or of what came with the
// browser where there is none.
func (c *Client) believe(ctx context.Context, found *provider, d *pendingData, values url.Values, code string, front *idtoken.IDToken) (*Session, error) {
	if !c.cfg.responseType().code {
		return c.frontSession(d, front, values)
	}
	answered, err := c.exchange(ctx, found, d, code)
	if err != nil {
		return nil, err
	}
	session, err := c.identify(ctx, found, d, answered, code)
	if err != nil {
		return nil, err
	}
	if err := sameAsFront(front, session); err != nil {
		return nil, err
	}
	return session, nil
}

// readCallback judges an authorization response and returns its code (OpenID
// Connect Core §3.1.2.7, RFC 9207 §2.4).
func (c *Client) readCallback(d *pendingData, found *provider, values url.Values) (string, error) {
	size := 0
	for name, list := range values {
		size += len(name)
		for _, value := range list {
			size += len(value)
		}
		if len(list) > 1 {
			return "", refuse(StepCallback, "parameters", "a parameter is there twice")
		}
	}
	if size > maxCallback {
		return "", refuse(StepCallback, "parameters", "parameters are too long")
	}
	state := values.Get("state")
	if d.State == "" || subtle.ConstantTimeCompare([]byte(state), []byte(d.State)) != 1 {
		return "", refuse(StepCallback, "state", "state is not that of the login begun in this browser")
	}
	if err := c.checkCallbackIssuer(found, values); err != nil {
		return "", err
	}
	failed, code := values.Get("error"), values.Get("code")
	switch {
	case values.Has("error") && slices.ContainsFunc([]string{"code", "id_token", "access_token"}, values.Has):
		return "", refuse(StepCallback, "parameters", "both what was asked for and an error came back")
	case failed != "":
		return "", callbackError(failed)
	case !c.now().Before(d.ExpiresAt):
		return "", refuse(StepCallback, "expired", "login was begun too long ago")
	}
	if err := c.cfg.responseType().expected(values); err != nil {
		return "", err
	}
	return code, nil
}

// checkCallbackIssuer defends against mix-up: a response of one provider given
// to the client of another.
func (c *Client) checkCallbackIssuer(found *provider, values url.Values) error {
	if !values.Has("iss") {
		if c.cfg.responseType().idToken && values.Has("id_token") {
			return nil // whose iss says the same, signed (RFC 9207 §2.4)
		}
		if found.ResponseIssuerSupported || c.cfg.Profile.RequireCallbackIssuer {
			return refuse(StepCallback, "iss", "provider sends iss with its answers, and this one has none")
		}
		return nil
	}
	if values.Get("iss") != c.issuer {
		return refuse(StepCallback, "iss", "answer is another issuer's")
	}
	return nil
}

// callbackError turns the provider's error into ours.
func callbackError(code string) *Error {
	e := &Error{Step: StepCallback, Fault: FaultAnswer, Code: safeCode(code), Reason: "provider did not log the person in"}
	switch code {
	case "temporarily_unavailable":
		e.Fault = FaultOutage
	case "server_error", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope":
		e.Fault = FaultProvider
	}
	return e
}

// exchange sends the code (OpenID Connect Core §3.1.3.1, RFC 7636 §4.5).
func (c *Client) exchange(ctx context.Context, found *provider, d *pendingData, code string) (*tokenResponse, error) {
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {code},
		"redirect_uri": {d.RedirectURI},
	}
	if d.Verifier != "" {
		form.Set("code_verifier", d.Verifier)
	}
	return c.requestToken(ctx, StepExchange, found, form, openProofKey(d.DPoPKey))
}

// maxTokenAge is how old an ID token may be that has just been issued.
const maxTokenAge = 10 * time.Minute

// newSession makes a session of tokens, in which nobody is identified yet.
func (c *Client) newSession(d *pendingData, t *tokenResponse) *Session {
	s := &Session{data: sessionData{
		Version: sessionVersion, ClientID: c.cfg.ClientID, Issuer: c.issuer,
		StartedAt: c.now().UTC().Round(0), Scopes: d.Scopes, AlternativeSubject: c.cfg.Profile.AlternativeSubject,
	}}
	s.data.take(t, c.cfg.Profile.Refresh.Never)
	s.proofKey = openProofKey(d.DPoPKey)
	return s
}

// expect is what an ID token has to answer that identifies the person of this login.
func (d *pendingData) expect() idtoken.Expect {
	want := idtoken.Expect{Nonce: d.Nonce, State: d.State, MinACR: d.MinACR}
	if d.Nonce == "" {
		// Nothing else in it says that it was made for this login.
		want.MaxTokenAge = maxTokenAge
	}
	if d.MaxAge != nil {
		maxAge := time.Duration(*d.MaxAge) * time.Second
		want.MaxAge = &maxAge
	}
	return want
}

// identify judges the identity in a token response and makes the session.
func (c *Client) identify(ctx context.Context, found *provider, d *pendingData, t *tokenResponse, code string) (*Session, error) {
	s := c.newSession(d, t)
	if c.cfg.Profile.Identity == IdentifyNobody {
		return s, nil
	}
	if t.idToken == "" {
		e := providerFault(StepIdentity, 200, "token response has no id_token")
		e.Check = "id_token"
		return nil, e
	}
	if found.legacy != nil {
		legacy, err := found.legacy.Verify(ctx, t.idToken)
		if err != nil {
			return nil, notBelieved(ctx, StepIdentity, err)
		}
		s.setLegacy(legacy)
		return c.answering(d, s)
	}
	raw, _, err := c.decrypted(ctx, StepIdentity, c.cfg.IDTokenEncrypted, t.idToken)
	if err != nil {
		return nil, err
	}
	want := d.expect()
	want.AccessToken, want.Code = t.accessToken, code
	token, err := found.verifier.Verify(ctx, raw, want)
	if err != nil {
		return nil, notBelieved(ctx, StepIdentity, err)
	}
	s.setIDToken(token)
	return c.answering(d, s)
}

// answering returns the session if its identity has what was asked for.
func (c *Client) answering(d *pendingData, s *Session) (*Session, error) {
	if err := d.Asked.check(StepIdentity, s, true, c.cfg.Profile.Rules.ACR); err != nil {
		return nil, err
	}
	return s, nil
}
