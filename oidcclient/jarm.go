package oidcclient

import (
	"context"
	"net/url"
	"strings"
)

// Response modes in which the answer is a signed JWT (JWT Secured Authorization
// Response Mode §2.3).
const (
	modeJWT         = "jwt"
	modeQueryJWT    = "query.jwt"
	modeFormPostJWT = "form_post.jwt"
)

// ResponseMode returns the response mode that the client expects: what is
// configured, or fragment where an ID token comes with the code, or "" for query.
func (c *Client) ResponseMode() string { return c.cfg.responseMode() }

func isSignedMode(mode string) bool { return mode == modeJWT || strings.HasSuffix(mode, "."+modeJWT) }

// Posted reports whether the provider makes the browser post its answer, which
// then comes without cookies that are SameSite=Lax.
func (p *Pending) Posted() bool {
	return p.data.ResponseMode == "form_post" || p.data.ResponseMode == modeFormPostJWT
}

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
	found, err := c.found(ctx)
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
