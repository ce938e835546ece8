package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // crypto.SHA256
	_ "crypto/sha512" // crypto.SHA384, crypto.SHA512
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

// Hash returns the hash function of alg, which at_hash and its like use
// (OpenID Connect Core §3.1.3.6); for EdDSA SHA-512, as Ed25519 does.
func Hash(alg string) (crypto.Hash, bool) {
	a, ok := lookup(alg)
	return a.hash, ok
}

// Bounds of RSA keys in bits. Longer ones make each signature of a stranger
// expensive.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// Fits reports why a public key can't be used with alg, or nil. A key that was
// never filled in does not fit.
func Fits(alg string, key crypto.PublicKey) error {
	a, ok := lookup(alg)
	if !ok {
		return ErrAlgorithm
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if a.family != familyRSA && a.family != familyPSS {
			break
		}
		return checkRSA(key)
	case *ecdsa.PublicKey:
		if a.family != familyECDSA || key == nil || key.Curve == nil || key.Curve.Params().BitSize != a.bits {
			break
		}
		return checkECDSA(key)
	case ed25519.PublicKey:
		if a.family == familyEdDSA && len(key) == ed25519.PublicKeySize {
			return nil
		}
	}
	return fmt.Errorf("jose: key of type %T does not fit %s", key, alg)
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
