package oidcclient

import (
	"context"
	"net/url"
	"strings"
)

// The response modes, of which some make the answer a signed JWT (JWT Secured
// Authorization Response Mode §2.3).
const (
	modeQuery       = "query"
	modeFragment    = "fragment"
	modeFormPost    = "form_post"
	modeJWT         = "jwt"
	modeQueryJWT    = "query.jwt"
	modeFragmentJWT = "fragment.jwt"
	modeFormPostJWT = "form_post.jwt"
)

// modes lists them, "" first.
func modes() []string {
	return []string{"", modeQuery, modeFormPost, modeFragment, modeJWT, modeQueryJWT, modeFormPostJWT, modeFragmentJWT}
}

// ResponseMode returns the response mode that the client expects: what is
// configured, or fragment or fragment.jwt where that is what the response type means,
// or "" for query.
func (c *Client) ResponseMode() string { return c.cfg.responseMode() }

func isSignedMode(mode string) bool { return mode == modeJWT || strings.HasSuffix(mode, "."+modeJWT) }

// Posted reports whether the provider makes the browser post its answer, which
// then comes without cookies that are SameSite=Lax.
func (p *Pending) Posted() bool {
	return p.data.ResponseMode == modeFormPost || p.data.ResponseMode == modeFormPostJWT
}

// InFragment reports whether the provider puts its answer into the fragment, which
// only a page of the application can read and post.
func (p *Pending) InFragment() bool { return inFragment(p.data.ResponseMode) }

// InFragment reports the same of every login of the client.
func (c *Client) InFragment() bool { return inFragment(c.cfg.responseMode()) }

func inFragment(mode string) bool { return mode == modeFragment || mode == modeFragmentJWT }

// ReadResponse returns the parameters of an authorization response: those that the
// browser brought, or, where the client asks for signed responses, those that the
// provider has signed (JWT Secured Authorization Response Mode §2.4). Complete does
// the same; this is for who has to find the login by its state first.
func (c *Client) ReadResponse(ctx context.Context, values url.Values) (url.Values, error) {
	if !isSignedMode(c.cfg.ResponseMode) {
		return values, nil
	}
	for _, name := range []string{"code", "state", "error", "access_token", "id_token"} {
		if values.Has(name) {
			return nil, refuse(StepCallback, "response", "parameters came unsigned beside a signed response, or instead of it")
		}
	}
	if len(values["response"]) != 1 || len(values.Get("response")) > maxCallback {
		return nil, refuse(StepCallback, "response", "signed response is missing, there twice or too long")
	}
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	inner, _, err := c.decrypted(ctx, StepCallback, c.cfg.ResponseEncrypted, values.Get("response"))
	if err != nil {
		return nil, err
	}
	signed, err := found.responses.VerifyResponse(ctx, inner)
	if err != nil {
		return nil, notBelieved(ctx, StepCallback, err)
	}
	return signed, nil
}
