package jwe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

// sealing is a sender that can do each step wrongly.
type sealing struct {
	alg, enc     string
	header       map[string]any // instead of or beside what alg asks for; nil: left out
	hash         *management    // whose hash OAEP uses, where it is not alg's
	cek          []byte         // where it is not random
	secret       []byte         // where ECDH is not calculated
	encryptedKey []byte         // where it is not that of cek
	padded       string         // the plaintext with padding, where that is not PKCS #7
}

// seal encrypts to an *rsa.PublicKey or *ecdh.PublicKey.
func (s sealing) seal(t testing.TB, to any, plaintext string) string {
	t.Helper()
	m, _ := managementOf(s.alg)
	enc, _ := contentOf(s.enc)
	members := map[string]any{"alg": s.alg, "enc": s.enc}
	cek := s.cek
	if cek == nil {
		cek = randomBytes(enc.key)
	}
	var encryptedKey []byte
	switch to := to.(type) {
	case *rsa.PublicKey:
		if s.hash != nil {
			m = *s.hash
		}
		encryptedKey = encrypted(t, m, to, cek)
	case *ecdh.PublicKey:
		cek, encryptedKey = s.agree(t, m, to, members, cek)
	}
	if s.encryptedKey != nil {
		encryptedKey = s.encryptedKey
	}
	maps.Copy(members, s.header)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(members)
	require.NoError(t, err)
	iv := randomBytes(enc.iv)
	sealed := s.content(t, enc, cek, iv, jose.Encode(text), plaintext)
	return join(string(text), encryptedKey, iv, sealed[:len(sealed)-enc.tag], sealed[len(sealed)-enc.tag:])
}

// encrypted is a key of any length by OAEP.
func encrypted(t testing.TB, m management, to *rsa.PublicKey, key []byte) []byte {
	t.Helper()
	out, err := rsa.EncryptOAEP(m.hash.New(), rand.Reader, to, key, nil)
	require.NoError(t, err)
	return out
}

func join(header string, parts ...[]byte) string {
	texts := []string{jose.Encode([]byte(header))}
	for _, part := range parts {
		texts = append(texts, jose.Encode(part))
	}
	return strings.Join(texts, ".")
}

// agree makes epk and what follows from it.
func (s sealing) agree(t testing.TB, m management, to *ecdh.PublicKey, members map[string]any, cek []byte) (key, encrypted []byte) {
	t.Helper()
	ephemeral, err := to.Curve().GenerateKey(rand.Reader)
	require.NoError(t, err)
	members["epk"] = epkOf(ephemeral.PublicKey())
	secret := s.secret
	if secret == nil {
		secret, err = ephemeral.ECDH(to)
		require.NoError(t, err)
	}
	party := func(name string) []byte {
		text, _ := s.header[name].(string)
		info, _ := jose.Decode(text)
		return info
	}
	if m.wrap == 0 {
		return concatKDF(secret, s.enc, party("apu"), party("apv"), len(cek)), nil
	}
	return cek, wrap(t, concatKDF(secret, s.alg, party("apu"), party("apv"), m.wrap), cek)
}

func epkOf(key *ecdh.PublicKey) map[string]any {
	point := key.Bytes()
	if key.Curve() == ecdh.X25519() {
		return map[string]any{"kty": "OKP", "crv": "X25519", "x": jose.Encode(point)}
	}
	size := len(point) / 2
	name := map[int]string{32: "P-256", 48: "P-384", 66: "P-521"}[size]
	return map[string]any{"kty": "EC", "crv": name, "x": jose.Encode(point[1 : 1+size]), "y": jose.Encode(point[1+size:])}
}

// wrap is RFC 3394 §2.2.1, with the index of its registers.
func wrap(t testing.TB, kek, key []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(kek)
	require.NoError(t, err)
	n := len(key) / 8
	out := append(binary.BigEndian.AppendUint64(nil, wrapIV), key...)
	for s := 1; s <= 6*n; s++ {
		r := out[8*((s-1)%n+1):][:8]
		b := append(out[:8:8], r...)
		block.Encrypt(b, b)
		binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(b)^uint64(s))
		copy(r, b[8:])
	}
	return out
}

// content returns ciphertext and tag.
func (s sealing) content(t testing.TB, enc content, cek, iv []byte, aad, plaintext string) []byte {
	t.Helper()
	if enc.hash == 0 {
		block, err := aes.NewCipher(cek)
		require.NoError(t, err)
		gcm, err := cipher.NewGCM(block)
		require.NoError(t, err)
		return gcm.Seal(nil, iv, []byte(plaintext), []byte(aad))
	}
	padded := s.padded
	if padded == "" {
		size := aes.BlockSize - len(plaintext)%aes.BlockSize
		padded = plaintext + strings.Repeat(string(rune(size)), size)
	}
	block, err := aes.NewCipher(cek[enc.key/2:])
	require.NoError(t, err)
	sealed := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, []byte(padded))
	mac := hmac.New(enc.hash.New, cek[:enc.key/2])
	mac.Write([]byte(aad))
	mac.Write(iv)
	mac.Write(sealed)
	require.NoError(t, binary.Write(mac, binary.BigEndian, uint64(len(aad))*8))
	return append(sealed, mac.Sum(nil)[:enc.tag]...)
}
