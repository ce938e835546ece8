package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// PublicJWK returns the members of a public key that RFC 7638 §3.2 requires, in its
// order and without white space: the smallest JWK of the key, and what its
// thumbprint is made of.
func PublicJWK(key crypto.PublicKey) (string, error) {
	if _, err := NewPublicKey(key); err != nil {
		return "", err
	}
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 0x04, x and y (RFC 7518 §6.2.1)
		if err != nil {
			return "", err
		}
		half := (len(point) - 1) / 2
		return `{"crv":"` + key.Curve.Params().Name + `","kty":"EC","x":"` + Encode(point[1:1+half]) + `","y":"` + Encode(point[1+half:]) + `"}`, nil
	case ed25519.PublicKey:
		return `{"crv":"Ed25519","kty":"OKP","x":"` + Encode(key) + `"}`, nil
	}
	r := key.(*rsa.PublicKey) // the last that NewPublicKey takes
	return `{"e":"` + Encode(big.NewInt(int64(r.E)).Bytes()) + `","kty":"RSA","n":"` + Encode(r.N.Bytes()) + `"}`, nil
}

// Thumbprint returns the SHA-256 thumbprint of a public key (RFC 7638 §3).
func Thumbprint(key crypto.PublicKey) (string, error) {
	jwk, err := PublicJWK(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(jwk))
	return Encode(sum[:]), nil
}
