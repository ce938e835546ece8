package idtoken

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"net"
	"slices"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// A KeySource knows the keys of one issuer. It has the shape of go-oidc's
// KeySet, so that any of those can be given to a [Verifier], and the sources of
// this package to go-oidc.
type KeySource interface {
	// VerifySignature returns the payload of a JWS in compact serialisation if a
	// key of the issuer signed it. It must be safe for concurrent use.
	VerifySignature(ctx context.Context, jwt string) (payload []byte, err error)
}

// verifying is what the sources of this package are beside that: they take the
// token that was parsed already, and say why they refuse.
type verifying interface {
	verify(ctx context.Context, t *token) *Error
}

// verifyWith asks a source of either kind.
func verifyWith(ctx context.Context, source KeySource, t *token) *Error {
	if own, ok := source.(verifying); ok {
		return own.verify(ctx, t)
	}
	payload, err := source.VerifySignature(ctx, t.raw)
	var network net.Error
	switch {
	case err != nil && (ctx.Err() != nil || errors.As(err, &network)):
		return unavailable(err)
	case err != nil:
		// The cause is not kept: its text may quote the token.
		return refused(CheckSignature, "key source does not confirm the signature")
	case !bytes.Equal(payload, t.Payload):
		return refused(CheckSignature, "key source confirms another payload")
	}
	return nil
}

// verifySignature is VerifySignature for the sources of this package: any
// asymmetric algorithm that fits the key.
func verifySignature(ctx context.Context, source verifying, jwt string) ([]byte, error) {
	t, refusal := parse(jwt)
	if refusal != nil {
		return nil, refusal
	}
	var err error
	if t.alg, _, err = t.header.String("alg"); err != nil || !jose.Known(t.alg) || jose.Symmetric(t.alg) {
		return nil, refused(CheckHeader, "alg is no asymmetric algorithm")
	}
	if t.kid, _, err = t.header.String("kid"); err != nil {
		return nil, refused(CheckHeader, "kid is no string")
	}
	if refusal := source.verify(ctx, t); refusal != nil {
		return nil, refusal
	}
	return t.Payload, nil
}

const (
	maxKeys       = 200 // of a JWK Set
	maxCandidates = 4   // keys with the same kid that are tried
)

// keySet is a JWK Set as it was published at one time.
type keySet []jwx.Key

// verify tries the keys that fit a token: those with its kid; without a kid the
// only one that fits, because a choice among several would be a guess.
func (s keySet) verify(t *token) *Error {
	var fitting []crypto.PublicKey
	for _, key := range s {
		if (t.kid == "" || key.ID == t.kid) && usable(key, t.alg) {
			fitting = append(fitting, key.Public)
		}
	}
	switch {
	case len(fitting) == 0:
		return refused(CheckKey, "issuer has no key that fits kid and alg")
	case t.kid == "" && len(fitting) > 1:
		return refused(CheckKey, "token names no key, and several fit")
	case len(fitting) > maxCandidates:
		return refused(CheckKey, "too many keys have the same kid")
	}
	for _, key := range fitting {
		if jose.Verify(t.alg, key, t.SigningInput, t.Signature) == nil {
			return nil
		}
	}
	return refused(CheckSignature, "signature does not hold")
}

// usable reports whether a key may verify signatures of alg (RFC 7517 §4.2 to
// §4.4).
func usable(key jwx.Key, alg string) bool {
	return (key.Use == "" || key.Use == "sig") &&
		(len(key.Ops) == 0 || slices.Contains(key.Ops, "verify")) &&
		(key.Algorithm == "" || key.Algorithm == alg) &&
		jose.Fits(alg, key.Public) == nil
}

// A pinned source has keys that never change.
type pinned struct{ keys keySet }

// PinnedKeys returns a source of the public keys of a JWK Set (RFC 7517 §5).
// Keys of it that can't verify signatures are passed over; that none is left is
// an error.
func PinnedKeys(jwks []byte) (KeySource, error) {
	keys, err := jwx.ParseKeySet(jwks, maxKeys)
	if err != nil {
		return nil, errors.New("idtoken: " + err.Error())
	}
	if len(keys) == 0 {
		return nil, errors.New("idtoken: JWK Set has no key that can be used")
	}
	return pinned{keys}, nil
}

// PinnedPublicKeys returns a source of RSA, ECDSA and Ed25519 public keys
// without key ids, of which each token must fit exactly one.
func PinnedPublicKeys(keys ...crypto.PublicKey) (KeySource, error) {
	p := pinned{}
	for _, key := range keys {
		p.keys = append(p.keys, jwx.Key{Public: key})
	}
	if len(keys) == 0 {
		return nil, errors.New("idtoken: no key to pin")
	}
	return p, nil
}

func (p pinned) verify(_ context.Context, t *token) *Error {
	// A token that names a key by an id that was never pinned is judged by the
	// keys that have no id.
	if t.kid != "" && !slices.ContainsFunc(p.keys, func(k jwx.Key) bool { return k.ID != "" }) {
		anonymous := *t
		anonymous.kid = ""
		return p.keys.verify(&anonymous)
	}
	return p.keys.verify(t)
}

// VerifySignature implements [KeySource].
func (p pinned) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	return verifySignature(ctx, p, jwt)
}
