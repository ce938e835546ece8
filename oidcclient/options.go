package oidcclient

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

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
	// Claims is sent as claims, a JSON object that names single claims (OpenID
	// Connect Core §5.5). What it demands of the ID token is checked in the answer: an
	// essential claim with value or values has to be there with that value or one of
	// them, and so has sub with any; essential alone demands nothing of the provider
	// (§5.5.1), see [idtoken.Rules]. Where verified_claims are asked for in the ID token,
	// those that come have a trust_framework, and what value or values of verification
	// say; that none come is no error (OpenID Connect for Identity Assurance 1.0 §5.7.4).
	// max_age in verification is for the caller to judge, and so is what is asked for in
	// userinfo. A refreshed ID token is held against the first one, not against this.
	Claims string
	// AuthorizationDetails is sent as authorization_details, a JSON array of
	// objects with a type each (RFC 9396 §2). What was granted is in
	// [Session.AuthorizationDetails].
	AuthorizationDetails string
	// Resources are sent as resource, once each: absolute URIs of the APIs for
	// which the access token is wanted (RFC 8707 §2.1). The token endpoint is not told
	// again.
	Resources []string
	// RequestURI is where the caller serves the request object of this login, for
	// CarryReference only: an https URL, or http on loopback, that nobody can
	// guess, at most 512 characters. [Authorization.Object] is what to serve
	// there; it is empty where the provider demands pushed requests.
	RequestURI string
	// Reference, in the place of RequestURI, is asked for it with the parameters of the
	// request, which [Client.RequestObject] signs when the provider fetches them.
	Reference func(params url.Values) (requestURI string, err error)
	// Params are further parameters of the authorization request. Those that
	// this package sends itself can't be given here.
	Params url.Values
}

// Defaults returns what each login asks for that does not say otherwise: what
// [Config.Authorize] has, and the Scopes, ACRValues, MinACR and MaxAge of the
// configuration. Logins without a browser ask for the same, as far as they can.
func (c *Client) Defaults() BeginOptions {
	o := c.cfg.Authorize.clone()
	o.Scopes = slices.Concat(c.cfg.scopes(), o.Scopes)
	o.MinACR, o.MaxAge = c.cfg.MinACR, copied(c.cfg.MaxAge)
	o.ACRValues = slices.Clone(c.acrValues(o.MinACR, nil))
	return o
}

// over returns o with the gaps filled from what each login asks for.
func (o BeginOptions) over(each BeginOptions) BeginOptions {
	o.Scopes = slices.Concat(each.Scopes, o.Scopes)
	fill := func(into *string, from string) {
		if *into == "" {
			*into = from
		}
	}
	fill(&o.LoginHint, each.LoginHint)
	fill(&o.Claims, each.Claims)
	fill(&o.AuthorizationDetails, each.AuthorizationDetails)
	for _, list := range []struct{ into, from *[]string }{
		{&o.Prompt, &each.Prompt}, {&o.UILocales, &each.UILocales}, {&o.Resources, &each.Resources},
	} {
		if *list.into == nil {
			*list.into = *list.from
		}
	}
	params := url.Values{}
	for _, from := range []url.Values{each.Params, o.Params} {
		for name, values := range from {
			params[name] = values
		}
	}
	o.Params = params
	return o
}

// check refuses what can be nothing but a mistake.
func (o *BeginOptions) check() *Error {
	for _, scope := range o.Scopes {
		if !isScope(scope) {
			return refuse(StepBegin, "scope", "scope is none (RFC 6749 §3.3)")
		}
	}
	if o.MaxAge != nil && (*o.MaxAge < 0 || *o.MaxAge%time.Second != 0) {
		return refuse(StepBegin, "max_age", "max_age is not a whole number of seconds")
	}
	if slices.Contains(o.Prompt, "none") && len(o.Prompt) > 1 {
		return refuse(StepBegin, "prompt", "none stands beside other values (OpenID Connect Core §3.1.2.1)")
	}
	if _, err := readAsked(o.Claims); err != nil {
		return err
	}
	if count, good := readDetails(o.AuthorizationDetails); o.AuthorizationDetails != "" && (count == 0 || !good) {
		return refuse(StepBegin, "authorization_details", "details are no JSON array of objects with a type")
	}
	for _, resource := range o.Resources {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || u.Fragment != "" {
			return refuse(StepBegin, "resource", "resource is no absolute URI without fragment (RFC 8707 §2)")
		}
	}
	if o.RequestURI != "" {
		if _, err := fetch.CheckURL(o.RequestURI); err != nil || len(o.RequestURI) > 512 {
			return refuse(StepBegin, "request_uri", "request_uri is no safe URL of at most 512 characters (RFC 9101 §5.2)")
		}
	}
	return nil
}

// ofIdentity names what an ID token would have to answer; "" where there is nothing.
func (o *BeginOptions) ofIdentity() string {
	switch {
	case slices.Contains(o.Scopes, "openid"):
		return "scope"
	case o.Claims != "":
		return "claims"
	}
	return o.ofAuthentication()
}

// ofAuthentication names what only an ID token says of how and when the person was
// authenticated; "" where it is not asked for.
func (o *BeginOptions) ofAuthentication() string {
	switch {
	case o.MinACR != "":
		return "acr"
	case o.MaxAge != nil:
		return "max_age"
	}
	return ""
}

func isScope(s string) bool { return s != "" && !strings.ContainsAny(s, " \t\r\n\"\\") }

// readDetails counts what RFC 9396 §2 calls authorization details, and reports whether a
// text is of them and of nothing else.
func readDetails(text string) (count int, good bool) {
	var details []struct {
		Type string `json:"type"`
	}
	if strictjson.Unmarshal([]byte(text), &details, maxDepth) != nil {
		return 0, false
	}
	for _, detail := range details {
		if detail.Type == "" {
			return 0, false
		}
	}
	return len(details), true
}

func (o BeginOptions) clone() BeginOptions {
	o.Scopes = slices.Clone(o.Scopes)
	o.Prompt = slices.Clone(o.Prompt)
	o.UILocales = slices.Clone(o.UILocales)
	o.Resources = slices.Clone(o.Resources)
	params := url.Values{}
	for name, values := range o.Params {
		params[name] = slices.Clone(values)
	}
	o.Params = params
	return o
}
