package conformance

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Encrypt encrypts a JWT to a key, with A256GCM (RFC 7516 §5.1). alg is RSA-OAEP-256,
// or RSA1_5, which nobody should take.
func Encrypt(alg string, key *rsa.PublicKey, jwt string) string {
	header, _ := json.Marshal(map[string]any{"alg": alg, "enc": "A256GCM", "cty": "JWT"}) // made of what can be encoded
	content, nonce := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(content) // never fails
	_, _ = rand.Read(nonce)
	var wrapped []byte
	if alg == "RSA1_5" {
		//lint:ignore SA1019 a client has to refuse it
		wrapped = must(rsa.EncryptPKCS1v15(rand.Reader, key, content))
	} else {
		wrapped = must(rsa.EncryptOAEP(sha256.New(), rand.Reader, key, content, nil))
	}
	encode := base64.RawURLEncoding.EncodeToString
	protected := encode(header)
	sealer := must(cipher.NewGCM(must(aes.NewCipher(content))))
	sealed := sealer.Seal(nil, nonce, []byte(jwt), []byte(protected))
	tag := len(sealed) - sealer.Overhead()
	return strings.Join([]string{protected, encode(wrapped), encode(nonce), encode(sealed[:tag]), encode(sealed[tag:])}, ".")
}
