package oidcclient

import (
	"context"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/assertion"
)

// carry puts an authorization request into the form in which it travels.
func (c *Client) carry(ctx context.Context, found *provider, p *Pending, params url.Values, opts BeginOptions) (*Authorization, error) {
	carriage := c.cfg.carriage(&found.ProviderMetadata)
	if c.ByReference() != (opts.RequestURI != "" || opts.Reference != nil) {
		return nil, refuse(StepBegin, "request_uri", "RequestURI or Reference and CarryReference need each other")
	}
	if carriage == CarryQuery || carriage == CarryObject && c.cfg.RequestEncryption == nil {
		if err := c.checkHint(opts.LoginHint); err != nil {
			return nil, err
		}
	}
	visible, object := params, ""
	if carriage == CarryReference && opts.Reference != nil {
		uri, err := opts.Reference(params)
		if err != nil {
			return nil, &Error{Step: StepBegin, Fault: FaultAnswer, Check: "request_uri", Reason: "request can't be sent by reference", Err: err}
		}
		opts.RequestURI, visible = uri, c.outside(carriage, params)
	} else if carriage.signed() {
		var err error
		if object, err = c.signRequest(ctx, found, params); err != nil {
			return nil, err
		}
		visible = c.outside(carriage, params)
	}
	switch carriage {
	case CarrySignedForm:
		visible.Set("request", object)
		return &Authorization{Method: http.MethodPost, URL: found.AuthorizationEndpoint, Form: visible}, nil
	case CarryObject:
		visible.Set("request", object)
	case CarryReference:
		visible.Set("request_uri", opts.RequestURI)
		return &Authorization{Method: http.MethodGet, URL: authCodeURL(found.AuthorizationEndpoint, visible), Object: object}, nil
	case CarryPushed, CarryPushedObject:
		if object != "" {
			visible = url.Values{"request": {object}}
		}
		reference, err := c.push(ctx, found, visible, openProofKey(p.data.DPoPKey))
		if err != nil {
			return nil, err
		}
		// Nothing else stands beside it (RFC 9126 §4).
		u, err := url.Parse(found.AuthorizationEndpoint)
		if err != nil {
			return nil, providerFault(StepBegin, 0, "authorization endpoint is not a URL")
		}
		query := u.Query()
		query.Set("client_id", c.cfg.ClientID)
		query.Set("request_uri", reference)
		u.RawQuery = query.Encode()
		return &Authorization{Method: http.MethodGet, URL: u.String()}, nil
	}
	return &Authorization{Method: http.MethodGet, URL: authCodeURL(found.AuthorizationEndpoint, visible)}, nil
}

// ByReference reports whether the client sends its requests by reference, so that
// somebody has to serve them.
func (c *Client) ByReference() bool { return c.cfg.Carriage == CarryReference }

// RequestObject signs the parameters of a request (RFC 9101 §4), and encrypts the
// object where that is configured: what [BeginOptions.Reference] was asked about, when
// the provider fetches it. The media type is application/oauth-authz-req+jwt.
func (c *Client) RequestObject(ctx context.Context, params url.Values) (string, error) {
	c, found, err := c.found(ctx)
	if err != nil {
		return "", err
	}
	if c.requests == nil && c.cfg.RequestAlgorithm != algNone {
		return "", refuse(StepBegin, "request", "client signs no requests")
	}
	return c.signRequest(ctx, found, params)
}

// signRequest makes a request object of the request, signed unless it was agreed that it
// is not (OpenID Connect Core
// §6.1, RFC 9101 §4).
func (c *Client) signRequest(ctx context.Context, found *provider, params url.Values) (string, error) {
	encryption, err := c.requestEncryption(ctx, found)
	if err != nil {
		return "", err
	}
	request := assertion.RequestObject{
		Audience: found.Issuer, Subject: c.cfg.Profile.Request.Subject, Params: params, Encrypt: encryption,
	}
	var object string
	switch {
	case c.cfg.RequestAlgorithm != algNone:
		object, err = c.requests.RequestObject(ctx, request)
	case found.RequirePushedAuthorizationRequests:
		return "", providerFault(StepBegin, 0, "provider demands pushed requests, which are not sent unsigned")
	default:
		object, err = assertion.UnsignedRequestObject(c.cfg.assertionConfig(assertion.Key{}), request)
	}
	if err != nil {
		return "", keyFails(ctx, StepBegin, "request object can't be signed", err)
	}
	return object, nil
}

// outside returns the parameters that stand beside a request object: those of the
// profile, or those that OAuth and OpenID Connect demand there (OpenID Connect
// Core §6.1, RFC 9101 §5).
func (c *Client) outside(carriage Carriage, params url.Values) url.Values {
	names := []string{"client_id", "response_type", "scope"}
	if carriage == CarrySignedForm {
		names = c.cfg.Profile.Request.Outside
	}
	visible := url.Values{}
	for _, name := range names {
		if params.Has(name) {
			visible.Set(name, params.Get(name))
		}
	}
	return visible
}

// authCodeURL lets x/oauth2 write the URL.
func authCodeURL(endpoint string, params url.Values) string {
	config := oauth2.Config{
		ClientID: params.Get("client_id"), RedirectURL: params.Get("redirect_uri"),
		Scopes: params["scope"], Endpoint: oauth2.Endpoint{AuthURL: endpoint},
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
