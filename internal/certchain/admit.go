package certchain

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
)

const maxUnder = 64

var errNotTheirs = errors.New("a certificate is not of the CA that it names")

// admit returns the CAs of a chain that an anchor answers for, directly or by
// others of the chain. A stranger can fill a chain with keys that are expensive to
// verify with and certificates that answer for each other in every combination,
// and crypto/x509 would begin at his end. From the anchors down, only their own
// signatures are looked at, and the first certificate that names one of them
// without its signature ends the search. What an anchor answered for once is
// remembered; whether it is valid now is for crypto/x509 to say, each time.
func (a *Anchors) admit(certs []*x509.Certificate) (*x509.CertPool, error) {
	admitted := x509.NewCertPool()
	issuers := slices.Clone(a.certs)
	var waiting []*x509.Certificate
	for _, cert := range certs {
		switch {
		case !cert.IsCA || isOneOf(cert, a.certs):
			// A root that is an anchor comes along often; as an intermediate it
			// would only cost another signature check.
		case a.answeredFor(cert):
			admitted.AddCert(cert)
			issuers = append(issuers, cert)
		default:
			waiting = append(waiting, cert)
		}
	}
	for progress := true; progress; {
		progress = false
		for i := 0; i < len(waiting); i++ {
			cert := waiting[i]
			switch named, signed := signedBy(cert, issuers); {
			case !named:
				continue
			case !signed:
				return nil, errNotTheirs
			}
			a.remember(cert)
			admitted.AddCert(cert)
			issuers = append(issuers, cert)
			waiting = slices.Delete(waiting, i, i+1)
			progress = true
			break
		}
	}
	return admitted, nil
}

// signedBy reports whether a certificate names one of issuers, and whether one
// that it names has signed it.
func signedBy(cert *x509.Certificate, issuers []*x509.Certificate) (named, signed bool) {
	for _, issuer := range issuers {
		if mayIssue(issuer, cert) {
			named = true
			if cert.CheckSignatureFrom(issuer) == nil {
				return true, true
			}
		}
	}
	return named, false
}

// mayIssue reports whether a certificate names an issuer, by the key's identifier
// too where both have one.
func mayIssue(issuer, cert *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, cert.RawIssuer) &&
		(len(issuer.SubjectKeyId) == 0 || len(cert.AuthorityKeyId) == 0 || bytes.Equal(issuer.SubjectKeyId, cert.AuthorityKeyId))
}

func isOneOf(cert *x509.Certificate, certs []*x509.Certificate) bool {
	for _, c := range certs {
		if cert.Equal(c) {
			return true
		}
	}
	return false
}

func (a *Anchors) answeredFor(cert *x509.Certificate) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.under[Thumbprint(cert)]
}

func (a *Anchors) remember(cert *x509.Certificate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.under) >= maxUnder {
		// A scheme has a handful; whatever fills this is not worth an order.
		clear(a.under)
	}
	a.under[Thumbprint(cert)] = true
}
