package jwe

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/internal/jwx/jwxtest"
)

const nested = "eyJhbGciOiJFUzI1NiJ9.e30.AAE"

func decrypt(t testing.TB, token string, keys ...Key) (string, error) {
	t.Helper()
	c, err := Parse(token, 1<<20)
	if err != nil {
		return "", err
	}
	plaintext, err := c.Decrypt(t.Context(), everything(), keys)
	return string(plaintext), err
}

func newKey(t testing.TB, id, alg string, private any) Key {
	t.Helper()
	key, err := NewKey(id, alg, private)
	require.NoError(t, err)
	return key
}

// Each pair of algorithms, with each kind of key: what the test's sender seals is
// understood by another implementation and by this one alike.
func TestEachPair(t *testing.T) {
	oaep := rsaKey(t)
	for _, alg := range everything().Algorithms {
		for _, enc := range everything().Encryptions {
			s := sealing{alg: alg, enc: enc}
			if strings.HasPrefix(alg, "RSA") {
				token := s.seal(t, &oaep.PublicKey, nested)
				_, theirs, err := jwxtest.Decrypt(alg, oaep, token)
				require.NoError(t, err)
				assert.Equal(t, nested, string(theirs))
				got, err := decrypt(t, token, newKey(t, "", alg, oaep))
				require.NoError(t, err)
				assert.Equal(t, nested, got)
				continue
			}
			for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
				key, err := ecdsa.GenerateKey(curve, rand.Reader)
				require.NoError(t, err)
				public, err := key.PublicKey.ECDH()
				require.NoError(t, err)
				s.header = map[string]any{"apu": "QWxpY2U", "apv": "Qm9i", "typ": "JWT", "cty": "JWT"}
				token := s.seal(t, public, nested)
				_, theirs, err := jwxtest.Decrypt(alg, key, token)
				require.NoError(t, err)
				assert.Equal(t, nested, string(theirs))
				got, err := decrypt(t, token, newKey(t, "", alg, key))
				require.NoError(t, err)
				assert.Equal(t, nested, got)
			}
			key, err := ecdh.X25519().GenerateKey(rand.Reader)
			require.NoError(t, err)
			got, err := decrypt(t, s.seal(t, key.PublicKey(), nested), newKey(t, "", alg, key))
			require.NoError(t, err)
			assert.Equal(t, nested, got)
		}
	}
}

// What internal/jwx encrypts, to each kind of key, also long and short.
func TestTheirTokens(t *testing.T) {
	oaep := rsaKey(t)
	recipients := map[string][]any{"RSA": {oaep}}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		recipients["ECDH"] = append(recipients["ECDH"], key)
	}
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	recipients["ECDH"] = append(recipients["ECDH"], x25519)
	for _, alg := range everything().Algorithms {
		family, _, _ := strings.Cut(alg, "-")
		for _, enc := range everything().Encryptions {
			for _, private := range recipients[family] {
				key := newKey(t, "enc", alg, private)
				for _, size := range []int{0, 1, 15, 16, 17, 5000} {
					plaintext := strings.Repeat("x", size)
					token, err := jwx.Encrypt(alg, enc, key.Public(), map[string]string{"kid": "enc", "cty": "JWT"}, []byte(plaintext))
					require.NoError(t, err, "%s %s %T", alg, enc, private)
					got, err := decrypt(t, token, key)
					require.NoError(t, err, "%s %s %T", alg, enc, private)
					assert.Equal(t, plaintext, got)
				}
			}
		}
	}
}
