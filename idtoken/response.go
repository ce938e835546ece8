package idtoken

import (
	"context"
	"net/url"
	"strings"
)

// VerifyResponse decides whether raw is an authorization response that the provider
// has signed for this client (JWT Secured Authorization Response Mode §2.1, §2.4):
// iss and aud are expected, and exp is there and not over. It returns the
// parameters in it, iss among them. Whether the state among them is that of
// the login is for the caller. Errors are [*Error].
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
		if raw, _ := t.claims.Raw(name); strings.Contains("-0123456789", raw[:1]) { // expires_in
			values.Set(name, raw)
			continue
		}
		return nil, refused(CheckShape, "authorization response has a parameter that is neither text nor number")
	}
	return values, nil
}
