package jwe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// RFC 3394 §4.
func TestUnwrap(t *testing.T) {
	const (
		kek  = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
		data = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"
	)
	for _, v := range []struct {
		section   string
		kek, data int
		wrapped   string
	}{
		{"4.1", 16, 16, "1FA68B0A8112B447 AEF34BD8FB5A7B82 9D3E862371D2CFE5"},
		{"4.2", 24, 16, "96778B25AE6CA435 F92B5B97C050AED2 468AB8A17AD84E5D"},
		{"4.3", 32, 16, "64E8C3F9CE0F5BA2 63E9777905818A2A 93C8191E7D6E8AE7"},
		{"4.4", 24, 24, "031D33264E15D332 68F24EC260743EDC E1C6C7DDEE725A93 6BA814915C6762D2"},
		{"4.5", 32, 24, "A8F9BC1612C68B3F F6E6F4FBE30E71E4 769C8B80A32CB895 8CD5D17D6B254DA1"},
		{"4.6", 32, 32, "28C9F404C4B810F4 CBCCB35CFB87F826 3F5786E2D80ED326 CBC7F0E71A99F43B FB988B9B7A02DD21"},
	} {
		t.Run(v.section, func(t *testing.T) {
			kek, data, wrapped := unhex(t, kek)[:v.kek], unhex(t, data)[:v.data], unhex(t, v.wrapped)
			key := make([]byte, v.data)
			unwrap(kek, wrapped, key)
			assert.Equal(t, data, key)

			before := []byte(strings.Repeat("r", v.data))
			for i := range wrapped {
				wrapped[i] ^= 0x10
				key := []byte(string(before))
				unwrap(kek, wrapped, key)
				assert.Equal(t, before, key, "byte %d changed", i)
				wrapped[i] ^= 0x10
			}
			for _, wrong := range [][]byte{nil, wrapped[:8], wrapped[:v.data], append(wrapped, make([]byte, 8)...)} {
				key := []byte(string(before))
				unwrap(kek, wrong, key)
				assert.Equal(t, before, key, "%d bytes", len(wrong))
			}
			key = []byte(string(before))
			unwrap(kek[:15], wrapped, key)
			assert.Equal(t, before, key, "no AES key")
		})
	}
}

// RFC 7518 appendix C.
func TestConcatKDF(t *testing.T) {
	alice := privateKey(t, map[string]string{"kty": "EC", "crv": "P-256", "d": "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"})
	bob := privateKey(t, map[string]string{"kty": "EC", "crv": "P-256", "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})
	ours, err := NewKey("", "ECDH-ES", bob)
	require.NoError(t, err)
	theirs, err := NewKey("", "", alice)
	require.NoError(t, err)
	assert.Equal(t, "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", jose.Encode(theirs.exchanger.PublicKey().Bytes()[1:33]))
	secret, err := ours.sharedSecret(t.Context(), theirs.exchanger.PublicKey())
	require.NoError(t, err)
	assert.Equal(t, unhex(t, "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4"), secret)
	assert.Equal(t, "VqqN6vgjbSBcIijNcacQGg", jose.Encode(concatKDF(secret, "A128GCM", []byte("Alice"), []byte("Bob"), 16)))
}

// RFC 8037 appendix A.6, whose keys are those of RFC 7748 §6.1.
func TestX25519(t *testing.T) {
	bob, err := ecdh.X25519().NewPrivateKey(unhex(t, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
	require.NoError(t, err)
	assert.Equal(t, "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08", jose.Encode(bob.PublicKey().Bytes()))
	key, err := NewKey("77", "", bob)
	require.NoError(t, err)
	header := `{"alg":"ECDH-ES+A128KW","epk":{"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"},"enc":"A128GCM","kid":"77"}`
	c, err := parseHeader(jose.Encode([]byte(header)))
	require.NoError(t, err)
	assert.True(t, c.isFor(key))
	secret, err := key.sharedSecret(t.Context(), c.ephemeral)
	require.NoError(t, err)
	assert.Equal(t, unhex(t, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), secret)
}

// RFC 7518 appendix B.1 to B.3.
func TestOpenCBC(t *testing.T) {
	const plaintext = "A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience"
	iv := unhex(t, "1af38c2dc2b96ffdd86694092341bc04")
	for enc, tag := range map[string]string{
		"A128CBC-HS256": "652c3fa36b0a7c5b3219fab3a30bc1c4",
		"A192CBC-HS384": "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7",
		"A256CBC-HS512": "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
	} {
		t.Run(enc, func(t *testing.T) {
			e, ok := contentOf(enc)
			require.True(t, ok)
			cek := make([]byte, e.key)
			for i := range cek {
				cek[i] = byte(i)
			}
			padded := []byte(plaintext + strings.Repeat("\x10", 16))
			block, err := aes.NewCipher(cek[e.key/2:])
			require.NoError(t, err)
			sealed := make([]byte, len(padded))
			cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, padded)
			sealed = append(sealed, unhex(t, tag)...)

			got, ok := e.open(cek, iv, sealed, "The second principle of Auguste Kerckhoffs")
			require.True(t, ok)
			assert.Equal(t, plaintext, string(got))
			_, ok = e.open(cek, iv, sealed, "The second principle of Auguste Kerckhoff")
			assert.False(t, ok)
		})
	}
}

func TestUnpad(t *testing.T) {
	block := func(last string) []byte { return []byte(strings.Repeat("x", 32-len(last)) + last) }
	for last, want := range map[string]int{
		"\x01": 31, "\x02\x02": 30, "\x02\x01": 31, strings.Repeat("\x10", 16): 16, strings.Repeat("\x10", 32): 16,
	} {
		got, ok := unpad(block(last))
		assert.True(t, ok, "%q", last)
		assert.Len(t, got, want, "%q", last)
	}
	for _, last := range []string{"\x00", "\x02", "\x01\x02", "\x11", "\xff", strings.Repeat("\x11", 17), "\x10", "x" + strings.Repeat("\x10", 15), strings.Repeat("\x00", 16)} {
		_, ok := unpad(block(last))
		assert.False(t, ok, "%q", last)
	}
}
