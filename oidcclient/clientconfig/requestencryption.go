package clientconfig

import (
	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/oidcclient"
)

const maxProviderKeys = 100

// requestEncryption says how request objects are encrypted, and finds the provider's
// key for it where the file has it.
func (m *Client) requestEncryption(c *oidcclient.Config, dir string) *Error {
	if m.RequestObjectEncryptionAlg == "" {
		for member, value := range map[string]string{"request_object_encryption_enc": m.RequestObjectEncryptionEnc, "request_object_encryption_kid": m.RequestObjectEncryptionKid} {
			if value != "" {
				return &Error{Member: member, Reason: "needs request_object_encryption_alg"}
			}
		}
		return nil
	}
	e := &assertion.Encryption{Algorithm: m.RequestObjectEncryptionAlg, Encoding: m.RequestObjectEncryptionEnc, KeyID: m.RequestObjectEncryptionKid}
	if e.Encoding == "" {
		e.Encoding = "A128CBC-HS256" // the registered default
	}
	c.RequestEncryption = e
	switch {
	case m.ProviderCertificateFile != "":
		chain, wrong := certificates(dir, "provider_certificate_file", m.ProviderCertificateFile)
		if wrong != nil {
			return wrong
		}
		e.Key = chain[0].PublicKey
	case m.ProviderJWKS != nil:
		keys, err := jwx.ParseKeySet(m.ProviderJWKS, maxProviderKeys)
		key, ok := jwx.Recipient(keys, e.Algorithm, e.KeyID)
		if err != nil || !ok {
			return &Error{Member: "provider_jwks", Reason: "has no key with use enc for request_object_encryption_alg"}
		}
		e.Key, e.KeyID = key.Public, key.ID
	}
	return nil
}
