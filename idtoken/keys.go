package idtoken

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// A KeySource knows the keys of one issuer. It has the shape of go-oidc's
// KeySet, so that any of those can be given to a [Verifier], and the sources of
// this package to go-oidc. That it could not get its keys, which says nothing against a
// token, a source tells by a [net.Error] or a context's error.
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
	switch {
	case err != nil && isOutage(ctx, err):
		return unavailable(err)
	case err != nil && strings.HasPrefix(err.Error(), notFetched):
		return unavailable(nil) // the cause quotes what the issuer answered
	case err != nil:
		// The cause is not kept: its text may quote the token.
		return refused(CheckSignature, "key source does not confirm the signature")
	case !bytes.Equal(payload, t.Payload):
		return refused(CheckSignature, "key source confirms another payload")
	}
	return nil
}

// notFetched is how an error of go-oidc's RemoteKeySet begins that is not about the
// signature but about the keys. By nothing else can the two be told apart when the
// issuer was reached and answered no keys.
const notFetched = "fetching keys "

// isOutage reports an error that only means that somebody was not reached.
func isOutage(ctx context.Context, err error) bool {
	var network net.Error
	return ctx.Err() != nil || errors.As(err, &network) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// verifySignature is VerifySignature for the sources of this package: any
// asymmetric algorithm that fits the key.
func verifySignature(ctx context.Context, source verifying, jwt string) ([]byte, error) {
	t, refusal := parse(jwt)
	if refusal != nil {
		return nil, refusal
	}
	if t.header, refusal = readHeader(t.HeaderPart); refusal != nil {
		return nil, refusal
	}
	if alg := t.header.alg; !jose.Known(alg) || jose.Symmetric(alg) {
		return nil, refused(CheckHeader, "alg is no asymmetric algorithm")
	}
	if refusal := source.verify(ctx, t); refusal != nil {
		return nil, refusal
	}
	return t.Payload, nil
}

const (
	maxKeys       = 1000 // of a JWK Set
	maxCandidates = 4    // keys with the same kid that are tried
)

// A verificationKey was found sound and meant for verifying signatures.
type verificationKey struct {
	id        string // kid, or ""
	algorithm string // the only one it is for, or ""
	public    jose.PublicKey
}

// keySet is a JWK Set as it was published at one time.
type keySet []verificationKey

// newKeySet passes over keys that can't or may not verify signatures (RFC 7517
// §4.2 to §4.4).
func newKeySet(keys []jwx.Key) keySet {
	set := make(keySet, 0, len(keys))
	for _, key := range keys {
		public, err := jose.NewPublicKey(key.Public)
		if err == nil && (key.Use == "" || key.Use == "sig") && (len(key.Ops) == 0 || slices.Contains(key.Ops, "verify")) {
			set = append(set, verificationKey{key.ID, key.Algorithm, public})
		}
	}
	return set
}

// parseKeySet reads a JWK Set.
func parseKeySet(jwks []byte) (keySet, error) {
	keys, err := jwx.ParseKeySet(jwks, maxKeys)
	return newKeySet(keys), err
}

// verify tries the keys that fit a token: those with its kid; without a kid the
// only one that fits, because a choice among several would be a guess.
func (s keySet) verify(t *token, kid string) *Error {
	alg := t.header.alg
	var fitting [maxCandidates]*verificationKey
	count := 0
	for i := range s {
		key := &s[i]
		if kid != "" && key.id != kid || key.algorithm != "" && key.algorithm != alg || !key.public.Fits(alg) {
			continue
		}
		switch {
		case kid == "" && count > 0:
			return refused(CheckKey, "token names no key, and several fit")
		case count == maxCandidates:
			return refused(CheckKey, "too many keys fit kid and alg")
		}
		fitting[count] = key
		count++
	}
	if count == 0 {
		return refused(CheckKey, "issuer has no key that fits kid and alg")
	}
	for _, key := range fitting[:count] {
		if key.public.Verify(alg, t.SigningInput, t.Signature) == nil {
			return nil
		}
	}
	return refused(CheckSignature, "signature does not hold")
}

// lacks reports whether a token names a key that is not there.
func (s keySet) lacks(kid string) bool {
	return kid != "" && !slices.ContainsFunc(s, func(k verificationKey) bool { return k.id == kid })
}

// A pinned source has keys that never change.
type pinned struct{ keys keySet }

// PinnedKeys returns a source of the public keys of a JWK Set (RFC 7517 §5).
// Keys of it that can't verify signatures are passed over; that none is left is
// an error.
func PinnedKeys(jwks []byte) (KeySource, error) {
	keys, err := parseKeySet(jwks)
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
	if len(keys) == 0 {
		return nil, errors.New("idtoken: no key to pin")
	}
	p := pinned{}
	for _, key := range keys {
		public, err := jose.NewPublicKey(key)
		if err != nil {
			return nil, fmt.Errorf("idtoken: %w", err)
		}
		p.keys = append(p.keys, verificationKey{public: public})
	}
	return p, nil
}

func (p pinned) verify(_ context.Context, t *token) *Error {
	// A token that names a key by an id that was never pinned is judged by the
	// keys that have no id.
	if !slices.ContainsFunc(p.keys, func(k verificationKey) bool { return k.id != "" }) {
		return p.keys.verify(t, "")
	}
	return p.keys.verify(t, t.header.kid)
}

// VerifySignature implements [KeySource].
func (p pinned) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	return verifySignature(ctx, p, jwt)
}
