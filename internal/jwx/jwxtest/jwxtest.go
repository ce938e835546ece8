// Package jwxtest verifies and decrypts with lestrrat-go/jwx what this module
// signs and encrypts by itself: for tests, another implementation.
package jwxtest

import (
	"encoding/json"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Verify returns header and payload of a JWS.
func Verify(alg string, key any, text string) (header, payload []byte, err error) {
	payload, err = jws.Verify([]byte(text), jws.WithKey(jwa.SignatureAlgorithm(alg), key))
	if err != nil {
		return nil, nil, err
	}
	message, err := jws.Parse([]byte(text))
	if err != nil {
		return nil, nil, err
	}
	header, err = json.Marshal(message.Signatures()[0].ProtectedHeaders())
	return header, payload, err
}

// Decrypt returns header and plaintext of a JWE.
func Decrypt(alg string, key any, text string) (header, plaintext []byte, err error) {
	plaintext, err = jwe.Decrypt([]byte(text), jwe.WithKey(jwa.KeyEncryptionAlgorithm(alg), key))
	if err != nil {
		return nil, nil, err
	}
	message, err := jwe.Parse([]byte(text))
	if err != nil {
		return nil, nil, err
	}
	header, err = json.Marshal(message.ProtectedHeaders())
	return header, plaintext, err
}
