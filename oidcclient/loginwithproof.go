package oidcclient

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rely-go/rely/internal/fetch"
)

// LoginWithProof logs a person in without a browser, with a proof of
// authentication that this application got from the provider's other services:
// the authorization request is posted, its answer is a redirect that is read
// and never followed, and the rest is [Client.Complete]. Only for profiles that
// have such a request ([Profile.ProofParam]).
func (c *Client) LoginWithProof(ctx context.Context, proof string, opts BeginOptions) (*Session, error) {
	name := c.cfg.Profile.ProofParam
	if name == "" || proof == "" {
		return nil, refuse(StepBegin, "proof", "this kind of provider takes none, or none was given")
	}
	opts = opts.over(c.cfg.Authorize)
	if err := c.checkOptions(&opts); err != nil {
		return nil, err
	}
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	pending, err := c.newPending(found, opts)
	if err != nil {
		return nil, err
	}
	params, err := c.authorizeParams(pending, opts)
	if err != nil {
		return nil, err
	}
	params.Set(name, proof)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, found.AuthorizationEndpoint, strings.NewReader(params.Encode()))
	if err != nil {
		return nil, providerFault(StepBegin, 0, "authorization endpoint is not a URL")
	}
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	got, err := roundTrip(c.http, StepBegin, req)
	if err != nil {
		return nil, err
	}
	values, err := redirectedTo(c.cfg.RedirectURI, got)
	if err != nil {
		return nil, err
	}
	return c.Complete(ctx, pending, values)
}

// redirectedTo reads an authorization response out of a redirect to our own
// redirect URI.
func redirectedTo(redirectURI string, got *fetch.Answer) (url.Values, error) {
	location := got.Header.Get("Location")
	switch got.Status {
	case http.StatusFound, http.StatusSeeOther, http.StatusOK:
	default:
		return nil, tokenError(StepBegin, got)
	}
	if location == "" {
		return nil, tokenError(StepBegin, got)
	}
	to, err := url.Parse(location)
	if err != nil || len(location) > maxCallback {
		return nil, refuse(StepCallback, "location", "provider redirects to something that is no URL")
	}
	values, err := url.ParseQuery(to.RawQuery)
	if err != nil {
		return nil, refuse(StepCallback, "parameters", "parameters are malformed")
	}
	ours, err := url.Parse(redirectURI)
	if err != nil || to.Scheme != ours.Scheme || to.Host != ours.Host || to.Path != ours.Path || to.User != nil || to.Fragment != "" {
		return nil, refuse(StepCallback, "location", "provider redirects to another place than our redirect URI")
	}
	return values, nil
}
