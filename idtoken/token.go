package idtoken

import (
	"context"
	"errors"
	"strings"
	"time"

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
	header *header
	claims strictjson.Object // empty until the signature holds
	now    time.Time         // one reading of the clock decides about all times
	expect Expect
}

// parse makes the checks of size and shape that can be made without reading.
func parse(raw string) (*token, *Error) {
	compact, err := jose.ParseCompact(raw, maxToken)
	if errors.Is(err, jose.ErrSize) {
		return nil, refused(CheckSize, "token is longer than 64 KiB")
	}
	if err != nil {
		return nil, refused(CheckShape, "token is not three parts of canonical base64url")
	}
	return &token{Compact: compact, raw: raw}, nil
}

// readClaims reads the payload of a token whose signature holds.
func (t *token) readClaims() *Error {
	claims, err := strictjson.ParseObject(t.Payload, maxClaimsDepth)
	if err != nil {
		return refused(CheckShape, "claims are not a strict JSON object")
	}
	for name := range claims.Names() {
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

// open makes all checks up to the signature, and then reads the claims. types
// are the values of typ that the token may have; it may also have none.
func (v *Verifier) open(ctx context.Context, raw string, types ...string) (*token, error) {
	t, refusal := parse(raw)
	if refusal != nil {
		return nil, refusal
	}
	t.now = v.now()
	var remembered bool
	if t.header, remembered = v.headers.get(t.HeaderPart); !remembered {
		if t.header, refusal = readHeader(t.HeaderPart); refusal != nil {
			return nil, refusal
		}
		if refusal := t.header.check(v.config.Algorithms, v.config.Rules.HeaderMembers); refusal != nil {
			return nil, refusal
		}
	}
	if refusal := t.header.checkType(types...); refusal != nil {
		return nil, refusal
	}
	if refusal := v.checkSignature(ctx, t); refusal != nil {
		return nil, refusal
	}
	if !remembered {
		v.headers.put(t.HeaderPart, t.header)
	}
	if refusal := t.readClaims(); refusal != nil {
		return nil, refusal
	}
	return t, nil
}

func (v *Verifier) checkSignature(ctx context.Context, t *token) *Error {
	if jose.Symmetric(t.header.alg) {
		if err := jose.VerifyHMAC(t.header.alg, v.config.Secret, t.SigningInput, t.Signature); err != nil {
			return refused(CheckSignature, "signature does not hold")
		}
		return nil
	}
	return verifyWith(ctx, v.config.Keys, t)
}
