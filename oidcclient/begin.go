package oidcclient

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// defaultLoginLifetime is how long a person may take at the provider.
const defaultLoginLifetime = 10 * time.Minute

// Begin starts a login. It returns what to send the browser to, and what to
// keep for [Client.Complete], bound to that browser. It makes no request unless
// the provider's metadata are not known yet, or requests are pushed.
func (c *Client) Begin(ctx context.Context, opts BeginOptions) (*Authorization, *Pending, error) {
	opts = opts.over(c.cfg.Authorize)
	if err := c.checkOptions(&opts); err != nil {
		return nil, nil, err
	}
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, nil, err
	}
	pending, err := c.newPending(found, opts)
	if err != nil {
		return nil, nil, err
	}
	params, err := c.authorizeParams(pending, opts)
	if err != nil {
		return nil, nil, err
	}
	authorization, err := c.carry(ctx, found, pending, params, opts)
	if err != nil {
		return nil, nil, err
	}
	return authorization, pending, nil
}

// checkOptions refuses what can't be asked for, or what nothing could hold the answer
// to; and everything where no answer could come back.
func (c *Client) checkOptions(opts *BeginOptions) error {
	if c.cfg.RedirectURI == "" {
		return refuse(StepBegin, "redirect_uri", "client is configured without a redirect URI")
	}
	if err := opts.check(); err != nil {
		return err
	}
	switch what, of := opts.ofIdentity(), opts.ofAuthentication(); {
	case what != "" && c.cfg.Profile.Identity == IdentifyNobody:
		return refuse(StepBegin, what, "client identifies nobody, so that nothing could hold this")
	case of != "" && c.cfg.Profile.Identity == IdentifyByLegacyToken:
		return refuse(StepBegin, of, "a legacy identity says nothing of this")
	}
	return nil
}

// newPending chooses everything about one login that has to be unguessable, and
// records what its answer has to satisfy.
func (c *Client) newPending(found *provider, opts BeginOptions) (*Pending, error) {
	lifetime := c.cfg.LoginLifetime
	if lifetime == 0 {
		lifetime = defaultLoginLifetime
	}
	d := pendingData{
		Version: pendingVersion, ClientID: c.cfg.ClientID, Issuer: c.issuer, RedirectURI: c.cfg.RedirectURI,
		State: newUnguessable(), ResponseMode: c.cfg.responseMode(), ResponseType: c.cfg.responseType().name, MinACR: c.cfg.MinACR,
		Scopes: c.cfg.scopes(), ExpiresAt: c.now().Add(lifetime).UTC().Round(0),
	}
	for _, scope := range opts.Scopes {
		if !slices.Contains(d.Scopes, scope) {
			d.Scopes = append(slices.Clip(d.Scopes), scope)
		}
	}
	if c.cfg.Profile.asksNonce() {
		d.Nonce = newUnguessable()
	}
	if !c.cfg.Profile.NoPKCE && c.cfg.responseType().code {
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
	asked, refused := readAsked(opts.Claims)
	if refused != nil {
		return nil, refused
	}
	d.Asked = asked
	key, err := c.newProofKey(StepBegin, &found.ProviderMetadata)
	if err != nil {
		return nil, err
	}
	d.DPoPKey = key.sealed()
	return &Pending{d}, nil
}

// authorizeParams returns the authorization request of one login (OpenID
// Connect Core §3.1.2.1, RFC 7636 §4.3, RFC 9449 §10).
func (c *Client) authorizeParams(p *Pending, opts BeginOptions) (url.Values, error) {
	d := &p.data
	params := url.Values{
		"response_type": {d.ResponseType},
		"client_id":     {d.ClientID},
		"redirect_uri":  {d.RedirectURI},
		"state":         {d.State},
	}
	set := func(name, value string) {
		if value != "" {
			params.Set(name, value)
		}
	}
	set("scope", strings.Join(d.Scopes, " "))
	set("nonce", d.Nonce)
	set("response_mode", c.cfg.ResponseMode)
	set("login_hint", opts.LoginHint)
	set("prompt", strings.Join(opts.Prompt, " "))
	set("ui_locales", strings.Join(opts.UILocales, " "))
	set("acr_values", strings.Join(c.acrValues(d.MinACR, opts.ACRValues), " "))
	set("claims", opts.Claims)
	set("authorization_details", opts.AuthorizationDetails)
	if len(opts.Resources) > 0 {
		params["resource"] = slices.Clone(opts.Resources)
	}
	if d.MaxAge != nil {
		set("max_age", strconv.FormatInt(*d.MaxAge, 10))
	}
	if d.Verifier != "" {
		set("code_challenge", oauth2.S256ChallengeFromVerifier(d.Verifier))
		set("code_challenge_method", "S256")
	}
	set("dpop_jkt", openProofKey(d.DPoPKey).get().Thumbprint())
	for name, value := range c.cfg.Profile.AuthorizeParams {
		set(name, value)
	}
	for name, values := range opts.Params {
		if len(values) == 0 {
			continue
		}
		if params.Has(name) || slices.Contains(ownParams(), name) {
			return nil, refuse(StepBegin, "parameters", "a further parameter is one that the client sends itself: "+name)
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
		"login_hint", "prompt", "ui_locales", "claims", "authorization_details", "resource",
		"code_challenge", "code_challenge_method", "dpop_jkt", "request", "request_uri", "client_secret", "client_assertion",
	}
}

// acrValues returns what a login with this least assurance asks for, that itself names
// wanted, or nil.
func (c *Client) acrValues(least string, wanted []string) []string {
	values := c.cfg.ACRValues
	if wanted != nil {
		values = wanted
	}
	switch {
	case len(values) > 0:
		return values
	case least != "":
		return []string{least}
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
