package oidctest_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func hashSource(script []byte) string {
	sum := sha256.Sum256(script)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// encryptCBC makes a JWE of RSA-OAEP-256 and A128CBC-HS256.
func encryptCBC(t *testing.T, key *rsa.PublicKey, plain string) string {
	t.Helper()
	aad := b64.EncodeToString([]byte(`{"alg":"RSA-OAEP-256","enc":"A128CBC-HS256"}`))
	cek, iv := make([]byte, 32), make([]byte, 16)
	_, _ = rand.Read(cek)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, cek, nil)
	require.NoError(t, err)
	pad := 16 - len(plain)%16
	padded := []byte(plain + strings.Repeat(string(rune(pad)), pad))
	block, err := aes.NewCipher(cek[16:])
	require.NoError(t, err)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	mac := hmac.New(sha256.New, cek[:16])
	mac.Write([]byte(aad))
	mac.Write(iv)
	mac.Write(padded)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(aad)*8)))
	return strings.Join([]string{aad, b64.EncodeToString(wrapped), b64.EncodeToString(iv), b64.EncodeToString(padded), b64.EncodeToString(mac.Sum(nil)[:16])}, ".")
}

func TestRequestObjects(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.BankID})
	var set struct{ Keys []map[string]string }
	require.NoError(t, json.Unmarshal(r.op.JWKS(), &set))
	key := publicKey(t, set.Keys[0]).(*rsa.PublicKey)
	object := func(change map[string]any) string {
		claims := map[string]any{"iss": r.client.ClientID, "aud": r.client.Issuer, "exp": r.clock.Now().Unix() + 60, "login_hint": "BID:01017012345"}
		for name, values := range r.params() {
			claims[name] = values[0]
		}
		maps.Copy(claims, change)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		return signed(t, r.client.PrivateKey, map[string]any{"alg": "ES256"}, claims)
	}
	send := func(object string) answer {
		v := url.Values{"client_id": {r.client.ClientID}, "response_type": {"code"}, "scope": {"openid"}, "request": {object}}
		return r.do("GET", r.client.AuthorizationEndpoint+"?"+v.Encode(), nil, nil)
	}
	gcm := map[string]any{"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": set.Keys[0]["kid"]}
	for name, request := range map[string]string{
		"signed":  object(nil),
		"GCM":     encrypt(t, key, gcm, object(nil)),
		"OAEP":    encrypt(t, key, map[string]any{"alg": "RSA-OAEP", "enc": "A256GCM"}, object(nil)),
		"CBC":     encryptCBC(t, key, object(nil)),
		"max_age": object(map[string]any{"max_age": 60}),
	} {
		back := send(request).location(t)
		assert.NotEmpty(t, back.Get("code"), name)
		assert.Equal(t, "the-state", back.Get("state"), name)
	}
	cbc := []byte(encryptCBC(t, key, object(nil)))
	cbc[len(cbc)-4] ^= 1
	for name, request := range map[string]string{
		"iss": object(map[string]any{"iss": "x"}), "aud": object(map[string]any{"aud": "x"}),
		"expired": object(map[string]any{"exp": r.clock.Now().Unix()}), "nested": object(map[string]any{"request": "x"}),
		"client_id": object(map[string]any{"client_id": "x"}), "forged": object(nil)[:len(object(nil))-8] + "AAAAAAAA",
		"broken CBC": string(cbc), "other kid": encrypt(t, key, map[string]any{"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "x"}, object(nil)),
		"not JWT": "x", "RSA1_5": strings.Replace(string(cbc), string(cbc[:40]), b64.EncodeToString([]byte(`{"alg":"RSA1_5","enc":"A256GCM"}`))[:40], 1),
	} {
		assert.Equal(t, 400, send(request).status, name)
	}
}
