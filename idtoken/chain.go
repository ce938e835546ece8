package idtoken

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rely-go/rely/internal/certchain"
	"github.com/rely-go/rely/internal/jose"
)

// ChainConfig says which certificate chains are trusted.
type ChainConfig struct {
	// Anchors are the only roots. Required; the system's are never used.
	Anchors []*x509.Certificate
	// Issuer is the party that the leaf has to name in its
	// organizationIdentifier or serialNumber. Required.
	Issuer string
	// Thumbprints are SHA-256 thumbprints of leaves registered for the issuer,
	// in hexadecimal or base64url; such a leaf need not name it.
	Thumbprints []string
	// Revocation, when set, is asked at each verification.
	Revocation RevocationChecker
	// PEMTail tolerates certificates after the leaf that are base64 of PEM.
	PEMTail bool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// A RevocationChecker says whether a certificate of a path is revoked.
type RevocationChecker interface {
	// CheckRevocation gets the path from the leaf to the anchor. Any error
	// refuses the token: also one that only means that nobody answered. It must
	// be safe for concurrent use.
	CheckRevocation(ctx context.Context, path []*x509.Certificate) error
}

// A CertificateChain takes the key from the x5c header (RFC 7515 §4.1.6): that
// of the first certificate, and no other, after a path from it to a configured
// anchor was built and the certificate was found to be the issuer's.
//
// Chains whose tokens verified are remembered, at most 64, as long as all their
// certificates are valid. It is safe for concurrent use.
type CertificateChain struct {
	config      ChainConfig
	thumbprints [][sha256.Size]byte
	now         func() time.Time

	mu    sync.Mutex // guards known
	known map[[sha256.Size]byte]*trustedPath
}

// trustedPath is a path that was built, and when it is valid.
type trustedPath struct {
	key           crypto.PublicKey
	path          []*x509.Certificate
	from, through time.Time
}

const maxKnownChains = 64

// NewCertificateChain checks the configuration.
func NewCertificateChain(config ChainConfig) (*CertificateChain, error) {
	if len(config.Anchors) == 0 || slices.Contains(config.Anchors, nil) {
		return nil, errors.New("idtoken: certificate chains need trust anchors")
	}
	if config.Issuer == "" {
		return nil, errors.New("idtoken: certificate chains need an issuer")
	}
	c := &CertificateChain{config: config, now: config.Clock, known: map[[sha256.Size]byte]*trustedPath{}}
	c.config.Anchors = slices.Clone(config.Anchors)
	for _, text := range config.Thumbprints {
		thumbprint, err := certchain.ParseThumbprint(text)
		if err != nil {
			return nil, errors.New("idtoken: thumbprint " + err.Error())
		}
		c.thumbprints = append(c.thumbprints, thumbprint)
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// VerifySignature implements [KeySource].
func (c *CertificateChain) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	return verifySignature(ctx, c, jwt)
}

func (c *CertificateChain) verify(ctx context.Context, t *token) *Error {
	id := sha256.Sum256([]byte(t.HeaderPart))
	trusted, remembered := c.recall(id)
	if !remembered {
		var refusal *Error
		if trusted, refusal = c.build(t); refusal != nil {
			return refusal
		}
	}
	if err := jose.Fits(t.alg, trusted.key); err != nil {
		return refused(CheckKey, "leaf certificate's key does not fit alg")
	}
	if jose.Verify(t.alg, trusted.key, t.SigningInput, t.Signature) != nil {
		return refused(CheckSignature, "signature is not the leaf certificate's")
	}
	if c.config.Revocation != nil {
		if err := c.config.Revocation.CheckRevocation(ctx, slices.Clone(trusted.path)); err != nil {
			return &Error{Check: CheckKey, Reason: "certificate is revoked, or nobody could say", Err: err}
		}
	}
	if !remembered {
		// Only now: a stranger can't make us remember.
		c.remember(id, trusted)
	}
	return nil
}

// build reads x5c and judges its chain.
func (c *CertificateChain) build(t *token) (*trustedPath, *Error) {
	raw, ok := t.header.Raw("x5c")
	entries, _, err := t.header.Strings("x5c")
	if !ok || err != nil || raw[0] != '[' {
		return nil, refused(CheckKey, "x5c is missing or no array of strings")
	}
	chain, err := certchain.ParseX5C(entries, c.config.PEMTail)
	if err != nil {
		return nil, refused(CheckKey, "x5c: "+err.Error())
	}
	path, err := certchain.Build(chain, c.config.Anchors, c.now())
	if err != nil {
		return nil, refused(CheckKey, "x5c: "+err.Error())
	}
	leaf := path[0]
	if !slices.Contains(c.thumbprints, certchain.Thumbprint(leaf)) && !certchain.Bound(leaf, c.config.Issuer) {
		return nil, refused(CheckKey, "leaf certificate is not the issuer's")
	}
	trusted := &trustedPath{key: leaf.PublicKey, path: path, from: leaf.NotBefore, through: leaf.NotAfter}
	for _, cert := range path {
		if cert.NotBefore.After(trusted.from) {
			trusted.from = cert.NotBefore
		}
		if cert.NotAfter.Before(trusted.through) {
			trusted.through = cert.NotAfter
		}
	}
	return trusted, nil
}

func (c *CertificateChain) recall(id [sha256.Size]byte) (*trustedPath, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trusted, ok := c.known[id]
	if !ok {
		return nil, false
	}
	if now := c.now(); now.Before(trusted.from) || now.After(trusted.through) {
		delete(c.known, id)
		return nil, false
	}
	return trusted, true
}

func (c *CertificateChain) remember(id [sha256.Size]byte, trusted *trustedPath) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnownChains {
		// An issuer has a handful; whatever fills this is not worth an order.
		clear(c.known)
	}
	c.known[id] = trusted
}
