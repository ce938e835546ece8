package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"time"
)

// repeatable signs with the same bytes each time.
type repeatable struct{ crypto.Signer }

func (r repeatable) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.Signer.Sign(nil, digest, opts)
}

// party is who signs with certificates: the issuer of those tokens.
const party, organization = parties + "NTRNL-12345678", "NTRNL-12345678"

// parties is how the identifiers of Dutch parties begin in the scheme that binds
// them to organizationIdentifier.
const parties = "did:ishare:EU.NL."

// moment is the default time of the cases.
func moment() time.Time { return time.Unix(now, 0).UTC() }

// holder is a certificate with its key.
type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (h holder) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.cert.Raw}))
}

// issue makes a certificate of a key; without parent it is self-signed.
func issue(parent *holder, name string, key crypto.Signer, change ...func(*x509.Certificate)) holder {
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(digest(crypto.SHA256, name)[:8]), Subject: pkix.Name{CommonName: name},
		NotBefore: moment().Add(-time.Hour), NotAfter: moment().Add(time.Hour), BasicConstraintsValid: true,
	}
	spki := must(x509.MarshalPKIXPublicKey(key.Public()))
	template.SubjectKeyId = digest(crypto.SHA256, string(spki))[:20]
	for _, change := range change {
		change(template)
	}
	if parent == nil {
		parent = &holder{template, key}
	}
	der := must(x509.CreateCertificate(nil, template, parent.cert, key.Public(), repeatable{parent.key}))
	return holder{must(x509.ParseCertificate(der)), key}
}

// authority makes a certificate one of a CA.
func authority(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

// signs makes a certificate one for signatures.
func signs(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }

// names gives the party's name as published certificates have it.
func names(organization, serial string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		signs(c)
		if organization != "" {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: organization})
		}
		c.Subject.SerialNumber = serial
	}
}

func until(after time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = moment().Add(after) }
}

func from(after time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore = moment().Add(after) }
}

// selfSigned returns the certificate that an attacker makes for a key.
func selfSigned(key crypto.Signer) []byte {
	if _, ok := key.(*ecdsa.PrivateKey); ok {
		key = repeatable{key}
	}
	return issue(nil, "self-signed", key, names(organization, "")).cert.Raw
}

// x5c is the header member for a chain.
func x5c(chain ...holder) []string {
	entries := []string{}
	for _, h := range chain {
		entries = append(entries, toBase64(string(h.cert.Raw)))
	}
	return entries
}

// pki is the tree that the client trusts: a root, an authority under it, and the
// party's certificates for its RSA and its EC key.
type pki struct {
	root, sub holder
	rsa, ec   holder
}

func (k keyring) pki() pki {
	root := issue(nil, "root", k["root"], authority)
	sub := issue(&root, "sub", k["sub"], authority)
	return pki{root, sub, issue(&sub, "leaf", k["rsa-1"], names(organization, "")), issue(&sub, "leaf", k["ec-1"], names(organization, ""))}
}
