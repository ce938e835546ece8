package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"errors"
	"math/big"
)

// ErrSignature is returned when a signature does not hold, whatever the reason.
var ErrSignature = errors.New("jose: signature does not hold")

// Verify checks a signature by a public key that fits alg (see [Fits]). ECDSA
// signatures are r‖s of exact length (RFC 7518 §3.4), PSS salts as long as the
// hash (§3.5).
func Verify(alg string, key crypto.PublicKey, signingInput string, signature []byte) error {
	if err := Fits(alg, key); err != nil {
		return err
	}
	a, _ := lookup(alg)
	if a.family == familyEdDSA {
		if !ed25519.Verify(key.(ed25519.PublicKey), []byte(signingInput), signature) {
			return ErrSignature
		}
		return nil
	}
	h := a.hash.New()
	h.Write([]byte(signingInput))
	digest := h.Sum(nil)
	ok := false
	switch a.family {
	case familyRSA:
		ok = rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), a.hash, digest, signature) == nil
	case familyPSS:
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		ok = rsa.VerifyPSS(key.(*rsa.PublicKey), a.hash, digest, signature, options) == nil
	case familyECDSA:
		ok = verifyECDSA(key.(*ecdsa.PublicKey), digest, signature, a.coordinate())
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// coordinate is the length of r and s in bytes.
func (a algorithm) coordinate() int { return (a.bits + 7) / 8 }

func verifyECDSA(key *ecdsa.PublicKey, digest, signature []byte, size int) bool {
	if len(signature) != 2*size {
		return false
	}
	r := new(big.Int).SetBytes(signature[:size])
	s := new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(key, digest, r, s)
}

// CheckSecret reports why a secret can't key alg: it is shorter than the hash
// (RFC 7518 §3.2).
func CheckSecret(alg string, secret []byte) error {
	a, ok := lookup(alg)
	if !ok || a.family != familyHMAC {
		return ErrAlgorithm
	}
	if len(secret) < a.hash.Size() {
		return errors.New("jose: secret is shorter than the hash of " + alg)
	}
	return nil
}

// VerifyHMAC checks an HMAC in constant time.
func VerifyHMAC(alg string, secret []byte, signingInput string, signature []byte) error {
	want, err := SignHMAC(alg, secret, signingInput)
	if err != nil {
		return err
	}
	if !hmac.Equal(want, signature) {
		return ErrSignature
	}
	return nil
}
