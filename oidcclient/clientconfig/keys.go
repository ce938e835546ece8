package clientconfig

import (
	"encoding/json"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// ownKeys reads the private keys of jwks.
func (m *Client) ownKeys(c *oidcclient.Config, _ string) *Error {
	if m.JWKS == nil {
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.UnmarshalClosed(m.JWKS, &set, maxDepth); err != nil || len(set.Keys) == 0 {
		return &Error{Member: "jwks", Reason: "is no JWK Set with a private key"}
	}
	for _, text := range set.Keys {
		var use struct {
			Use string `json:"use"`
		}
		if err := strictjson.Unmarshal(text, &use, maxDepth); err != nil {
			return &Error{Member: "jwks", Reason: "has a key that can't be read"}
		}
		private, id, alg, err := jwx.ParsePrivateKey(text)
		switch {
		case err != nil:
			return &Error{Member: "jwks", Reason: err.Error(), Err: err}
		case use.Use == "enc":
			c.DecryptionKeys = append(c.DecryptionKeys, oidcclient.DecryptionKey{ID: id, Algorithm: alg, Private: private})
		case c.Key != nil:
			return &Error{Member: "jwks", Reason: "has several keys that sign, and one can be used"}
		default:
			c.Key = &assertion.Key{Signer: private, ID: id, Algorithm: alg}
		}
	}
	return nil
}

// encryption says what the provider encrypts.
func (m *Client) encryption(c *oidcclient.Config, _ string) *Error {
	for _, kind := range []struct {
		member, alg, enc string
		into             **oidcclient.Encrypted
	}{
		{"id_token_encrypted_response", m.IDTokenEncryptedResponseAlg, m.IDTokenEncryptedResponseEnc, &c.IDTokenEncrypted},
		{"userinfo_encrypted_response", m.UserInfoEncryptedResponseAlg, m.UserInfoEncryptedResponseEnc, &c.UserInfoEncrypted},
		{"authorization_encrypted_response", m.AuthorizationEncryptedResponseAlg, m.AuthorizationEncryptedResponseEnc, &c.ResponseEncrypted},
		{"introspection_encrypted_response", m.IntrospectionEncryptedResponseAlg, m.IntrospectionEncryptedResponseEnc, &c.IntrospectionEncrypted},
	} {
		if kind.alg == "" {
			if kind.enc != "" {
				return &Error{Member: kind.member + "_enc", Reason: "needs " + kind.member + "_alg"}
			}
			continue
		}
		*kind.into = &oidcclient.Encrypted{Algorithm: kind.alg, Encoding: kind.enc}
	}
	return nil
}
