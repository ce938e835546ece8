package jwe

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const seed = 1

// foreseen returns what the next n random bytes will be after the seed is set
// again.
func foreseen(t *testing.T, n int) []byte {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	return randomBytes(n)
}

// That failures take one time has one reason: none of them leaves early. With a
// random source that is known beforehand, a token can be sealed by the very key
// that takes the place of the one that can't be had; then even such a token is
// decrypted.
func TestFailuresGoOn(t *testing.T) {
	oaep, p256 := rsaKey(t), newP256(t)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	broken := func() ([]byte, error) { return nil, errors.New("device") }
	short := func() ([]byte, error) { return make([]byte, 15), nil }
	brokenRSA, shortRSA := &rsaDevice{PrivateKey: oaep, answer: broken}, &rsaDevice{PrivateKey: oaep, answer: short}
	brokenEC, shortEC := &ecDevice{KeyExchanger: p256, answer: broken}, &ecDevice{KeyExchanger: p256, answer: short}
	zeros := map[string]any{"epk": map[string]any{"kty": "OKP", "crv": "X25519", "x": strings.Repeat("A", 43)}}
	for name, c := range map[string]struct {
		s       sealing
		private any
		to      any
	}{
		"padding":          {sealing{alg: "RSA-OAEP", enc: "A128GCM", encryptedKey: make([]byte, 256)}, oaep, &oaep.PublicKey},
		"padding, CBC":     {sealing{alg: "RSA-OAEP-256", enc: "A256CBC-HS512", encryptedKey: make([]byte, 256)}, oaep, &oaep.PublicKey},
		"over the modulus": {sealing{alg: "RSA-OAEP", enc: "A256GCM", encryptedKey: []byte(strings.Repeat("\xff", 256))}, oaep, &oaep.PublicKey},
		"length of key":    {sealing{alg: "RSA-OAEP", enc: "A256GCM", encryptedKey: encrypted(t, managed(t, "RSA-OAEP"), &oaep.PublicKey, make([]byte, 16))}, oaep, &oaep.PublicKey},
		"RSA device":       {sealing{alg: "RSA-OAEP", enc: "A192GCM"}, brokenRSA, &oaep.PublicKey},
		"short key of RSA": {sealing{alg: "RSA-OAEP", enc: "A128GCM"}, shortRSA, &oaep.PublicKey},
		"wrapped key":      {sealing{alg: "ECDH-ES+A128KW", enc: "A128CBC-HS256", encryptedKey: make([]byte, 40)}, p256, p256.PublicKey()},
		"device, wrapped":  {sealing{alg: "ECDH-ES+A256KW", enc: "A128GCM"}, brokenEC, p256.PublicKey()},
		"device, direct":   {sealing{alg: "ECDH-ES", enc: "A128GCM"}, brokenEC, p256.PublicKey()},
		"short secret":     {sealing{alg: "ECDH-ES", enc: "A192CBC-HS384"}, shortEC, p256.PublicKey()},
		"order one":        {sealing{alg: "ECDH-ES", enc: "A128GCM", header: zeros}, x25519, x25519.PublicKey()},
	} {
		t.Run(name, func(t *testing.T) {
			enc, _ := contentOf(c.s.enc)
			// The key is drawn first, the secret after it.
			random := foreseen(t, enc.key+32)
			c.s.cek, c.s.secret = random[:enc.key], random[enc.key:]
			token := c.s.seal(t, c.to, nested)
			key := newKey(t, "", "", c.private)
			cryptotest.SetGlobalRandom(t, seed)
			got, err := decrypt(t, token, key)
			require.NoError(t, err)
			assert.Equal(t, nested, got)
			cryptotest.SetGlobalRandom(t, seed+1)
			_, err = decrypt(t, token, key)
			assert.Equal(t, ErrDecrypt, err)
		})
	}
}
