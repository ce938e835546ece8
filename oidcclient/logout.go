package oidcclient

import (
	"context"
	"net/url"

	"github.com/rely-go/rely/idtoken"
)

// LogoutURL returns where to send the browser to end the session at the
// provider too (OpenID Connect RP-Initiated Logout §2), or "" when the provider
// has no end_session_endpoint. End the session here first. state, where it is
// not "", comes back with the browser.
//
// The URL holds the ID token, with what it says about the person, as id_token_hint:
// without it the provider has to ask the person whether to log out (§2).
func (c *Client) LogoutURL(ctx context.Context, s *Session, state string) (string, error) {
	c, found, err := c.found(ctx)
	if err != nil {
		return "", at(StepLogout, err)
	}
	if s == nil {
		return "", refuse(StepLogout, "session", "there is none")
	}
	if found.EndSessionEndpoint == "" {
		return "", nil
	}
	u, err := url.Parse(found.EndSessionEndpoint)
	if err != nil {
		return "", providerFault(StepLogout, 0, "end_session_endpoint is not a URL")
	}
	query := u.Query()
	query.Set("client_id", c.cfg.ClientID)
	if raw := s.IDToken().Raw(); raw != "" {
		query.Set("id_token_hint", raw)
	}
	if c.cfg.PostLogoutRedirectURI != "" {
		query.Set("post_logout_redirect_uri", c.cfg.PostLogoutRedirectURI)
		if state != "" {
			query.Set("state", state)
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// CheckSessionIframe returns the provider's page that tells whether the person is still
// logged in there (OpenID Connect Session Management §3.3), or "" when it has none.
func (c *Client) CheckSessionIframe(ctx context.Context) (string, error) {
	_, found, err := c.found(ctx)
	if err != nil {
		return "", at(StepLogout, err)
	}
	return found.CheckSessionIframe, nil
}

// VerifyLogoutToken judges a logout token that came to the back-channel logout
// endpoint, see [idtoken.Verifier.VerifyLogoutToken]. Whoever ends sessions by
// it also refuses one whose jti it has seen.
func (c *Client) VerifyLogoutToken(ctx context.Context, raw string) (*idtoken.LogoutToken, error) {
	_, found, err := c.found(ctx)
	if err != nil {
		return nil, at(StepLogout, err)
	}
	if found.verifier == nil {
		return nil, refuse(StepLogout, "logout token", "this kind of provider sends none")
	}
	token, err := found.verifier.VerifyLogoutToken(ctx, raw)
	if err != nil {
		return nil, notBelieved(ctx, StepLogout, err)
	}
	return token, nil
}
