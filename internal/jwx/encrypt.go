package jwx

import (
	"crypto"
	"errors"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

// ErrEncryption is returned for algorithms that are not offered.
var ErrEncryption = errors.New("jwx: encryption algorithms are RSA-OAEP and RSA-OAEP-256 with A128CBC-HS256 and A256GCM")

// CheckEncryption reports whether the pair of algorithms is offered.
func CheckEncryption(alg, enc string) error {
	if alg != "RSA-OAEP" && alg != "RSA-OAEP-256" || enc != "A128CBC-HS256" && enc != "A256GCM" {
		return ErrEncryption
	}
	return nil
}

// Encrypt returns a JWE in compact serialisation (RFC 7516). header are further
// protected members: typ, cty, kid.
func Encrypt(alg, enc string, to crypto.PublicKey, header map[string]string, plaintext []byte) (string, error) {
	if err := CheckEncryption(alg, enc); err != nil {
		return "", err
	}
	protected := jwe.NewHeaders()
	for name, value := range header {
		if err := protected.Set(name, value); err != nil {
			return "", errors.New("jwx: header can't have that member")
		}
	}
	out, err := jwe.Encrypt(plaintext,
		jwe.WithKey(jwa.KeyEncryptionAlgorithm(alg), to), jwe.WithContentEncryption(jwa.ContentEncryptionAlgorithm(enc)),
		jwe.WithProtectedHeaders(protected), jwe.WithCompact())
	if err != nil {
		return "", errors.New("jwx: encryption failed")
	}
	return string(out), nil
}
