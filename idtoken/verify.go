package idtoken

import (
	"context"
	"crypto/subtle"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/jose"
)

// Expect is what one login expects of its ID token. The zero value expects a
// token without nonce, with any authentication.
type Expect struct {
	// Nonce is the one that was sent; "" when none was, and then the token may
	// have none.
	Nonce string
	// AccessToken came with the token; at_hash has to be its hash.
	AccessToken string
	// Code and State are of the authorization response; c_hash and s_hash have to
	// be their hashes.
	Code, State string
	// RequireHashes demands that the hashes of AccessToken and Code, as far as these
	// are given, are in the token: for one that came through a browser (OpenID
	// Connect Core §3.2.2.10, §3.3.2.11).
	RequireHashes bool
	// RequireStateHash demands the same of State (FAPI 1 Advanced §5.2.2.1).
	RequireStateHash bool
	// MaxAge, when not nil, is the max_age that was sent; auth_time is then
	// required.
	MaxAge *time.Duration
	// MaxTokenAge is how long ago the token may have been issued (iat); 0 accepts
	// any age (OpenID Connect Core §3.1.3.7 no. 10).
	MaxTokenAge time.Duration
	// MinACR is the least acr accepted, by the order of the Rules; "" accepts
	// any.
	MinACR string
	// Original is given when a token was refreshed: the new one has to be about
	// the same login.
	Original *IDToken
}

// Verify decides whether raw is an ID token of the configured issuer for the
// configured client, and answers expect. It makes the checks of [Checks] from
// CheckSize to CheckEvent, in that order; each is described at its constant. The first that fails is the Check of the returned [*Error]. Only with a nil
// error there is a token.
func (v *Verifier) Verify(ctx context.Context, raw string, expect Expect) (*IDToken, error) {
	t, err := v.open(ctx, raw, "jwt")
	if err != nil {
		return nil, err
	}
	t.expect = expect
	made := checkSet(0)
	for c := CheckSize; c <= CheckSignature; c++ {
		made.add(c)
	}
	for i := range sequence {
		asked, reason := sequence[i].ask(v, t)
		if reason != "" {
			return nil, refused(sequence[i].check, reason)
		}
		if asked {
			made.add(sequence[i].check)
		}
	}
	return &IDToken{raw: t.raw, claims: t.claims, stringDates: v.config.Rules.StringDates, made: made}, nil
}

// sequence is the part of Verify that reads claims. An ask returns "" or why it
// refuses, and whether there was anything to check.
var sequence = [...]struct {
	check Check
	ask   func(*Verifier, *token) (made bool, reason string)
}{
	{CheckIssuer, (*Verifier).askIssuer},
	{CheckAudience, (*Verifier).askAudience},
	{CheckAuthorizedParty, (*Verifier).askAuthorizedParty},
	{CheckExpiry, (*Verifier).askExpiry},
	{CheckNotBefore, (*Verifier).askNotBefore},
	{CheckIssuedAt, (*Verifier).askIssuedAt},
	{CheckSubject, (*Verifier).askSubject},
	{CheckNonce, (*Verifier).askNonce},
	{CheckAccessTokenHash, (*Verifier).askAccessTokenHash},
	{CheckCodeHash, (*Verifier).askCodeHash},
	{CheckStateHash, (*Verifier).askStateHash},
	{CheckAuthTime, (*Verifier).askAuthTime},
	{CheckACR, (*Verifier).askACR},
	{CheckExtra, (*Verifier).askExtra},
	{CheckRefresh, (*Verifier).askRefresh},
	{CheckEvent, (*Verifier).askEvent},
}

func (v *Verifier) askIssuer(t *token) (bool, string) {
	if issuer, _, _ := t.text("iss"); issuer != v.config.Issuer {
		return true, "issuer is not the configured one"
	}
	return true, ""
}

func (v *Verifier) askAudience(t *token) (bool, string) {
	raw, _ := t.claims.Raw("aud")
	if v.config.Rules.SingleAudience && !strings.HasPrefix(raw, `"`) {
		return true, "audience is not one string"
	}
	audience, ok, err := t.claims.Strings("aud")
	if err != nil || !ok {
		return true, "audience is missing or neither a string nor strings"
	}
	if !slices.Contains(audience, v.config.ClientID) {
		return true, "audience is not this client"
	}
	for _, other := range audience {
		if other != v.config.ClientID && !slices.Contains(v.config.TrustedAudiences, other) {
			return true, "audience has somebody else who is not trusted"
		}
	}
	return true, ""
}

func (v *Verifier) askAuthorizedParty(t *token) (bool, string) {
	party, ok, valid := t.text("azp")
	if !valid || ok && party != v.config.ClientID {
		return true, "token was issued to another client"
	}
	return ok, ""
}

func (v *Verifier) date(t *token, name string) (seconds int64, ok, valid bool) {
	return date(t.claims, name, v.config.Rules.StringDates)
}

func (v *Verifier) askExpiry(t *token) (bool, string) {
	expiry, ok, valid := v.date(t, "exp")
	switch {
	case !valid || !ok:
		return true, "expiry is missing or no time"
	case v.after(t, expiry):
		return true, "token has expired"
	}
	return true, ""
}

func (v *Verifier) askNotBefore(t *token) (bool, string) {
	notBefore, ok, valid := v.date(t, "nbf")
	if !valid || ok && v.before(t, notBefore) {
		return true, "token is not valid yet, or nbf is no time"
	}
	return ok, ""
}

func (v *Verifier) askIssuedAt(t *token) (bool, string) {
	issuedAt, ok, valid := v.date(t, "iat")
	switch {
	case !valid || !ok:
		return true, "iat is missing or no time"
	case v.before(t, issuedAt):
		return true, "token was issued in the future"
	case t.expect.MaxTokenAge > 0 && t.now.Add(-v.skew-t.expect.MaxTokenAge).After(time.Unix(issuedAt, 0)):
		return true, "token was issued too long ago"
	}
	return true, ""
}

const maxSubject = 255

func (v *Verifier) askSubject(t *token) (bool, string) {
	subject, _, valid := t.text("sub")
	if !valid || subject == "" || len(subject) > maxSubject {
		return true, "subject is missing, empty, too long or no string"
	}
	return true, ""
}

func (v *Verifier) askNonce(t *token) (bool, string) {
	nonce, ok, valid := t.text("nonce")
	expected := t.expect.Nonce
	if t.expect.Original != nil {
		// A refreshed token need not have one (Core §12.2).
		if valid && !ok {
			return false, ""
		}
		expected = t.expect.Original.Nonce()
	}
	switch {
	case !valid:
		return true, "nonce is no string"
	case expected == "" && !ok:
		return false, ""
	case expected == "" || !ok:
		return true, "nonce is missing, or there though none was sent"
	case subtle.ConstantTimeCompare([]byte(nonce), []byte(expected)) != 1:
		return true, "nonce is another login's"
	}
	return true, ""
}

func (v *Verifier) askAccessTokenHash(t *token) (bool, string) {
	return t.hashOf("at_hash", t.expect.AccessToken, t.expect.RequireHashes)
}

func (v *Verifier) askCodeHash(t *token) (bool, string) {
	return t.hashOf("c_hash", t.expect.Code, t.expect.RequireHashes)
}

func (v *Verifier) askStateHash(t *token) (bool, string) {
	return t.hashOf("s_hash", t.expect.State, t.expect.RequireStateHash)
}

// hashOf compares a claim with the left half of the hash of value.
func (t *token) hashOf(name, value string, required bool) (bool, string) {
	got, ok, valid := t.text(name)
	switch {
	case !valid:
		return true, name + " is no string"
	case value == "", !ok && !required:
		return false, ""
	case !ok:
		return true, name + " is missing"
	}
	if !jose.IsHalfHash(got, t.header.alg, value) {
		return true, name + " is not the hash of what came with the token"
	}
	return true, ""
}

func (v *Verifier) askAuthTime(t *token) (bool, string) {
	authTime, ok, valid := v.date(t, "auth_time")
	switch {
	case !valid:
		return true, "auth_time is no time"
	case ok && v.before(t, authTime):
		return true, "authentication was in the future"
	case t.expect.MaxAge == nil:
		return false, ""
	case !ok:
		return true, "auth_time is missing, and max_age was sent"
	case t.now.Add(-v.skew - *t.expect.MaxAge).After(time.Unix(authTime, 0)):
		return true, "authentication is longer ago than max_age"
	}
	return true, ""
}

func (v *Verifier) askACR(t *token) (bool, string) {
	acr, _, valid := t.text("acr")
	switch {
	case !valid:
		return true, "acr is no string"
	case t.expect.MinACR == "":
		return false, ""
	case !v.config.Rules.ACR.Satisfies(acr, t.expect.MinACR):
		return true, "authentication is not as strong as demanded"
	}
	return true, ""
}

func (v *Verifier) askExtra(t *token) (bool, string) {
	rules := &v.config.Rules
	for _, name := range rules.Required {
		if _, ok := t.claims.Raw(name); !ok {
			return true, "a claim is missing that the profile demands: " + name
		}
	}
	// Both are there: CheckExpiry and CheckIssuedAt passed.
	expiry, _, _ := v.date(t, "exp")
	issuedAt, _, _ := v.date(t, "iat")
	// No Duration is longer: one that wraps around would look short.
	const longest = int64(math.MaxInt64 / time.Second)
	lifetime := time.Duration(max(-longest, min(longest, expiry-issuedAt))) * time.Second
	switch {
	case rules.Lifetime != 0 && lifetime != rules.Lifetime:
		return true, "lifetime is not the one that the profile fixes"
	case rules.MaxLifetime != 0 && lifetime > rules.MaxLifetime:
		return true, "lifetime is longer than the profile allows"
	}
	return len(rules.Required) > 0 || rules.Lifetime != 0 || rules.MaxLifetime != 0, ""
}

func (v *Verifier) askRefresh(t *token) (bool, string) {
	original := t.expect.Original
	if original == nil {
		return false, ""
	}
	subject, _, _ := t.text("sub")
	audience, _, _ := t.claims.Strings("aud")
	party, _, _ := t.text("azp")
	authTime, ok, _ := v.date(t, "auth_time")
	before, wasThere := original.AuthTime()
	switch {
	case original.Issuer() != v.config.Issuer || subject != original.Subject():
		return true, "refreshed token is another person's"
	case !sameSet(audience, original.Audience()):
		return true, "refreshed token has another audience"
	case party != original.AuthorizedParty():
		return true, "refreshed token has another authorized party"
	case ok && wasThere && authTime != before.Unix():
		return true, "refreshed token is of another authentication"
	}
	return true, ""
}

// askEvent refuses a logout token. One without typ has everything that an ID
// token without nonce has.
func (v *Verifier) askEvent(t *token) (bool, string) {
	events, ok, err := t.claims.Object("events")
	if err == nil && ok && events.Has(logoutEvent) {
		return true, "token is a logout token"
	}
	return ok, ""
}

func sameSet(a, b []string) bool {
	in := func(list []string) func(string) bool {
		return func(s string) bool { return !slices.Contains(list, s) }
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}
