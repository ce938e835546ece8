package assertion

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"

	"github.com/rely-go/rely/internal/jose"
)

// ContextSigner is what a [crypto.Signer] may be beyond that when its key is
// somewhere else: signing then ends with the context of the request that it is
// for.
type ContextSigner interface {
	crypto.Signer
	// SignContext is Sign with a context.
	SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// Naming says how the header names the key (RFC 7515 §4.1). A header has
// nothing else beside alg and typ.
type Naming uint8

const (
	// NameKeyID names the key by kid, where the key has an ID.
	NameKeyID Naming = iota
	// NameX5C sends the whole certificate chain, the leaf first and the root
	// last.
	NameX5C
	// NameThumbprint sends x5t#S256, the SHA-256 thumbprint of the leaf.
	NameThumbprint
)

// A Key is what a client signs with, and how it is named. A printed Key shows
// nothing of a secret, unless it is in an unexported field of another type,
// where package fmt can't ask it.
type Key struct {
	// Signer holds an RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or
	// Ed25519 key.
	Signer crypto.Signer
	// Secret keys an HMAC in the place of Signer: the octets of client_secret.
	// It has to be as long as the hash at least (RFC 7518 §3.2).
	Secret []byte
	// Algorithm is the JWS algorithm: RS256 to RS512, PS256 to PS512, ES256,
	// ES384, ES512, EdDSA; HS256 to HS512 for a Secret. "" means RS256 for an RSA
	// key, the one of its curve for another, HS256 for a secret.
	Algorithm string
	// ID is sent as kid; "" sends none.
	ID string
	// Certificates is the chain of the key, the leaf first and the root last,
	// for the two namings by certificate.
	Certificates []*x509.Certificate
	// Naming says how the header names the key.
	Naming Naming
}

// algorithm returns Algorithm, or the usual one of the key.
func (k *Key) algorithm() string {
	switch {
	case k.Algorithm != "":
		return k.Algorithm
	case k.Signer == nil:
		return "HS256"
	}
	return jose.Usual(k.public())
}

// public returns the public half of Signer, or nil. The standard library's keys
// panic when they were never filled in.
func (k *Key) public() crypto.PublicKey {
	switch key := k.Signer.(type) {
	case nil:
		return nil
	case *rsa.PrivateKey:
		if key == nil {
			return nil
		}
	case *ecdsa.PrivateKey:
		if key == nil {
			return nil
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return nil
		}
	}
	return k.Signer.Public()
}

// String shows the algorithm and the key's ID.
func (k Key) String() string { return "assertion.Key{" + k.Algorithm + " " + k.ID + " [redacted]}" }

// Format keeps secrets out of every verb of package fmt.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue keeps a secret out of logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON keeps a secret out of JSON.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
