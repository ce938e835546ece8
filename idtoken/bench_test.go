package idtoken

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

// The cost of all checks over that of the bare signature. Compare the two in one
// run: only their ratio carries over to another machine.
func BenchmarkVerify(b *testing.B) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	for alg, key := range map[string]crypto.Signer{"RS256": rsaKey, "ES256": testKey()} {
		keys, err := PinnedPublicKeys(key.Public())
		require.NoError(b, err)
		v := testVerifier(b, func(c *Config) { c.Algorithms, c.Keys = []string{alg}, keys })
		claims, err := json.Marshal(with(goodClaims(), "at_hash", leftHash("token"), "auth_time", testNow.Unix(), "email", "anna@example.org"))
		require.NoError(b, err)
		raw := signText(b, key, alg, `{"alg":"`+alg+`","typ":"JWT"}`, string(claims))
		b.Run(alg+"/rely", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), raw, Expect{Nonce: "the-nonce", AccessToken: "token"}); err != nil {
					b.Fatal(err)
				}
			}
		})
		compact, err := jose.ParseCompact(raw, maxToken)
		require.NoError(b, err)
		b.Run(alg+"/limit", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := jose.Verify(alg, key.Public(), compact.SigningInput, compact.Signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
