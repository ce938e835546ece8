package idtoken

import (
	"context"
	"net/url"
	"slices"
)

// VerifyResponse decides whether raw is an authorization response that the provider
// has signed for this client (JWT Secured Authorization Response Mode §2.1, §2.4):
// iss and aud are expected, and exp is there and not over. It returns the
// parameters in it that are text or numbers, iss among them. Others are ignored if
// they are not known (RFC 6749 §4.1.2), and refused if they are. Whether the state
// among them is that of the login is for the caller. Errors are [*Error].
func (v *Verifier) VerifyResponse(ctx context.Context, raw string) (url.Values, error) {
	t, err := v.open(ctx, raw, "jwt")
	if err != nil {
		return nil, err
	}
	for _, step := range sequence {
		switch step.check {
		case CheckIssuer, CheckAudience, CheckExpiry, CheckNotBefore:
			if _, reason := step.ask(v, t); reason != "" {
				return nil, refused(step.check, reason)
			}
		}
	}
	values := url.Values{}
	for name := range t.claims.Names() {
		switch name {
		case "aud", "exp", "nbf", "iat", "jti":
			continue
		}
		if text, there, err := t.claims.String(name); err == nil {
			if there { // not null
				values.Set(name, text)
			}
			continue
		}
		if isTextParam(name) {
			return nil, refused(CheckShape, "authorization response has a parameter that is no text: "+name)
		}
		number, _, err := t.claims.Number(name)
		switch {
		case err == nil:
			values.Set(name, number.String())
		case name == "expires_in":
			return nil, refused(CheckShape, "authorization response has an expires_in that is neither number nor text")
		}
	}
	return values, nil
}

// isTextParam reports whether a parameter is known, and as text (RFC 6749 §4.1.2, §4.2.2,
// RFC 9207 §2, OpenID Connect Core §3.3.2.5, Session Management §3.1).
func isTextParam(name string) bool {
	return slices.Contains([]string{
		"code", "state", "iss", "error", "error_description", "error_uri", "access_token", "token_type", "scope", "id_token", "session_state",
	}, name)
}
