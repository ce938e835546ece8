package oidcclient

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/assertion"
)

// defaultLoginLifetime is how long a person may take at the provider.
const defaultLoginLifetime = 10 * time.Minute

// BeginOptions is what one login asks for beyond the configuration. The zero
// value asks for nothing more.
type BeginOptions struct {
	// Scopes are asked for beside those of the configuration.
	Scopes []string
	// LoginHint is sent as login_hint. Some profiles allow only certain values,
	// because the rest would be personal data in a URL.
	LoginHint string
	// Prompt is sent as prompt: none, login, consent, select_account.
	Prompt []string
	// ACRValues replace those of the configuration.
	ACRValues []string
	// MinACR, when not "", replaces the configuration's.
	MinACR string
	// MaxAge, when not nil, replaces the configuration's. Zero asks for a fresh
	// authentication.
	MaxAge *time.Duration
	// UILocales is sent as ui_locales, BCP 47 tags in order of preference.
	UILocales []string
	// Params are further parameters of the authorization request. Those that
	// this package sends itself can't be given here.
	Params url.Values
}

// Begin starts a login. It returns what to send the browser to, and what to
// keep for [Client.Complete], bound to that browser. It makes no request unless
// the provider's metadata are not known yet.
func (c *Client) Begin(ctx context.Context, opts BeginOptions) (*Authorization, *Pending, error) {
	if c.cfg.RedirectURI == "" {
		return nil, nil, refuse(StepBegin, "redirect_uri", "client is configured without a redirect URI")
	}
	found, err := c.found(ctx)
	if err != nil {
		return nil, nil, err
	}
	pending := c.newPending(opts)
	params, err := c.authorizeParams(pending, opts)
	if err != nil {
		return nil, nil, err
	}
	if c.cfg.Profile.Carriage == CarrySignedForm {
		form, err := c.signedForm(ctx, found, params)
		if err != nil {
			return nil, nil, err
		}
		return &Authorization{Method: http.MethodPost, URL: found.AuthorizationEndpoint, Form: form}, pending, nil
	}
	if err := c.checkHint(opts.LoginHint); err != nil {
		return nil, nil, err
	}
	return &Authorization{Method: http.MethodGet, URL: authCodeURL(found.AuthorizationEndpoint, params)}, pending, nil
}

// newPending chooses everything about one login that has to be unguessable, and
// records what its answer has to satisfy.
func (c *Client) newPending(opts BeginOptions) *Pending {
	lifetime := c.cfg.LoginLifetime
	if lifetime == 0 {
		lifetime = defaultLoginLifetime
	}
	d := pendingData{
		Version: pendingVersion, ClientID: c.cfg.ClientID, Issuer: c.issuer, RedirectURI: c.cfg.RedirectURI,
		State: newUnguessable(), ResponseMode: c.cfg.ResponseMode, MinACR: c.cfg.MinACR,
		Scopes: c.cfg.scopes(), ExpiresAt: c.now().Add(lifetime).UTC().Round(0),
	}
	for _, scope := range opts.Scopes {
		if !slices.Contains(d.Scopes, scope) {
			d.Scopes = append(slices.Clip(d.Scopes), scope)
		}
	}
	if !c.cfg.Profile.deviates(RuleNonce) {
		d.Nonce = newUnguessable()
	}
	if !c.cfg.Profile.NoPKCE {
		d.Verifier = oauth2.GenerateVerifier()
	}
	if opts.MinACR != "" {
		d.MinACR = opts.MinACR
	}
	maxAge := c.cfg.MaxAge
	if opts.MaxAge != nil {
		maxAge = opts.MaxAge
	}
	if maxAge != nil {
		seconds := int64(*maxAge / time.Second)
		d.MaxAge = &seconds
	}
	return &Pending{d}
}

// authorizeParams returns the authorization request of one login (OpenID
// Connect Core §3.1.2.1, RFC 7636 §4.3).
func (c *Client) authorizeParams(p *Pending, opts BeginOptions) (url.Values, error) {
	d := &p.data
	params := url.Values{
		"response_type": {"code"},
		"client_id":     {d.ClientID},
		"redirect_uri":  {d.RedirectURI},
		"scope":         {strings.Join(d.Scopes, " ")},
		"state":         {d.State},
	}
	set := func(name, value string) {
		if value != "" {
			params.Set(name, value)
		}
	}
	set("nonce", d.Nonce)
	set("response_mode", d.ResponseMode)
	set("login_hint", opts.LoginHint)
	set("prompt", strings.Join(opts.Prompt, " "))
	set("ui_locales", strings.Join(opts.UILocales, " "))
	set("acr_values", strings.Join(c.acrValues(d, opts), " "))
	if d.MaxAge != nil {
		set("max_age", strconv.FormatInt(*d.MaxAge, 10))
	}
	if d.Verifier != "" {
		set("code_challenge", oauth2.S256ChallengeFromVerifier(d.Verifier))
		set("code_challenge_method", "S256")
	}
	for name, value := range c.cfg.Profile.AuthorizeParams {
		set(name, value)
	}
	for name, values := range opts.Params {
		if len(values) == 0 {
			continue
		}
		if params.Has(name) || slices.Contains(ownParams(), name) {
			return nil, refuse(StepBegin, "parameters", "a further parameter is one that the client sends itself")
		}
		params[name] = slices.Clone(values)
	}
	return params, nil
}

// ownParams can't be given as further parameters, also when a login leaves them
// out.
func ownParams() []string {
	return []string{
		"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "response_mode", "max_age", "acr_values",
		"login_hint", "prompt", "ui_locales",
		"code_challenge", "code_challenge_method", "request", "request_uri", "client_secret", "client_assertion",
	}
}

func (c *Client) acrValues(d *pendingData, opts BeginOptions) []string {
	values := c.cfg.ACRValues
	if opts.ACRValues != nil {
		values = opts.ACRValues
	}
	switch {
	case len(values) > 0:
		return values
	case d.MinACR != "":
		return []string{d.MinACR}
	}
	return c.cfg.Profile.ACRValues
}

// checkHint keeps personal data out of a URL.
func (c *Client) checkHint(hint string) error {
	allowed := c.cfg.Profile.QueryLoginHints
	if hint == "" || allowed == nil || slices.Contains(allowed, hint) {
		return nil
	}
	return refuse(StepBegin, "login_hint", "provider allows no such value in a URL")
}

// authCodeURL lets x/oauth2 write the URL.
func authCodeURL(endpoint string, params url.Values) string {
	config := oauth2.Config{
		ClientID: params.Get("client_id"), RedirectURL: params.Get("redirect_uri"),
		Scopes: []string{params.Get("scope")}, Endpoint: oauth2.Endpoint{AuthURL: endpoint},
	}
	var options []oauth2.AuthCodeOption
	repeated := url.Values{}
	for name, values := range params {
		switch {
		case name == "client_id", name == "redirect_uri", name == "scope", name == "state":
		case len(values) > 1: // which x/oauth2 can't say
			repeated[name] = values
		default:
			options = append(options, oauth2.SetAuthURLParam(name, values[0]))
		}
	}
	written := config.AuthCodeURL(params.Get("state"), options...)
	if len(repeated) > 0 {
		written += "&" + repeated.Encode()
	}
	return written
}

// signedForm puts the request into a signed request object (OpenID Connect Core
// §6.1, RFC 9101) and returns the form for the browser.
func (c *Client) signedForm(ctx context.Context, found *provider, params url.Values) (url.Values, error) {
	rules := c.cfg.Profile.Request
	object, err := c.requests.RequestObject(ctx, assertion.RequestObject{
		Audience: found.Issuer, Subject: rules.Subject, Params: params, Encrypt: c.cfg.RequestEncryption,
	})
	if err != nil {
		return nil, cantSign(ctx, StepBegin, "request object can't be signed", err)
	}
	form := url.Values{"request": {object}}
	for _, name := range rules.Outside {
		if params.Has(name) {
			form.Set(name, params.Get(name))
		}
	}
	return form, nil
}
