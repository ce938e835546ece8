package idtoken

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// Bounds of a token.
const (
	maxToken       = 64 << 10 // bytes
	maxHeaderDepth = 4
	maxClaimsDepth = 32
)

// token is a JWT on its way to being believed.
type token struct {
	jose.Compact
	raw    string
	alg    string
	kid    string
	header strictjson.Object
	claims strictjson.Object // empty until the signature holds
}

// parse makes the checks of size and shape that come before the signature.
func parse(raw string) (*token, *Error) {
	compact, err := jose.ParseCompact(raw, maxToken)
	if errors.Is(err, jose.ErrSize) {
		return nil, refused(CheckSize, "token is longer than 64 KiB")
	}
	if err != nil {
		return nil, refused(CheckShape, "token is not three parts of canonical base64url")
	}
	t := &token{Compact: compact, raw: raw}
	if t.header, err = strictjson.ParseObject(t.Header, maxHeaderDepth); err != nil {
		return nil, refused(CheckShape, "header is not a strict JSON object")
	}
	return t, nil
}

// readHeader checks the header. types are the values of typ that the token may
// have, in lower case and without "application/"; it may also have none.
func (t *token) readHeader(algorithms, members, types []string) *Error {
	var err error
	var ok bool
	if t.alg, ok, err = t.header.String("alg"); err != nil || !ok {
		return refused(CheckHeader, "alg is missing or no string")
	}
	if !slices.Contains(algorithms, t.alg) {
		return refused(CheckHeader, "alg is not one that was agreed")
	}
	if t.kid, _, err = t.header.String("kid"); err != nil {
		return refused(CheckHeader, "kid is no string")
	}
	names := t.header.Names()
	if slices.Contains(names, "crit") || slices.Contains(names, "b64") {
		return refused(CheckHeader, "crit and b64 are not supported")
	}
	typ, ok, err := t.header.String("typ")
	if err != nil || ok && !slices.Contains(types, strings.TrimPrefix(strings.ToLower(typ), "application/")) {
		return refused(CheckHeader, "typ is another kind of token's")
	}
	if members == nil {
		return nil
	}
	for _, name := range names {
		if !slices.Contains(members, name) {
			return refused(CheckHeader, "header has a member that the profile does not allow")
		}
	}
	if len(names) != len(members) {
		return refused(CheckHeader, "header lacks a member that the profile demands")
	}
	return nil
}

// readClaims reads the payload of a token whose signature holds.
func (t *token) readClaims() *Error {
	claims, err := strictjson.ParseObject(t.Payload, maxClaimsDepth)
	if err != nil {
		return refused(CheckShape, "claims are not a strict JSON object")
	}
	for _, name := range claims.Names() {
		if shadows(name) {
			return refused(CheckShape, "a claim differs from a registered one only by letter case")
		}
	}
	t.claims = claims
	return nil
}

// registered are the claims that decide something.
var registered = [...]string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "auth_time", "acr", "amr",
	"at_hash", "c_hash", "s_hash", "sid", "events",
}

// shadows reports whether a careless reader would take name for a registered
// claim. encoding/json does: it folds "SUB" and "ſub" to "sub".
func shadows(name string) bool {
	for _, known := range registered {
		if name == known {
			return false
		}
	}
	for _, known := range registered {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// open makes all checks up to the signature, and then reads the claims.
func (v *Verifier) open(ctx context.Context, raw string, types ...string) (*token, error) {
	t, refusal := parse(raw)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := t.readHeader(v.config.Algorithms, v.config.Rules.HeaderMembers, types); refusal != nil {
		return nil, refusal
	}
	if refusal := v.checkSignature(ctx, t); refusal != nil {
		return nil, refusal
	}
	if refusal := t.readClaims(); refusal != nil {
		return nil, refusal
	}
	return t, nil
}

func (v *Verifier) checkSignature(ctx context.Context, t *token) *Error {
	if jose.Symmetric(t.alg) {
		if err := jose.VerifyHMAC(t.alg, v.config.Secret, t.SigningInput, t.Signature); err != nil {
			return refused(CheckSignature, "signature does not hold")
		}
		return nil
	}
	return verifyWith(ctx, v.config.Keys, t)
}
