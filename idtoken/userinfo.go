package idtoken

import (
	"context"
	"slices"

	"github.com/rely-go/rely/internal/strictjson"
)

// UserInfoExpect is what a signed userinfo answer has to be.
type UserInfoExpect struct {
	// Issuers are the values that iss may have: the provider's issuer, and where
	// a provider signs userinfo under another name, that one.
	Issuers []string
	// Subject is the ID token's sub. Required.
	Subject string
}

// UserInfo is a signed userinfo answer that was believed.
type UserInfo struct{ claims strictjson.Object }

// Claims decodes all claims into v, by exact member names.
func (u *UserInfo) Claims(v any) error { return u.claims.Decode(v) }

// VerifyUserInfo decides whether raw is a userinfo answer signed by the
// provider, about the expected subject (Core §5.3.2 to §5.3.4). iss has to be an
// expected one; aud, where it is there, has to have this client; exp, nbf and
// iat count where they are there. Errors are [*Error].
func (v *Verifier) VerifyUserInfo(ctx context.Context, raw string, expect UserInfoExpect) (*UserInfo, error) {
	t, err := v.open(ctx, raw, "jwt")
	if err != nil {
		return nil, err
	}
	if refusal := v.checkClaims(t, expect.Issuers); refusal != nil {
		return nil, refusal
	}
	if subject, _, _ := t.text("sub"); subject == "" || subject != expect.Subject {
		return nil, refused(CheckSubject, "userinfo is about another subject than the ID token")
	}
	return &UserInfo{t.claims}, nil
}

// VerifyClaims decides whether raw is a JWT of claims that a Claims Provider has signed
// (Core §5.6.2): iss is the verifier's; aud, exp, nbf and iat count where they are
// there, as in userinfo. Whom it calls sub is its own affair. Errors are [*Error].
//
// It serves for what an API signs too, such as the answer to a payment consent, by a
// verifier with the names and keys that were agreed for that: where aud or iat have to be
// there, ask for them in Claims.
func (v *Verifier) VerifyClaims(ctx context.Context, raw string) (*UserInfo, error) {
	t, err := v.open(ctx, raw, "jwt")
	if err != nil {
		return nil, err
	}
	if refusal := v.checkClaims(t, []string{v.config.Issuer}); refusal != nil {
		return nil, refusal
	}
	return &UserInfo{t.claims}, nil
}

// checkClaims judges whose claims these are, for whom, and when.
func (v *Verifier) checkClaims(t *token, issuers []string) *Error {
	if issuer, ok, _ := t.text("iss"); !ok || !slices.Contains(issuers, issuer) {
		return refused(CheckIssuer, "claims are of another issuer")
	}
	audience, ok, err := t.claims.Strings("aud")
	if err != nil || ok && !slices.Contains(audience, v.config.ClientID) {
		return refused(CheckAudience, "claims are for another client")
	}
	return v.checkOptionalTimes(t)
}

// checkOptionalTimes judges exp, nbf and iat where they are there.
func (v *Verifier) checkOptionalTimes(t *token) *Error {
	if expiry, ok, valid := v.date(t, "exp"); !valid || ok && v.after(t, expiry) {
		return refused(CheckExpiry, "token has expired, or exp is no time")
	}
	if notBefore, ok, valid := v.date(t, "nbf"); !valid || ok && v.before(t, notBefore) {
		return refused(CheckNotBefore, "token is not valid yet, or nbf is no time")
	}
	if issuedAt, ok, valid := v.date(t, "iat"); !valid || ok && v.before(t, issuedAt) {
		return refused(CheckIssuedAt, "token was issued in the future, or iat is no time")
	}
	return nil
}
