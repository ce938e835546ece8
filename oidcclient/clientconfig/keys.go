package clientconfig

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/rely-go/rely/internal/jwe"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// ownKeys reads this client's keys but for the one that signs: those of jwks that
// decrypt, and for a change of keys those of published_jwks and unpublished_jwks.
func (m *Client) ownKeys(c *oidcclient.Config, _ string) *Error {
	err := privateKeys("jwks", m.JWKS, func(text json.RawMessage, use string) error {
		if !m.decrypts(c, text, use) {
			return nil
		}
		return decrypting(c, text, false)
	})
	if err != nil {
		return err
	}
	err = privateKeys("unpublished_jwks", m.UnpublishedJWKS, func(text json.RawMessage, use string) error {
		if use != "enc" {
			return errors.New("has a key without use enc: one that signs is published")
		}
		return decrypting(c, text, true)
	})
	if err != nil || m.PublishedJWKS == nil {
		return err
	}
	published, wrong := oidcclient.ParsePublishedKeys(m.PublishedJWKS)
	if wrong != nil {
		return &Error{Member: "published_jwks", Reason: wrong.Error(), Err: wrong}
	}
	c.PublishedKeys = published
	return nil
}

// decrypts reports whether a key of jwks is for encryption: because it says so, or because
// it says nothing (RFC 7517 §4.2) and nothing else can be meant, where encryption was agreed
// and nothing is signed with a key of jwks.
func (m *Client) decrypts(c *oidcclient.Config, text json.RawMessage, use string) bool {
	if use != "" || isPublic(text) || saysPurpose(text) {
		return use == "enc"
	}
	agreed := m.IDTokenEncryptedResponseAlg + m.UserInfoEncryptedResponseAlg + m.AuthorizationEncryptedResponseAlg + m.IntrospectionEncryptedResponseAlg
	method := m.TokenEndpointAuthMethod
	if method == "" && len(c.Profile.AuthMethods) > 0 {
		method = c.Profile.AuthMethods[0]
	}
	signs := method == "private_key_jwt" || m.makesObjects(c) || m.BackchannelAuthenticationRequestSigningAlg != ""
	return agreed != "" && (m.PrivateKeyFile != "" || !signs)
}

// saysPurpose reports whether a JWK has an alg or key_ops: those for encryption have a use
// by that.
func saysPurpose(text json.RawMessage) bool {
	object, err := strictjson.ParseObject(text, maxDepth)
	return err == nil && (object.Has("alg") || object.Has("key_ops"))
}

// decrypting adds a decryption key.
func decrypting(c *oidcclient.Config, text json.RawMessage, unpublished bool) error {
	private, id, alg, err := jwx.ParseDecryptionKey(text)
	if err == nil {
		c.DecryptionKeys = append(c.DecryptionKeys, oidcclient.DecryptionKey{ID: id, Algorithm: alg, Private: private, Unpublished: unpublished})
	}
	return err
}

// purpose returns the use of a key, also where it follows from its algorithm or its
// operations (RFC 7517 §4.2 to §4.4).
func purpose(text json.RawMessage) (use string, err error) {
	var key struct {
		Use        string   `json:"use"`
		Algorithm  string   `json:"alg"`
		Operations []string `json:"key_ops"`
	}
	if err := strictjson.Unmarshal(text, &key, maxDepth); err != nil {
		return "", err
	}
	decrypts := func(operation string) bool {
		return slices.Contains([]string{"decrypt", "unwrapKey", "deriveKey", "deriveBits"}, operation)
	}
	if key.Use == "" && (jwe.KnownAlgorithm(key.Algorithm) || slices.ContainsFunc(key.Operations, decrypts)) {
		return "enc", nil
	}
	return key.Use, nil
}

// isPublic reports whether a JWK is the public half of a key.
func isPublic(text json.RawMessage) bool {
	object, err := strictjson.ParseObject(text, maxDepth)
	return err == nil && !object.Has("d") && !object.Has("k")
}

// privateKeys gives each key of a JWK Set to read, with its use.
func privateKeys(member string, jwks json.RawMessage, read func(text json.RawMessage, use string) error) *Error {
	if jwks == nil {
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.UnmarshalClosed(jwks, &set, maxDepth); err != nil || len(set.Keys) == 0 {
		return &Error{Member: member, Reason: "is no JWK Set with a private key"}
	}
	for _, text := range set.Keys {
		use, err := purpose(text)
		if err != nil {
			return &Error{Member: member, Reason: "has a key that can't be read"}
		}
		if err := read(text, use); err != nil {
			return &Error{Member: member, Reason: err.Error(), Err: err}
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
