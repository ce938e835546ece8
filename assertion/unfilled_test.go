package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
)

// absent is a signer that could not find out its public key.
type absent struct{}

func (absent) Public() crypto.PublicKey { return nil }
func (absent) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, assert.AnError
}

// What a program forgot to fill in is an error of New, not a panic.
func TestUnfilledKeys(t *testing.T) {
	for name, key := range map[string]assertion.Key{
		"nil RSA":         {Signer: (*rsa.PrivateKey)(nil)},
		"empty RSA":       {Signer: &rsa.PrivateKey{}},
		"nil EC":          {Signer: (*ecdsa.PrivateKey)(nil)},
		"empty EC":        {Signer: &ecdsa.PrivateKey{}},
		"nil Ed25519":     {Signer: ed25519.PrivateKey(nil)},
		"no public key":   {Signer: absent{}},
		"nil certificate": {Signer: rsaKey(), Naming: assertion.NameX5C, Certificates: []*x509.Certificate{nil}},
		"nil root": {
			Signer: rsaKey(), Naming: assertion.NameX5C,
			Certificates: append(certify(t, rsaKey().Public(), "x", ""), nil),
		},
	} {
		_, err := assertion.New(assertion.Config{ClientID: "c", Key: key, Clock: clock})
		assert.Error(t, err, name)
	}

	signer, err := assertion.New(assertion.Config{ClientID: "c", Key: assertion.Key{Secret: []byte(strings.Repeat("s", 32))}})
	require.NoError(t, err)
	_, err = signer.RequestObject(t.Context(), assertion.RequestObject{Audience: "aud", Encrypt: &assertion.Encryption{
		Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: (*rsa.PublicKey)(nil),
	}})
	assert.ErrorContains(t, err, "malformed")

	var zero assertion.Signer
	_, err = zero.ClientAssertion(t.Context(), "aud")
	assert.ErrorContains(t, err, "not made by New")
	_, err = zero.RequestObject(t.Context(), assertion.RequestObject{Audience: "aud"})
	assert.ErrorContains(t, err, "not made by New")
	_, err = zero.PublicJWKS()
	assert.ErrorContains(t, err, "not made by New")
	assert.Empty(t, zero.Algorithm())
	assert.Equal(t, "assertion.Signer{}", zero.String())
}

// A signer that fails keeps its error for errors.Is.
func TestSignerFails(t *testing.T) {
	key := failing{rsaKey()}
	signer, err := assertion.New(assertion.Config{ClientID: "c", Key: assertion.Key{Signer: key}})
	require.NoError(t, err)
	_, err = signer.ClientAssertion(t.Context(), "aud")
	assert.ErrorIs(t, err, assert.AnError)
}

type failing struct{ crypto.Signer }

func (failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, assert.AnError
}
