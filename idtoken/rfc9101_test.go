package idtoken_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
)

// The request object that RFC 9101 §4 prints, with the key that it prints beside.
func TestRequestObjectOfRFC9101(t *testing.T) {
	text, err := os.ReadFile("testdata/rfc9101.json")
	require.NoError(t, err)
	var printed struct {
		RequestObject string          `json:"request_object"`
		JWKS          json.RawMessage `json:"jwks"`
	}
	require.NoError(t, json.Unmarshal(text, &printed))
	keys, err := idtoken.PinnedKeys(printed.JWKS)
	require.NoError(t, err)
	payload, err := keys.VerifySignature(t.Context(), printed.RequestObject)
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	assert.Equal(t, map[string]any{
		"iss": "s6BhdRkqt3", "aud": "https://server.example.com", "response_type": "code id_token", "client_id": "s6BhdRkqt3",
		"redirect_uri": "https://client.example.org/cb", "scope": "openid", "state": "af0ifjsldkj", "nonce": "n-0S6_WzA2Mj", "max_age": 86400.0,
	}, claims)
	parts := strings.Split(printed.RequestObject, ".")
	for i, part := range parts {
		octets, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		for at := range octets {
			octets[at] ^= 1
			changed := append([]string(nil), parts...)
			changed[i] = base64.RawURLEncoding.EncodeToString(octets)
			_, err := keys.VerifySignature(t.Context(), strings.Join(changed, "."))
			assert.Error(t, err, "byte %d of part %d", at, i)
			octets[at] ^= 1
		}
	}
}
