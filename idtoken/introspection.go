package idtoken

import (
	"context"
	"encoding/json"
)

const typeIntrospection = "token-introspection+jwt"

// VerifyIntrospection decides whether raw is an answer about a token that the provider
// has signed for this client (RFC 9701 §5): typ is token-introspection+jwt, iss and aud
// are expected, iat is there and not in the future. It returns token_introspection, one
// JSON object, whose members are about the token and not about this answer. Errors are
// [*Error].
func (v *Verifier) VerifyIntrospection(ctx context.Context, raw string) (json.RawMessage, error) {
	t, err := v.open(ctx, raw, typeIntrospection)
	if err != nil {
		return nil, err
	}
	if t.header.typ != typeIntrospection {
		return nil, refused(CheckHeader, "typ is not that of an introspection answer")
	}
	for _, step := range sequence {
		switch step.check {
		case CheckIssuer, CheckAudience, CheckNotBefore, CheckIssuedAt:
			if _, reason := step.ask(v, t); reason != "" {
				return nil, refused(step.check, reason)
			}
		}
	}
	if expiry, ok, valid := v.date(t, "exp"); !valid || ok && v.after(t, expiry) {
		return nil, refused(CheckExpiry, "answer has expired, or exp is no time")
	}
	if _, ok, err := t.claims.Object("token_introspection"); !ok || err != nil {
		return nil, refused(CheckShape, "token_introspection is no object")
	}
	about, _ := t.claims.Raw("token_introspection")
	return json.RawMessage(about), nil
}
