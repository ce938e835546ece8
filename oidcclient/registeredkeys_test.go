package oidcclient

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
)

// What a client registers of its keys: the set, or the address of the set and then
// nothing else (RFC 7591 §2), and how its requests are encrypted.
func TestRegisteredKeys(t *testing.T) {
	for name, metadata := range map[string]map[string]any{"set": nil, "address": {"jwks_uri": "https://rp.example/jwks/op"}} {
		t.Run(name, func(t *testing.T) {
			c, err := New(Config{
				Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: "https://op.example", RedirectURI: "https://rp.example/cb",
				Carriage: CarryObject, Key: ecKey("ES256"), AuthMethod: "private_key_jwt",
				RequestEncryption: &assertion.Encryption{Algorithm: "ECDH-ES", Encoding: "A256GCM"},
				Register:          &RegistrationRequest{Metadata: metadata},
			})
			require.NoError(t, err)
			m := c.RegistrationMetadata()
			assert.Equal(t, []any{"ECDH-ES", "A256GCM"}, []any{m["request_object_encryption_alg"], m["request_object_encryption_enc"]})
			assert.Equal(t, metadata["jwks_uri"], m["jwks_uri"])
			_, set := m["jwks"]
			assert.Equal(t, metadata == nil, set)
		})
	}
}
