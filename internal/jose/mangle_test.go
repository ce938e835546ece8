package jose

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// believed reports whether a text is a token that the key signed.
func believed(text string, key crypto.PublicKey) bool {
	c, err := ParseCompact(text, 1<<16)
	return err == nil && Verify("EdDSA", key, c.SigningInput, c.Signature) == nil
}

// Each token has one text: no change of it, however small, is believed.
func TestMangledTokens(t *testing.T) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	// Lengths that leave unused bits at the end of each part.
	input := Encode([]byte(`{"alg":"EdDSA"}`)) + "." + Encode([]byte(`{"sub":"ab"}`))
	signature, err := Sign(t.Context(), "EdDSA", key, input)
	require.NoError(t, err)
	good := input + "." + Encode(signature)
	require.True(t, believed(good, public))

	for i := range len(good) {
		for bit := range 8 {
			changed := []byte(good)
			changed[i] ^= 1 << bit
			assert.False(t, believed(string(changed), public), "byte %d, bit %d", i, bit)
		}
		assert.False(t, believed(good[:i], public), "the first %d bytes", i)
		assert.False(t, believed(good[:i]+good[i+1:], public), "without byte %d", i)
		for _, inserted := range []string{" ", "\t", "\r", "\n", "\r\n", "=", ".", "A", "\x00", "\u2028"} {
			assert.False(t, believed(good[:i]+inserted+good[i:], public), "%q before byte %d", inserted, i)
		}
	}
	for _, appended := range []string{" ", "\n", "=", "==", ".", "A", ".AA", "\x00"} {
		assert.False(t, believed(good+appended, public), "%q at the end", appended)
	}
}
