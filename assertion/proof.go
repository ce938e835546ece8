package assertion

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/jose"
)

// A ProofKey proves, with each request, that whoever sends it holds a private key
// (RFC 9449, DPoP): a token that is bound to the key is of no use to a thief. It is
// immutable and safe for concurrent use, as far as its crypto.Signer is. A printed
// ProofKey shows nothing of the key.
type ProofKey struct {
	inner *proofKey // behind a pointer: package fmt follows none in what it can't ask for its text
}

type proofKey struct {
	signer     crypto.Signer
	algorithm  string
	header     string // encoded, with the dot
	thumbprint string
}

// NewProofKey makes a new key for a JWS algorithm: ES256, which costs least, ES384,
// ES512, EdDSA, or PS256, PS384 or PS512 with an RSA key of 2048 bits.
func NewProofKey(algorithm string) (*ProofKey, error) {
	signer, err := generate(algorithm)
	if err != nil {
		return nil, err
	}
	return ProofKeyOf(Key{Signer: signer, Algorithm: algorithm})
}

func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "PS256", "PS384", "PS512":
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, errors.New("assertion: no proof keys are made for that algorithm")
}

// ProofKeyOf proves with a key that is there already. Its algorithm is PS256 where
// the key is RSA and names none; its ID and certificates are not used, because a
// proof holds the public key itself.
func ProofKeyOf(key Key) (*ProofKey, error) {
	if _, ok := key.public().(*rsa.PublicKey); ok && key.Algorithm == "" {
		key.Algorithm = "PS256"
	}
	k := &proofKey{signer: key.Signer, algorithm: key.algorithm()}
	if key.Signer == nil || jose.Symmetric(k.algorithm) {
		return nil, errors.New("assertion: a proof is made with a private key")
	}
	public := key.public()
	if public == nil {
		return nil, errors.New("assertion: key's signer has no public key")
	}
	if err := jose.Fits(k.algorithm, public); err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	jwk, err := jose.PublicJWK(public)
	if err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	if k.thumbprint, err = jose.Thumbprint(public); err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	k.header = jose.Encode([]byte(`{"typ":"dpop+jwt","alg":"`+k.algorithm+`","jwk":`+jwk+`}`)) + "."
	return &ProofKey{k}, nil
}

// A Proof is what is said of one request (RFC 9449 §4.2).
type Proof struct {
	// Method is the request's method, such as GET. Required.
	Method string
	// URL is the request's URL; its query and fragment are left out. Required.
	URL string
	// AccessToken is the token that is sent beside the proof; "" where none is.
	AccessToken string
	// Nonce is the one that the server gave last; "" where it gave none.
	Nonce string
	// IssuedAt is the time of the request; zero means now.
	IssuedAt time.Time
}

// Sign returns a new proof, which is good for one request.
func (k *ProofKey) Sign(ctx context.Context, p Proof) (string, error) {
	if k == nil || k.inner == nil {
		return "", errors.New("assertion: proof key was not made by NewProofKey")
	}
	target, err := htu(p.URL)
	if err != nil || p.Method == "" {
		return "", errors.New("assertion: proof needs a method and an absolute URL")
	}
	if p.IssuedAt.IsZero() {
		p.IssuedAt = time.Now()
	}
	claims := struct {
		ID       string `json:"jti"`
		Method   string `json:"htm"`
		URL      string `json:"htu"`
		IssuedAt int64  `json:"iat"`
		Hash     string `json:"ath,omitempty"`
		Nonce    string `json:"nonce,omitempty"`
	}{newID(), p.Method, target, p.IssuedAt.Unix(), "", p.Nonce}
	if p.AccessToken != "" {
		sum := sha256.Sum256([]byte(p.AccessToken))
		claims.Hash = jose.Encode(sum[:])
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	input := k.inner.header + jose.Encode(payload)
	signature, err := jose.Sign(ctx, k.inner.algorithm, k.inner.signer, input)
	if err != nil {
		return "", fmt.Errorf("assertion: can't sign: %w", err)
	}
	return input + "." + jose.Encode(signature), nil
}

// htu is a URL without query and fragment, in the form in which net/http sends it
// (RFC 3986 §6.2.3: no path is the path "/").
func htu(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", errors.New("not an absolute URL")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return strings.ToLower(u.Scheme) + "://" + u.Host + path, nil
}

// Thumbprint returns the SHA-256 thumbprint of the public key, which is what tokens
// are bound to (RFC 9449 §6.1, §10).
func (k *ProofKey) Thumbprint() string {
	if k == nil || k.inner == nil {
		return ""
	}
	return k.inner.thumbprint
}

// Algorithm returns the JWS algorithm of the key's proofs.
func (k *ProofKey) Algorithm() string {
	if k == nil || k.inner == nil {
		return ""
	}
	return k.inner.algorithm
}

// PKCS8 returns the private key in DER (RFC 5208), to be kept as safely as the
// tokens that are bound to it. A key that is somewhere else can't be had.
func (k *ProofKey) PKCS8() ([]byte, error) {
	if k == nil || k.inner == nil {
		return nil, errors.New("assertion: proof key was not made by NewProofKey")
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.inner.signer)
	if err != nil {
		return nil, errors.New("assertion: proof key can't be exported")
	}
	return der, nil
}

// ParseProofKey reads what PKCS8 returned. RSA keys then sign with PS256.
func ParseProofKey(pkcs8 []byte) (*ProofKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errors.New("assertion: not a private key in PKCS #8")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("assertion: a proof is made with a key that signs")
	}
	return ProofKeyOf(Key{Signer: signer})
}

// Thumbprint returns the SHA-256 thumbprint of a public key (RFC 7638): an
// *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
func Thumbprint(public crypto.PublicKey) (string, error) {
	thumbprint, err := jose.Thumbprint(public)
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	return thumbprint, nil
}

// String shows the algorithm and the thumbprint, which are public.
func (k ProofKey) String() string {
	return "assertion.ProofKey{" + k.Algorithm() + " " + k.Thumbprint() + " [redacted]}"
}

// Format keeps the key out of every verb of package fmt.
func (k ProofKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue keeps the key out of logs.
func (k ProofKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON keeps the key out of JSON.
func (k ProofKey) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
