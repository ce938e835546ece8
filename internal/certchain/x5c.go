// Package certchain reads, builds and judges the certificate chains that some
// schemes put into the x5c header of their tokens (RFC 7515 §4.1.6).
package certchain

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
)

// Bounds of a chain as it comes in a header.
const (
	maxCertificates = 10
	maxCertificate  = 16 << 10 // bytes of one certificate
)

// ParseLeaf reads the first entry of an x5c header: base64 of DER. The others
// are only counted: most tokens that are refused need not have them read.
func ParseLeaf(entries []string) (*x509.Certificate, error) {
	if len(entries) == 0 || len(entries) > maxCertificates {
		return nil, errors.New("chain has no certificate or more than ten")
	}
	return parse(entries[0], false)
}

// ParseOthers reads the entries of an x5c header that come after the leaf. With
// pemTail, they may also be base64 of exactly one PEM block, as published iSHARE
// tokens have them.
func ParseOthers(entries []string, pemTail bool) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for _, entry := range entries[1:] {
		cert, err := parse(entry, pemTail)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

func parse(entry string, pem bool) (*x509.Certificate, error) {
	if base64.StdEncoding.DecodedLen(len(entry)) > maxCertificate || strings.ContainsAny(entry, "\r\n") {
		return nil, errors.New("certificate is too long or has line breaks")
	}
	der, err := base64.StdEncoding.Strict().DecodeString(entry)
	if err != nil {
		return nil, errors.New("certificate is not base64")
	}
	if pem {
		der = fromPEM(der)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("certificate is not X.509 in DER")
	}
	return cert, nil
}

// fromPEM unwraps one PEM certificate with nothing around it, and returns
// everything else as it is.
func fromPEM(text []byte) []byte {
	if !bytes.HasPrefix(text, []byte("-----BEGIN CERTIFICATE-----")) {
		return text
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return text
	}
	return block.Bytes
}

// EncodeX5C writes the entries of an x5c header.
func EncodeX5C(chain []*x509.Certificate) []string {
	entries := make([]string, len(chain))
	for i, cert := range chain {
		entries[i] = base64.StdEncoding.EncodeToString(cert.Raw)
	}
	return entries
}

// Thumbprint returns the SHA-256 of a certificate (RFC 7515 §4.1.8).
func Thumbprint(cert *x509.Certificate) [sha256.Size]byte { return sha256.Sum256(cert.Raw) }

// ParseThumbprint reads a registered thumbprint: base64url as in RFC 7515, or
// hexadecimal of either case as in participant registries.
func ParseThumbprint(text string) (thumbprint [sha256.Size]byte, err error) {
	var b []byte
	switch len(text) {
	case hex.EncodedLen(sha256.Size):
		b, err = hex.DecodeString(text)
	case base64.RawURLEncoding.EncodedLen(sha256.Size):
		b, err = base64.RawURLEncoding.Strict().DecodeString(text)
	}
	if err != nil || len(b) != sha256.Size {
		return thumbprint, errors.New("is no SHA-256 thumbprint in hexadecimal or base64url")
	}
	return [sha256.Size]byte(b), nil
}
