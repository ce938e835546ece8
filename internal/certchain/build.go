package certchain

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const minRSABits = 2048

// Anchors are trusted roots, and what was learned about certificates under them.
// They come only from the caller: never from a token, never from the system.
// Safe for concurrent use.
type Anchors struct {
	certs []*x509.Certificate
	roots *x509.CertPool

	mu    sync.Mutex
	under map[[sha256.Size]byte]bool // thumbprints of CAs that an anchor answers for
}

// NewAnchors takes certificates that are trusted without further question.
func NewAnchors(certs []*x509.Certificate) (*Anchors, error) {
	a := &Anchors{certs: slices.Clone(certs), roots: x509.NewCertPool(), under: map[[sha256.Size]byte]bool{}}
	if len(certs) == 0 || slices.Contains(certs, nil) {
		return nil, errors.New("there is no trust anchor")
	}
	for _, cert := range certs {
		a.roots.AddCert(cert)
	}
	return a, nil
}

// Build returns a path from the leaf, which is the first of chain, to one of
// the anchors. The rules are fixed: everything is within its validity at now; the
// leaf is no CA, and its key usage, if it has one, allows signatures
// (digitalSignature or contentCommitment) and no certificates; extended key
// usages are not looked at, because the schemes disagree about them; keys are
// strong enough; a path has at most ten certificates, the anchor included.
// Signatures with SHA-1 and MD5 are refused by crypto/x509.
func (a *Anchors) Build(chain []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	if len(chain) == 0 {
		return nil, errors.New("there is no certificate")
	}
	leaf := chain[0]
	if err := CheckLeaf(leaf); err != nil {
		return nil, err
	}
	between, err := a.admit(chain[1:])
	if err != nil {
		return nil, err
	}
	paths, err := leaf.Verify(x509.VerifyOptions{
		Roots: a.roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, explain(err, leaf, now)
	}
	for _, path := range paths {
		if err = checkPath(path); err == nil {
			return path, nil
		}
	}
	return nil, err
}

// explain keeps crypto/x509's texts, which quote names, out of ours.
func explain(err error, leaf *x509.Certificate, now time.Time) error {
	var invalid x509.CertificateInvalidError
	switch {
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return errors.New("leaf certificate is not valid at this time")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("a certificate of the path is not valid at this time")
	case errors.As(err, &invalid) && invalid.Reason == x509.TooManyIntermediates:
		return errors.New("path is longer than a certificate of it allows")
	}
	return errors.New("no path leads to a configured trust anchor")
}

// CheckLeaf says why a certificate can't be that of who signs a token.
func CheckLeaf(leaf *x509.Certificate) error {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	const issues = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	switch {
	case leaf.IsCA:
		return errors.New("leaf certificate is a CA's")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&signs == 0:
		return errors.New("leaf certificate is not for signatures")
	case leaf.KeyUsage&issues != 0:
		return errors.New("leaf certificate is for issuing certificates")
	}
	return nil
}

func checkPath(path []*x509.Certificate) error {
	if len(path) > maxCertificates {
		return errors.New("path is longer than ten certificates")
	}
	for _, cert := range path {
		switch key := cert.PublicKey.(type) {
		case *rsa.PublicKey:
			if key.N.BitLen() < minRSABits {
				return fmt.Errorf("a certificate's RSA key is shorter than %d bits", minRSABits)
			}
		case *ecdsa.PublicKey:
			if key.Curve.Params().BitSize < 256 {
				return errors.New("a certificate's EC key is shorter than 256 bits")
			}
		}
	}
	return nil
}

// CheckOwn is what a client asks of its own certificates before it sends them:
// the key fits the leaf, the chain is in order from the leaf to a self-signed
// root, all of it is valid at now, and the leaf names the party, where party is
// not "". Each failure has a sentence of its own.
func CheckOwn(key crypto.PublicKey, chain []*x509.Certificate, party string, now time.Time) error {
	if len(chain) == 0 {
		return errors.New("there is no certificate")
	}
	if len(chain) > maxCertificates {
		return errors.New("chain is longer than ten certificates")
	}
	leaf := chain[0]
	public, ok := key.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		return errors.New("key does not fit the leaf certificate, which has to be the first")
	}
	if err := CheckLeaf(leaf); err != nil {
		return err
	}
	for i, cert := range chain {
		if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			return fmt.Errorf("certificate %d of the chain is not valid at this time (%s to %s)", i+1,
				cert.NotBefore.UTC().Format(time.DateOnly), cert.NotAfter.UTC().Format(time.DateOnly))
		}
		if i+1 < len(chain) {
			if !bytes.Equal(cert.RawIssuer, chain[i+1].RawSubject) || cert.CheckSignatureFrom(chain[i+1]) != nil {
				return fmt.Errorf("certificate %d of the chain is not issued by the next: order is leaf first, root last", i+1)
			}
		}
	}
	root := chain[len(chain)-1]
	if !bytes.Equal(root.RawIssuer, root.RawSubject) || root.CheckSignatureFrom(root) != nil {
		return errors.New("chain is not complete: the last certificate is not a self-signed root")
	}
	if party != "" && !Bound(leaf, party) {
		return errors.New("leaf certificate does not name the party: neither organizationIdentifier nor serialNumber is its id")
	}
	return nil
}
