package jwx

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/x25519"

	"github.com/rely-go/rely/internal/jose"
)

// ErrEncryption is returned for algorithms that are not offered.
var ErrEncryption = errors.New("jwx: encryption algorithms are RSA-OAEP, RSA-OAEP-256 and ECDH-ES with or without AES key wrap, with AES-CBC and HMAC or AES-GCM")

// CheckEncryption reports whether the pair of algorithms is offered (RFC 7518 §4.1,
// §5.1): neither RSA1_5, which tells its key away bit by bit, nor what needs a shared
// secret.
func CheckEncryption(alg, enc string) error {
	switch enc {
	case "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM":
	default:
		return ErrEncryption
	}
	switch alg {
	case "RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW":
		return nil
	}
	return ErrEncryption
}

// CheckRecipient reports why nothing can be encrypted to a public key with alg, or
// nil: RSA keys have 2048 to 8192 bits, the others a curve of P-256, P-384, P-521 and
// X25519.
func CheckRecipient(alg string, to crypto.PublicKey) error {
	agreement := strings.HasPrefix(alg, "ECDH-ES")
	switch to := to.(type) {
	case *rsa.PublicKey:
		if _, err := jose.NewPublicKey(to); err != nil || !agreement {
			return err
		}
	case *ecdsa.PublicKey:
		if _, err := jose.NewPublicKey(to); err != nil || agreement {
			return err
		}
	case *ecdh.PublicKey:
		if to != nil && to.Curve() == ecdh.X25519() && agreement {
			return nil
		}
	}
	return errors.New("jwx: key does not fit the algorithm of encryption")
}

// Encrypt returns a JWE in compact serialisation (RFC 7516). header are further
// protected members: typ, cty, kid.
func Encrypt(alg, enc string, to crypto.PublicKey, header map[string]string, plaintext []byte) (string, error) {
	if err := CheckEncryption(alg, enc); err != nil {
		return "", err
	}
	if err := CheckRecipient(alg, to); err != nil {
		return "", err
	}
	if key, ok := to.(*ecdh.PublicKey); ok {
		to = x25519.PublicKey(key.Bytes())
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
