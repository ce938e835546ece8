package jwe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mangled yields all that is made of a token by a small change, with a name.
func mangled(good string, bits int) func(func(name, text string) bool) {
	return func(yield func(string, string) bool) {
		for i := range len(good) {
			for bit := range bits {
				text := []byte(good)
				text[i] ^= 1 << bit
				if !yield("a bit", string(text)) {
					return
				}
			}
			if !yield("a prefix", good[:i]) || !yield("without a byte", good[:i]+good[i+1:]) || !yield("a suffix", good[i+1:]) {
				return
			}
			for _, inserted := range []string{" ", "\n", "=", ".", "A", "\x00"} {
				if !yield("an insertion", good[:i]+inserted+good[i:]) {
					return
				}
			}
		}
		for _, appended := range []string{" ", "\n", "=", "==", ".", "A", ".AA", "\x00", good, "." + good} {
			if !yield("appended", good+appended) {
				return
			}
		}
		parts := strings.Split(good, ".")
		for i := range parts {
			for j := range parts {
				twice := append(append(append([]string(nil), parts[:i]...), parts[j]), parts[i:]...)
				instead := append([]string(nil), parts...)
				instead[i] = parts[j]
				if !yield("a part twice", strings.Join(twice, ".")) || parts[i] != parts[j] && !yield("a part instead", strings.Join(instead, ".")) {
					return
				}
			}
			double := append([]string(nil), parts...)
			if double[i] += parts[i]; parts[i] != "" && !yield("a part doubled", strings.Join(double, ".")) {
				return
			}
		}
	}
}

// Each token has one text: no change of it, however small, can be decrypted.
func TestMangledTokens(t *testing.T) {
	p256, oaep := newP256(t), rsaKey(t)
	ec, rs := newKey(t, "", "", p256), newKey(t, "", "", oaep)
	for _, c := range []struct {
		alg, enc string
		to       any
		key      Key
		bits     int
	}{
		// Plaintexts of lengths that leave unused bits at the end of a part.
		{"ECDH-ES", "A128GCM", p256.PublicKey(), ec, 8},
		{"ECDH-ES+A128KW", "A128CBC-HS256", p256.PublicKey(), ec, 8},
		{"RSA-OAEP-256", "A256GCM", &oaep.PublicKey, rs, 1},
	} {
		t.Run(c.alg, func(t *testing.T) {
			good := sealing{alg: c.alg, enc: c.enc}.seal(t, c.to, "abcd")
			_, err := decrypt(t, good, c.key)
			require.NoError(t, err)
			for name, text := range mangled(good, c.bits) {
				plaintext, err := decrypt(t, text, c.key)
				if err == nil || plaintext != "" {
					assert.Fail(t, name, "%q", text)
				}
			}
		})
	}
}
