package assertion_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
)

// open returns header and claims of a token without asking for a key.
func open(t *testing.T, text string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(strings.TrimSpace(text), ".")
	require.Len(t, parts, 3)
	for part, into := range map[string]*map[string]any{parts[0]: &header, parts[1]: &claims} {
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		decoder := json.NewDecoder(bytes.NewReader(decoded))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(into))
	}
	return header, claims
}

// Ours has the members of the published assertion, of the same types, and no
// others.
func TestShapeOfThePublishedAssertion(t *testing.T) {
	published, err := os.ReadFile("testdata/ishare-client-assertion.jwt")
	require.NoError(t, err)
	wantHeader, wantClaims := open(t, string(published))

	signer, err := assertion.New(assertion.Config{
		ClientID: party, BindCertificate: true, Lifetime: 30 * time.Second, Clock: clock,
		Key: assertion.Key{
			Signer: rsaKey(), Naming: assertion.NameX5C,
			Certificates: certify(t, rsaKey().Public(), "NTRNL-12345678", ""),
		},
	})
	require.NoError(t, err)
	text, err := signer.ClientAssertion(t.Context(), wantClaims["aud"].(string))
	require.NoError(t, err)
	header, claims := open(t, text)

	for _, pair := range [][2]map[string]any{{wantHeader, header}, {wantClaims, claims}} {
		assert.Equal(t, slices.Sorted(maps.Keys(pair[0])), slices.Sorted(maps.Keys(pair[1])))
		for name, want := range pair[0] {
			assert.IsType(t, want, pair[1][name], name)
		}
	}
	assert.Equal(t, wantHeader["alg"], header["alg"])
	assert.Equal(t, wantHeader["typ"], header["typ"])
	assert.Equal(t, wantClaims["aud"], claims["aud"])
	assert.Equal(t, lifetime(t, wantClaims), lifetime(t, claims))
	for _, entry := range header["x5c"].([]any) {
		_, err := base64.StdEncoding.Strict().DecodeString(entry.(string))
		assert.NoError(t, err, "x5c is base64, not base64url (RFC 7515 §4.1.6)")
	}
}

// lifetime is exp − iat, both of which are whole seconds.
func lifetime(t *testing.T, claims map[string]any) int64 {
	t.Helper()
	issuedAt, err := claims["iat"].(json.Number).Int64()
	require.NoError(t, err)
	expiry, err := claims["exp"].(json.Number).Int64()
	require.NoError(t, err)
	return expiry - issuedAt
}
