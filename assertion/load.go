package assertion

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/rely-go/rely/internal/jwx"
)

// ParseKeyPEM reads one private key in PEM: PKCS #8, PKCS #1 or SEC 1. Other
// blocks, such as certificates, are passed over; encrypted keys are refused.
func ParseKeyPEM(text []byte) (crypto.Signer, error) {
	var found crypto.Signer
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		key, err := parseBlock(block)
		switch {
		case err != nil:
			return nil, err
		case key == nil:
		case found != nil:
			return nil, errors.New("holds more than one private key")
		default:
			found = key
		}
	}
	if found == nil {
		return nil, errors.New("holds no private key in PEM")
	}
	return found, nil
}

func parseBlock(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("private key is encrypted; decrypt it first")
	default:
		return nil, nil
	}
	if block.Headers["DEK-Info"] != "" {
		return nil, errors.New("private key is encrypted; decrypt it first")
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("private key is malformed or of a kind that does not sign")
	}
	return signer, nil
}

// ParseKeyJWK reads one private key as a JWK (RFC 7517) with its kid and alg.
func ParseKeyJWK(text []byte) (Key, error) {
	signer, kid, alg, err := jwx.ParsePrivateKey(text)
	if err != nil {
		return Key{}, err
	}
	return Key{Signer: signer, ID: kid, Algorithm: alg}, nil
}

// ParseCertificatesPEM reads the certificates of a PEM text in their order.
// Other blocks are passed over.
func ParseCertificatesPEM(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("holds a certificate that is malformed")
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, errors.New("holds no certificate in PEM")
	}
	return chain, nil
}
