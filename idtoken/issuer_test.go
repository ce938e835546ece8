package idtoken

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

// What tests of this package have in common: an issuer with one P-256 key, a
// clock that stands still, and a good token.

const (
	testIssuer = "https://op.example"
	testClient = "client"
)

var testNow = time.Unix(1_790_000_000, 0)

var testKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

type members = map[string]any

func goodHeader() members { return members{"alg": "ES256", "kid": "one"} }

func goodClaims() members {
	return members{
		"iss": testIssuer, "sub": "anna", "aud": testClient, "exp": testNow.Unix() + 300, "iat": testNow.Unix(),
		"nonce": "the-nonce",
	}
}

func goodExpect() Expect { return Expect{Nonce: "the-nonce"} }

// with returns a copy of m with changes; nil removes a member.
func with(m members, pairs ...any) members {
	m = maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(m, pairs[i].(string))
			continue
		}
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

func signText(t testing.TB, key crypto.Signer, alg, header, claims string) string {
	t.Helper()
	input := jose.Encode([]byte(header)) + "." + jose.Encode([]byte(claims))
	signature, err := jose.Sign(t.Context(), alg, key, input)
	require.NoError(t, err)
	return input + "." + jose.Encode(signature)
}

func signed(t testing.TB, header, claims members) string {
	t.Helper()
	return signText(t, testKey(), "ES256", toJSON(t, header), toJSON(t, claims))
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// testJWKS publishes the test key as "one".
func testJWKS(t testing.TB) []byte {
	return []byte(`{"keys":[` + publicJWK(t, testKey(), `"kid":"one","use":"sig","alg":"ES256"`) + `]}`)
}

func publicJWK(t testing.TB, key *ecdsa.PrivateKey, more string) string {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	x, y := jose.Encode(point[1:33]), jose.Encode(point[33:])
	return `{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `",` + more + `}`
}

func testConfig(t testing.TB) Config {
	keys, err := PinnedKeys(testJWKS(t))
	require.NoError(t, err)
	return Config{
		Issuer: testIssuer, ClientID: testClient, Algorithms: []string{"ES256"}, Keys: keys,
		Clock: func() time.Time { return testNow },
	}
}

func testVerifier(t testing.TB, change func(*Config)) *Verifier {
	t.Helper()
	config := testConfig(t)
	if change != nil {
		change(&config)
	}
	v, err := NewVerifier(config)
	require.NoError(t, err)
	return v
}
