package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
)

type family uint8

const (
	familyHMAC family = iota + 1
	familyRSA
	familyPSS
	familyECDSA
	familyEdDSA
)

type algorithm struct {
	family family
	hash   crypto.Hash
	bits   int // of an ECDSA curve
}

// lookup is a switch, so that no table can be changed.
func lookup(alg string) (algorithm, bool) {
	switch alg {
	case "HS256":
		return algorithm{familyHMAC, crypto.SHA256, 0}, true
	case "HS384":
		return algorithm{familyHMAC, crypto.SHA384, 0}, true
	case "HS512":
		return algorithm{familyHMAC, crypto.SHA512, 0}, true
	case "RS256":
		return algorithm{familyRSA, crypto.SHA256, 0}, true
	case "RS384":
		return algorithm{familyRSA, crypto.SHA384, 0}, true
	case "RS512":
		return algorithm{familyRSA, crypto.SHA512, 0}, true
	case "PS256":
		return algorithm{familyPSS, crypto.SHA256, 0}, true
	case "PS384":
		return algorithm{familyPSS, crypto.SHA384, 0}, true
	case "PS512":
		return algorithm{familyPSS, crypto.SHA512, 0}, true
	case "ES256":
		return algorithm{familyECDSA, crypto.SHA256, 256}, true
	case "ES384":
		return algorithm{familyECDSA, crypto.SHA384, 384}, true
	case "ES512":
		return algorithm{familyECDSA, crypto.SHA512, 521}, true
	case "EdDSA":
		// Ed25519 hashes with SHA-512 inside.
		return algorithm{familyEdDSA, crypto.SHA512, 0}, true
	}
	return algorithm{}, false
}

// ErrAlgorithm is returned for an algorithm that this package does not have.
var ErrAlgorithm = errors.New("jose: unknown algorithm")

// Known reports whether alg is one of RS, PS and HS with 256, 384 and 512,
// ES256, ES384, ES512 and EdDSA (with Ed25519).
func Known(alg string) bool {
	_, ok := lookup(alg)
	return ok
}

// Symmetric reports whether alg is an HMAC.
func Symmetric(alg string) bool {
	a, _ := lookup(alg)
	return a.family == familyHMAC
}

// A digest is the result of any of the hash functions.
type digest [sha512.Size]byte

// sum hashes a text. It is a switch over concrete types, and goes through a small
// buffer for the usual hash, because otherwise each text is copied: with a chain
// in the header, ten kilobytes for each token.
func (a algorithm) sum(text string, into *digest) []byte {
	switch a.hash {
	case crypto.SHA256:
		h := sha256.New()
		var part [512]byte
		for len(text) > 0 {
			n := copy(part[:], text)
			h.Write(part[:n])
			text = text[n:]
		}
		return h.Sum(into[:0])
	case crypto.SHA384:
		sum := sha512.Sum384([]byte(text))
		return into[:copy(into[:], sum[:])]
	}
	*into = sha512.Sum512([]byte(text))
	return into[:]
}

// IsHalfHash reports whether encoded is the base64url of the left half of a
// value's hash, by the hash function of alg: what at_hash and its like are
// (OpenID Connect Core §3.1.3.6); for EdDSA SHA-512, as Ed25519 does.
func IsHalfHash(encoded, alg, value string) bool {
	a, ok := lookup(alg)
	if !ok {
		return false
	}
	var full digest
	var text [sha512.Size]byte
	half := a.sum(value, &full)[:a.hash.Size()/2]
	want := text[:base64.RawURLEncoding.EncodedLen(len(half))]
	base64.RawURLEncoding.Encode(want, half)
	return subtle.ConstantTimeCompare([]byte(encoded), want) == 1
}

// Bounds of RSA keys in bits. Longer ones make each signature of a stranger
// expensive.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// A PublicKey was found to be sound, once, so that verifying with it needs no
// further look. The zero PublicKey fits no algorithm.
type PublicKey struct {
	key      crypto.PublicKey
	families [2]family
	bits     int // of an ECDSA curve
}

// NewPublicKey takes an *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
// The error says why a key can't be used with any algorithm; one that was never
// filled in can't.
func NewPublicKey(key crypto.PublicKey) (PublicKey, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return PublicKey{key, [2]family{familyRSA, familyPSS}, 0}, checkRSA(key)
	case *ecdsa.PublicKey:
		if err := checkECDSA(key); err != nil {
			return PublicKey{}, err
		}
		return PublicKey{key, [2]family{familyECDSA}, key.Curve.Params().BitSize}, nil
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return PublicKey{}, errors.New("jose: Ed25519 key has a wrong length")
		}
		return PublicKey{key, [2]family{familyEdDSA}, 0}, nil
	}
	return PublicKey{}, fmt.Errorf("jose: key of type %T is for no algorithm", key)
}

// Usual returns the algorithm that a public key signs with where none is named: RS256
// for RSA, the one of its curve for another. Whether the key is sound, or one at all, is
// for [Fits] to say.
func Usual(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key == nil || key.Curve == nil {
			return ""
		}
		return map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return "EdDSA"
	}
	return "RS256"
}

// Fits reports whether the key can be used with alg.
func (k PublicKey) Fits(alg string) bool {
	a, ok := lookup(alg)
	return ok && k.key != nil && (a.family == k.families[0] || a.family == k.families[1]) && a.bits == k.bits
}

// Fits reports why a public key can't be used with alg, or nil.
func Fits(alg string, key crypto.PublicKey) error {
	if _, ok := lookup(alg); !ok {
		return ErrAlgorithm
	}
	k, err := NewPublicKey(key)
	if err == nil && !k.Fits(alg) {
		err = fmt.Errorf("jose: key of type %T does not fit %s", key, alg)
	}
	return err
}

func checkRSA(key *rsa.PublicKey) error {
	// crypto/rsa takes no exponent of more than 31 bits either.
	if key == nil || key.N == nil || key.N.Sign() <= 0 || key.E < 3 || key.E > math.MaxInt32 || key.E&1 == 0 {
		return errors.New("jose: RSA key is malformed")
	}
	if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("jose: RSA key has %d bits, not %d to %d", bits, minRSABits, maxRSABits)
	}
	if key.N.Bit(0) == 0 {
		return errors.New("jose: RSA key is malformed")
	}
	return nil
}

func checkECDSA(key *ecdsa.PublicKey) error {
	errPoint := errors.New("jose: EC key is not a point of its curve")
	if key == nil || key.Curve == nil {
		return errPoint
	}
	//lint:ignore SA1019 the library's own check panics on coordinates that are missing
	if key.X == nil || key.Y == nil {
		return errPoint
	}
	// ECDH checks that the point is on the curve.
	if _, err := key.ECDH(); err != nil {
		return errPoint
	}
	return nil
}
