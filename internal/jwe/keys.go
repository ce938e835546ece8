package jwe

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/rely-go/rely/internal/jose"
)

// A Key is one private key of ours that was found to be sound. It can be used
// concurrently if what it was made of can. The zero Key fits nothing.
type Key struct {
	id, algorithm string
	public        crypto.PublicKey
	decrypter     crypto.Decrypter // of RSA,
	size          int              // with a modulus of that many bytes; or
	exchanger     ecdh.KeyExchanger
	curve         ecdh.Curve
}

// NewKey takes an *rsa.PrivateKey, *ecdh.PrivateKey or *ecdsa.PrivateKey, or a key
// in a device or a service: a [crypto.Decrypter] whose public key is an
// *rsa.PublicKey and that knows rsa.OAEPOptions, or an [ecdh.KeyExchanger]. RSA
// keys have 2048 to 8192 bits, the others a curve of P-256, P-384, P-521 and
// X25519.
//
// id is the kid that the key is published with, or "". algorithm is the one alg
// that it is for, or "": all that fit.
func NewKey(id, algorithm string, private any) (Key, error) {
	key, err := soundKey(private)
	if err != nil {
		return Key{}, err
	}
	if algorithm != "" && !key.Fits(algorithm) {
		return Key{}, fmt.Errorf("jwe: key of type %T does not fit its algorithm", private)
	}
	key.id, key.algorithm = id, algorithm
	return key, nil
}

var errKey = errors.New("jwe: private key is malformed")

func soundKey(private any) (Key, error) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		if private == nil || private.Validate() != nil {
			return Key{}, errKey
		}
		// Without it each use takes nearly twice as long. It writes to the key,
		// which is not ours alone.
		own := *private
		own.Precompute()
		return decrypterKey(&own, &own.PublicKey)
	case *ecdh.PrivateKey:
		if private == nil {
			return Key{}, errKey
		}
	case *ecdsa.PrivateKey:
		return convertedKey(private)
	}
	// A handle may have the methods of both, and a key of one.
	if d, ok := private.(crypto.Decrypter); ok {
		if public, ok := d.Public().(*rsa.PublicKey); ok {
			return decrypterKey(d, public)
		}
	}
	if e, ok := private.(ecdh.KeyExchanger); ok {
		return exchangerKey(e)
	}
	return Key{}, fmt.Errorf("jwe: key of type %T is for no algorithm", private)
}

func decrypterKey(private crypto.Decrypter, public *rsa.PublicKey) (Key, error) {
	if _, err := jose.NewPublicKey(public); err != nil {
		return Key{}, err
	}
	return Key{public: public, decrypter: private, size: public.Size()}, nil
}

func exchangerKey(private ecdh.KeyExchanger) (Key, error) {
	curve := private.Curve()
	if secretSize(curve) == 0 {
		return Key{}, errKey
	}
	public, err := published(private.PublicKey())
	return Key{public: public, exchanger: private, curve: curve}, err
}

// published returns a key in the type of its JWK: only X25519 stays with crypto/ecdh.
func published(public *ecdh.PublicKey) (crypto.PublicKey, error) {
	if public == nil {
		return nil, errKey
	}
	var curve elliptic.Curve
	switch public.Curve() {
	case ecdh.P256():
		curve = elliptic.P256()
	case ecdh.P384():
		curve = elliptic.P384()
	case ecdh.P521():
		curve = elliptic.P521()
	default:
		return public, nil
	}
	return ecdsa.ParseUncompressedPublicKey(curve, public.Bytes())
}

func convertedKey(private *ecdsa.PrivateKey) (Key, error) {
	//lint:ignore SA1019 the library's own check panics on a number that is missing
	if private == nil || private.D == nil {
		return Key{}, errKey
	}
	if _, err := jose.NewPublicKey(&private.PublicKey); err != nil {
		return Key{}, err
	}
	converted, err := private.ECDH()
	if err != nil {
		return Key{}, errKey
	}
	return exchangerKey(converted)
}

// ID returns the kid of the key.
func (k Key) ID() string { return k.id }

// Algorithm returns the one alg that the key is for, or "".
func (k Key) Algorithm() string { return k.algorithm }

// Public returns the public half: an *rsa.PublicKey, *ecdsa.PublicKey, or
// *ecdh.PublicKey of X25519.
func (k Key) Public() crypto.PublicKey { return k.public }

// Fits reports whether the key can be used with alg.
func (k Key) Fits(alg string) bool {
	m, ok := managementOf(alg)
	if !ok || k.algorithm != "" && k.algorithm != alg {
		return false
	}
	return m.family == familyOAEP && k.decrypter != nil || m.family == familyECDH && k.exchanger != nil
}

// maxTries bounds the expensive steps that one token can ask for.
const maxTries = 4

// candidates returns the keys to try: those with the token's kid, and without a
// kid all, as far as they fit.
func (c Compact) candidates(keys []Key) []Key {
	fitting := make([]Key, 0, maxTries)
	for _, k := range keys {
		if len(fitting) < maxTries && c.isFor(k) {
			fitting = append(fitting, k)
		}
	}
	return fitting
}

// isFor reports whether the token can be for a key, as far as anyone can see
// without it. An RSA ciphertext is exactly as long as the key (RFC 8017 §7.1.2):
// crypto/rsa takes one without its leading zeros too, and the token would have
// two texts. A point must be on the curve of the key (RFC 7518 §4.6.1.1).
func (c Compact) isFor(k Key) bool {
	if c.Header.Has("kid") && k.id != c.KeyID || !k.Fits(c.Algorithm) {
		return false
	}
	if k.decrypter != nil {
		return len(c.encryptedKey) == k.size
	}
	return k.curve == c.ephemeral.Curve()
}
