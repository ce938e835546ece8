package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"errors"
)

// ErrSignature is returned when a signature does not hold, whatever the reason.
var ErrSignature = errors.New("jose: signature does not hold")

// Verify is [PublicKey.Verify] for a key that is used once.
func Verify(alg string, key crypto.PublicKey, signingInput string, signature []byte) error {
	if err := Fits(alg, key); err != nil {
		return err
	}
	k, _ := NewPublicKey(key)
	return k.Verify(alg, signingInput, signature)
}

// Verify checks a signature by a key that fits alg. ECDSA signatures are r‖s of
// exact length (RFC 7518 §3.4), PSS salts as long as the hash (§3.5).
func (k PublicKey) Verify(alg, signingInput string, signature []byte) error {
	if !k.Fits(alg) {
		return ErrSignature
	}
	a, _ := lookup(alg)
	ok := false
	switch a.family {
	case familyRSA:
		ok = a.verifyRSA(k.key.(*rsa.PublicKey), signingInput, signature)
	case familyPSS:
		ok = a.verifyPSS(k.key.(*rsa.PublicKey), signingInput, signature)
	case familyECDSA:
		ok = a.verifyECDSA(k.key.(*ecdsa.PublicKey), signingInput, signature)
	case familyEdDSA:
		ok = ed25519.Verify(k.key.(ed25519.PublicKey), []byte(signingInput), signature)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

func (a algorithm) verifyRSA(key *rsa.PublicKey, input string, signature []byte) bool {
	var full digest
	return rsa.VerifyPKCS1v15(key, a.hash, a.sum(input, &full), signature) == nil
}

func (a algorithm) verifyPSS(key *rsa.PublicKey, input string, signature []byte) bool {
	var full digest
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return rsa.VerifyPSS(key, a.hash, a.sum(input, &full), signature, options) == nil
}

func (a algorithm) verifyECDSA(key *ecdsa.PublicKey, input string, signature []byte) bool {
	var full digest
	der, ok := toASN1(signature, a.coordinate())
	return ok && ecdsa.VerifyASN1(key, a.sum(input, &full), der)
}

// coordinate is the length of r and s in bytes.
func (a algorithm) coordinate() int { return (a.bits + 7) / 8 }

// toASN1 turns r‖s of exact length into the DER that crypto/ecdsa takes.
func toASN1(signature []byte, size int) (der []byte, ok bool) {
	if len(signature) != 2*size {
		return nil, false
	}
	r, s := minimal(signature[:size]), minimal(signature[size:])
	const header = 2 // tag and length of a number
	content := 2*header + len(r) + len(s)
	der = make([]byte, 0, 3+content)
	der = append(der, 0x30)
	if content > 127 {
		der = append(der, 0x81)
	}
	der = append(der, byte(content))
	for _, number := range [][]byte{r, s} {
		der = append(der, 0x02, byte(len(number)))
		der = append(der, number...)
	}
	return der, true
}

// minimal returns the shortest form of a positive number that DER allows.
func minimal(number []byte) []byte {
	for len(number) > 1 && number[0] == 0 {
		number = number[1:]
	}
	if number[0] < 0x80 {
		return number
	}
	return append([]byte{0}, number...)
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
