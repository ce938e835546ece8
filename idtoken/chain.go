package idtoken

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
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
	// CheckRevocation gets the path from the leaf to the anchor. With any error the
	// token is not believed. One that only means that nobody answered, a [net.Error] or
	// a context's error, makes an [Error] that is Unavailable. It must be safe for
	// concurrent use.
	CheckRevocation(ctx context.Context, path []*x509.Certificate) error
}

// A CertificateChain takes the key from the x5c header (RFC 7515 §4.1.6): that
// of the first certificate, and no other, after a path from it to a configured
// anchor was built and the certificate was found to be the issuer's.
//
// Building a path is what costs most, so the leaf's signature of the token is
// verified before: a token with both faults fails at [CheckSignature]. Chains
// that were believed are remembered, at most 16, as long as all their
// certificates are valid, and so are the CAs under the anchors. It is safe for
// concurrent use.
type CertificateChain struct {
	config      ChainConfig
	anchors     *certchain.Anchors
	thumbprints [][sha256.Size]byte
	now         func() time.Time
	known       byHeader[*trustedPath]
}

// trustedPath is a path that was built, and when it is valid.
type trustedPath struct {
	key           jose.PublicKey
	path          []*x509.Certificate
	from, through time.Time
}

func (p *trustedPath) validAt(now time.Time) bool {
	return !now.Before(p.from) && !now.After(p.through)
}

// NewCertificateChain checks the configuration.
func NewCertificateChain(config ChainConfig) (*CertificateChain, error) {
	anchors, err := certchain.NewAnchors(config.Anchors)
	if err != nil {
		return nil, errors.New("idtoken: certificate chains: " + err.Error())
	}
	if config.Issuer == "" {
		return nil, errors.New("idtoken: certificate chains need an issuer")
	}
	c := &CertificateChain{config: config, anchors: anchors, now: config.Clock}
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
	now := c.now()
	trusted, remembered := c.known.get(t.HeaderPart)
	if remembered = remembered && trusted.validAt(now); remembered {
		if refusal := checkLeafSignature(t, trusted.key); refusal != nil {
			return refusal
		}
	} else {
		var refusal *Error
		if trusted, refusal = c.judge(t, now); refusal != nil {
			return refusal
		}
	}
	if c.config.Revocation != nil {
		if err := c.config.Revocation.CheckRevocation(ctx, slices.Clone(trusted.path)); err != nil {
			return &Error{Check: CheckKey, Reason: "certificate is revoked, or nobody could say", Unavailable: isOutage(ctx, err), Err: err}
		}
	}
	if !remembered {
		c.known.put(t.HeaderPart, trusted)
	}
	return nil
}

func checkLeafSignature(t *token, key jose.PublicKey) *Error {
	if !key.Fits(t.header.alg) {
		return refused(CheckKey, "leaf certificate's key does not fit alg")
	}
	if key.Verify(t.header.alg, t.SigningInput, t.Signature) != nil {
		return refused(CheckSignature, "signature is not the leaf certificate's")
	}
	return nil
}

// judge decides about a chain that is new: what is cheap comes first.
func (c *CertificateChain) judge(t *token, now time.Time) (*trustedPath, *Error) {
	refusedChain := func(err error) *Error { return refused(CheckKey, "x5c: "+err.Error()) }
	entries, err := chainOf(t.header)
	if err != nil {
		return nil, refusedChain(err)
	}
	leaf, err := certchain.ParseLeaf(entries)
	if err != nil {
		return nil, refusedChain(err)
	}
	if err := certchain.CheckLeaf(leaf); err != nil {
		return nil, refusedChain(err)
	}
	if !slices.Contains(c.thumbprints, certchain.Thumbprint(leaf)) && !certchain.Bound(leaf, c.config.Issuer) {
		return nil, refused(CheckKey, "leaf certificate is not the issuer's")
	}
	key, err := jose.NewPublicKey(leaf.PublicKey)
	if err != nil {
		return nil, refusedChain(err)
	}
	if refusal := checkLeafSignature(t, key); refusal != nil {
		return nil, refusal
	}
	others, err := certchain.ParseOthers(entries, c.config.PEMTail)
	if err != nil {
		return nil, refusedChain(err)
	}
	path, err := c.anchors.Build(append([]*x509.Certificate{leaf}, others...), now)
	if err != nil {
		return nil, refusedChain(err)
	}
	return newTrustedPath(key, path), nil
}

// chainOf returns the entries of a header's x5c.
func chainOf(h *header) ([]string, error) {
	raw, _ := h.members.Raw("x5c")
	entries, _, err := h.members.Strings("x5c")
	if err != nil || !strings.HasPrefix(raw, "[") {
		return nil, errors.New("is missing or no array of strings")
	}
	return entries, nil
}

func newTrustedPath(key jose.PublicKey, path []*x509.Certificate) *trustedPath {
	trusted := &trustedPath{key: key, path: path, from: path[0].NotBefore, through: path[0].NotAfter}
	for _, cert := range path {
		if cert.NotBefore.After(trusted.from) {
			trusted.from = cert.NotBefore
		}
		if cert.NotAfter.Before(trusted.through) {
			trusted.through = cert.NotAfter
		}
	}
	return trusted
}
