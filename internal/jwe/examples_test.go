package jwe

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

// everything is all that is offered.
func everything() Agreed {
	return Agreed{
		Algorithms:  []string{"RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"},
		Encryptions: []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"},
	}
}

func readExamples(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}

type example struct {
	Section, Token, Plaintext string
	Key                       map[string]string
}

func examples(t testing.TB) []example {
	t.Helper()
	var all []example
	readExamples(t, "examples.json", &all)
	require.Len(t, all, 6)
	return all
}

// rsaKey is the key of RFC 7516 appendix A.1, of 2048 bits.
func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	return privateKey(t, examples(t)[0].Key).(*rsa.PrivateKey)
}

func decoded(t testing.TB, text string) []byte {
	t.Helper()
	b, err := jose.Decode(text)
	require.NoError(t, err)
	return b
}

// privateKey makes the key of a private JWK.
func privateKey(t testing.TB, jwk map[string]string) any {
	t.Helper()
	number := func(name string) *big.Int { return new(big.Int).SetBytes(decoded(t, jwk[name])) }
	switch jwk["kty"] + jwk["crv"] {
	case "RSA":
		key := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: number("n"), E: int(number("e").Int64())},
			D:         number("d"), Primes: []*big.Int{number("p"), number("q")},
		}
		key.Precompute()
		return key
	case "OKPX25519":
		key, err := ecdh.X25519().NewPrivateKey(decoded(t, jwk["d"]))
		require.NoError(t, err)
		assert.Equal(t, jwk["x"], jose.Encode(key.PublicKey().Bytes()))
		return key
	}
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[jwk["crv"]]
	key, err := ecdsa.ParseRawPrivateKey(curve, decoded(t, jwk["d"]))
	require.NoError(t, err)
	return key
}

// The examples of RFC 7516 appendix A.1, RFC 7520 §5 and §6, and of the JOSE
// cookbook for X25519, for which RFC 8037 has no whole token.
func TestExamples(t *testing.T) {
	for _, e := range examples(t) {
		t.Run(e.Section, func(t *testing.T) {
			key, err := NewKey(e.Key["kid"], "", privateKey(t, e.Key))
			require.NoError(t, err)
			c, err := Parse(e.Token, len(e.Token))
			require.NoError(t, err)
			plaintext, err := c.Decrypt(t.Context(), everything(), []Key{key})
			require.NoError(t, err)
			assert.Equal(t, e.Plaintext, string(plaintext))
			if e.Section == "RFC 7520 §6" {
				assert.Equal(t, "JWT", c.ContentType)
			}
			for _, part := range [][]byte{c.encryptedKey, c.iv, c.sealed} {
				for _, i := range []int{0, len(part) / 2, len(part) - 1} {
					if i < 0 || len(part) == 0 {
						continue // agreed on directly: there is no encrypted key
					}
					part[i] ^= 1
					_, err = c.Decrypt(t.Context(), everything(), []Key{key})
					assert.Equal(t, ErrDecrypt, err)
					part[i] ^= 1
				}
			}
			_, err = c.Decrypt(t.Context(), everything(), []Key{key})
			assert.NoError(t, err)
		})
	}
}

// The examples of RFC 7516 appendix A.2 and A.3 and of RFC 7520 that are not offered:
// RSA1_5, A128KW, dir, A256GCMKW and zip.
func TestExamplesThatAreRefused(t *testing.T) {
	var refused []example
	readExamples(t, "refused.json", &refused)
	require.Len(t, refused, 7)
	for _, e := range refused {
		want := ErrAlgorithm
		if e.Section == "RFC 7520 §5.9" {
			want = ErrHeader
		}
		_, err := Parse(e.Token, len(e.Token))
		assert.Equal(t, want, err, e.Section)
	}
}
