package jwe

import (
	"strings"
	"testing"
)

// BenchmarkDecrypt is the whole way of a token of about the size of an ID token,
// and of those that fail: they take the time of each other.
func BenchmarkDecrypt(b *testing.B) {
	oaep, p256 := rsaKey(b), newP256(b)
	plaintext := strings.Repeat("x", 1000)
	rs, es := sealing{alg: "RSA-OAEP-256", enc: "A128CBC-HS256"}, sealing{alg: "ECDH-ES+A128KW", enc: "A256GCM"}
	goodRS, goodES := rs.seal(b, &oaep.PublicKey, plaintext), es.seal(b, p256.PublicKey(), plaintext)
	short := rs
	short.encryptedKey = encrypted(b, managed(b, rs.alg), &oaep.PublicKey, make([]byte, 31))
	keys := []Key{newKey(b, "", "", oaep), newKey(b, "", "", p256)}
	for _, c := range []struct{ name, token string }{
		{"RSA/good", goodRS},
		{"RSA/padding", changed(b, goodRS, 1)},
		{"RSA/length", short.seal(b, &oaep.PublicKey, plaintext)},
		{"RSA/tag", changed(b, goodRS, 4)},
		{"ECDH/good", goodES},
		{"ECDH/wrap", changed(b, goodES, 1)},
		{"ECDH/tag", changed(b, goodES, 4)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := decrypt(b, c.token, keys...)
				if (err == nil) != strings.HasSuffix(c.name, "good") {
					b.Fatal(err)
				}
			}
		})
	}
}
