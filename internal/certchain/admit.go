package certchain

import (
	"bytes"
	"crypto/x509"
	"errors"
)

const (
	// maxFailures is how many signatures of a chain's CAs may turn out wrong: one,
	// for two CAs of the same name.
	maxFailures = 1
	maxUnder    = 64
)

// admit returns the CAs of a chain that an anchor answers for, directly or by
// others of the chain. A stranger can fill a chain with keys that are expensive to
// verify with and certificates that answer for each other in every combination,
// and crypto/x509 would begin at his end. From the anchors down, only their own
// signatures are looked at, and his first certificate is the last that costs
// anything. What an anchor answered for once is remembered; whether it is valid
// now is for crypto/x509 to say, each time.
func (a *Anchors) admit(certs []*x509.Certificate) (*x509.CertPool, error) {
	admitted := x509.NewCertPool()
	issuers := a.certs
	var waiting []*x509.Certificate
	for _, cert := range certs {
		switch {
		case !cert.IsCA || isOneOf(cert, a.certs):
			// A root that is an anchor comes along often; as an intermediate it
			// would only cost another signature check.
		case a.answeredFor(cert):
			admitted.AddCert(cert)
			issuers = append(issuers[:len(issuers):len(issuers)], cert)
		default:
			waiting = append(waiting, cert)
		}
	}
	failures := 0
	for i := 0; i < len(issuers); i++ {
		var others []*x509.Certificate
		for _, cert := range waiting {
			if !mayIssue(issuers[i], cert) {
				others = append(others, cert)
				continue
			}
			if cert.CheckSignatureFrom(issuers[i]) != nil {
				if failures++; failures > maxFailures {
					return nil, errors.New("certificates are not of the CAs that they name")
				}
				others = append(others, cert)
				continue
			}
			a.remember(cert)
			admitted.AddCert(cert)
			issuers = append(issuers[:len(issuers):len(issuers)], cert)
		}
		waiting = others
	}
	return admitted, nil
}

// mayIssue reports whether a certificate names an issuer.
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
