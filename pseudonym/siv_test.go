package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RFC 5297 once more, as the reader of the RFC would write it, to hold the
// library and the documented construction to it.

func double(b []byte) []byte {
	out, carry := make([]byte, len(b)), byte(0)
	for i := len(b) - 1; i >= 0; i-- {
		out[i] = b[i]<<1 | carry
		carry = b[i] >> 7
	}
	if carry == 1 {
		out[len(out)-1] ^= 0x87
	}
	return out
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

func pad(b []byte) []byte {
	out := make([]byte, aes.BlockSize)
	copy(out, b)
	out[len(b)] = 0x80
	return out
}

// cmac is RFC 4493.
func cmac(block cipher.Block, m []byte) []byte {
	zero := make([]byte, aes.BlockSize)
	subkey := make([]byte, aes.BlockSize)
	block.Encrypt(subkey, zero)
	subkey = double(subkey)
	x := zero
	for len(m) > aes.BlockSize {
		next := make([]byte, aes.BlockSize)
		block.Encrypt(next, xor(x, m[:aes.BlockSize]))
		x, m = next, m[aes.BlockSize:]
	}
	last := m
	if len(m) < aes.BlockSize {
		last, subkey = pad(m), double(subkey)
	}
	out := make([]byte, aes.BlockSize)
	block.Encrypt(out, xor(xor(x, last), subkey))
	return out
}

// sivEncrypt is RFC 5297 §2.6 with one associated data.
func sivEncrypt(t *testing.T, key, plaintext, associated []byte) []byte {
	mac, err := aes.NewCipher(key[:len(key)/2])
	require.NoError(t, err)
	ctr, err := aes.NewCipher(key[len(key)/2:])
	require.NoError(t, err)
	d := xor(double(cmac(mac, make([]byte, aes.BlockSize))), cmac(mac, associated))
	last := append([]byte{}, plaintext...)
	if len(last) >= aes.BlockSize {
		end := last[len(last)-aes.BlockSize:]
		copy(end, xor(end, d))
	} else {
		last = xor(double(d), pad(last))
	}
	v := cmac(mac, last)
	q := append([]byte{}, v...)
	q[8] &= 0x7f
	q[12] &= 0x7f
	out := make([]byte, len(plaintext))
	cipher.NewCTR(ctr, q).XORKeyStream(out, plaintext)
	return append(v, out...)
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

func TestAgainstRFC5297(t *testing.T) {
	// Appendix A.1.
	got := sivEncrypt(t,
		unhex(t, "fffefdfc fbfaf9f8 f7f6f5f4 f3f2f1f0 f0f1f2f3 f4f5f6f7 f8f9fafb fcfdfeff"),
		unhex(t, "11223344 55667788 99aabbcc ddee"),
		unhex(t, "10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627"))
	assert.Equal(t, "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c", hex.EncodeToString(got))

	secret := make([]byte, 32)
	m, err := NewMaker(Key{ID: "k", Secret: secret})
	require.NoError(t, err)
	text, err := m.Reversible(Identity{"https://op.example", "anna"}, "recipient")
	require.NoError(t, err)
	key, err := hkdf.Key(sha256.New, secret, nil, "rely pseudonym v1 reversible", 64)
	require.NoError(t, err)
	plaintext := make([]byte, 64)
	copy(plaintext, "https://op.example|anna\x80")
	want := sivEncrypt(t, key, plaintext, []byte("v1rrecipient"))
	assert.Equal(t, "p1r.k."+base64.RawURLEncoding.EncodeToString(want), text)
}
