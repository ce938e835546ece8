package oidctest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Names in the certificates, and the organization identifiers
// (organizationIdentifier, 2.5.4.97) of which iSHARE makes party identifiers.
const (
	providerName         = "Example Identity Provider"
	providerOrganization = "NTRNL-90000006"
	clientName           = "Example Service Provider"
	clientOrganization   = "NTRNL-90000001"
	partyPrefix          = "did:ishare:EU.NL."
)

// pki is a hierarchy like that of eIDAS seals: a root, an authority below it,
// and one below that which issues to parties.
type pki struct {
	now         time.Time
	root        *x509.Certificate
	authorities []*x509.Certificate // the issuing one first, the root last
	issuer      crypto.Signer
	keys        []crypto.Signer // of all authorities
}

func organizationIdentifier() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 4, 97} }

func newPKI(now time.Time) (*pki, error) {
	keys, err := generateKeys("RS256", "RS256", "RS256")
	if err != nil {
		return nil, err
	}
	out := &pki{now: now, keys: keys}
	parent, signer := (*x509.Certificate)(nil), keys[0]
	for i, name := range []string{"Example Seal Root", "Example Seal Sub CA", "Example Seal Issuing CA"} {
		template := &x509.Certificate{
			Subject:               pkix.Name{Country: []string{"XX"}, Organization: []string{"Example Scheme"}, CommonName: name},
			NotBefore:             now.Add(-time.Hour),
			NotAfter:              now.AddDate(20, 0, 0),
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			BasicConstraintsValid: true,
			IsCA:                  true,
		}
		if parent == nil {
			parent = template
		}
		c, err := certify(template, parent, keys[i], signer)
		if err != nil {
			return nil, err
		}
		out.authorities = slices.Insert(out.authorities, 0, c)
		parent, signer = c, keys[i]
	}
	out.issuer, out.root = signer, out.authorities[2]
	return out, nil
}

func certify(template, parent *x509.Certificate, subject, signer crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, subject.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("oidctest: certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// issue certifies a party's key and returns the chain, the leaf first and the
// root last. Like the scheme's test certificates, the leaf may only commit to
// content (non-repudiation) and protect e-mail.
func (k *pki) issue(name, organization string, key crypto.Signer) ([]*x509.Certificate, error) {
	identifier, err := asn1.MarshalWithParams(organization, "utf8")
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{
			Country: []string{"NL"}, Organization: []string{name}, CommonName: name,
			ExtraNames: []pkix.AttributeTypeAndValue{{
				Type: organizationIdentifier(), Value: asn1.RawValue{FullBytes: identifier},
			}},
		},
		NotBefore:             k.now.Add(-time.Hour),
		NotAfter:              k.now.AddDate(3, 0, 0),
		KeyUsage:              x509.KeyUsageContentCommitment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		BasicConstraintsValid: true,
	}
	leaf, err := certify(template, k.authorities[0], key, k.issuer)
	if err != nil {
		return nil, err
	}
	return append([]*x509.Certificate{leaf}, k.authorities...), nil
}

// party checks a chain, the leaf first, against the root and returns the leaf's
// key and the party identifier that it certifies.
func (k *pki) party(chain []*x509.Certificate, now time.Time) (crypto.PublicKey, string, error) {
	last := chain[len(chain)-1]
	if !last.Equal(k.root) {
		return nil, "", errors.New("x5c does not end with a trusted root")
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(k.root)
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	leaf := chain[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, "", errors.New("x5c leads to no trusted root")
	}
	if leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return nil, "", errors.New("certificate is not for signing")
	}
	for _, name := range leaf.Subject.Names {
		if s, ok := name.Value.(string); ok && name.Type.Equal(organizationIdentifier()) {
			return leaf.PublicKey, partyPrefix + s, nil
		}
	}
	return nil, "", errors.New("certificate names no organization")
}
