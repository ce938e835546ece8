package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"strings"
)

// serialisationCases are T08, T10 and T11: what is no JWS in compact
// serialisation.
func serialisationCases(k keyring, c *collection) {
	f := idTokenFamily()
	split := func(make func(protected, payload, signature string) any) func(string) string {
		return func(s string) string {
			parts := strings.Split(s, ".")
			return toJSON(make(parts[0], parts[1], parts[2]))
		}
	}
	f.add(k, c, "T08",
		token{name: "flattened", expect: "shape", about: "a good token in flattened JSON serialisation", change: split(func(h, p, s string) any { return object{"protected": h, "payload": p, "signature": s} })},
		token{name: "general", expect: "shape", about: "a good token in general JSON serialisation", change: split(func(h, p, s string) any {
			return object{"payload": p, "signatures": []object{{"protected": h, "signature": s}}}
		})},
		token{name: "two signatures", expect: "shape", about: "one of two signatures is good", change: split(func(h, p, s string) any {
			return object{"payload": p, "signatures": []object{{"protected": h, "signature": "AAAA"}, {"protected": h, "signature": s}}}
		})},
		token{name: "unprotected alg", expect: "shape", about: "alg is outside what is signed", header: []any{"alg", gone{}}, alg: "RS256", change: split(func(h, p, s string) any {
			return object{"protected": h, "header": object{"alg": "none"}, "payload": p, "signature": s}
		})},
		token{name: "no signature", expect: "shape", about: "no signature at all", change: split(func(h, p, s string) any { return object{"payload": p, "signatures": []object{}} })},
		token{name: "JSON around compact", expect: "shape", about: "a token as a JSON string", change: func(s string) string { return toJSON(s) }},
	)
	signed := f.sign(k, token{})
	f.add(k, c, "T10",
		token{name: "nested", expect: "shape", about: "a token whose claims are a token, signed", header: []any{"cty", "JWT"}, claimsText: signed},
		token{name: "nested as JSON", expect: "shape", about: "a token whose claims are a token as a JSON string", header: []any{"cty", "JWT"}, claimsText: toJSON(signed)},
		token{name: "nested twice", expect: "shape", about: "a token in a token in a token", header: []any{"cty", "JWT"}, claimsText: f.sign(k, token{header: []any{"cty", "JWT"}, claimsText: signed})},
		token{name: "nested unsigned", expect: "shape", about: "a signed token around one of alg none", header: []any{"cty", "JWT"}, claimsText: encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(toJSON(f.claims))) + "."},
		token{name: "cty alone", about: "the header has cty, and the claims are claims", header: []any{"cty", "JWT"}},
	)
	plain := encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(toJSON(f.claims))) + "."
	jwe := func(name, about, header, plaintext string) {
		f.add(k, c, "T10", token{name: name, expect: "shape", about: about, change: func(string) string { return encrypted(header, nil, plaintext) }})
	}
	jwe("JWE of plain claims", "claims that are encrypted and not signed", `{"alg":"dir","enc":"A256GCM"}`, toJSON(f.claims))
	jwe("JWE of unsigned token", "a token of alg none that is encrypted", `{"alg":"dir","enc":"A256GCM","cty":"JWT"}`, plain)
	jwe("JWE of signed token", "a good token that is encrypted, where that was not agreed", `{"alg":"dir","enc":"A256GCM","cty":"JWT"}`, signed)
	f.add(k, c, "T10",
		token{name: "JWE header over three parts", expect: "header", about: "a header of a JWE over a signed token", header: []any{"alg", "dir", "enc", "A256GCM"}, alg: "RS256"},
		token{name: "RSA-OAEP over three parts", expect: "header", about: "alg of a JWE over a signed token", header: []any{"alg", "RSA-OAEP"}, alg: "RS256"})
	key := bytes.Repeat([]byte{1}, 256)
	for name, header := range map[string]string{
		"RSA1_5":         `{"alg":"RSA1_5","enc":"A128CBC-HS256"}`,
		"PBES2":          `{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2s":"AAAAAAAAAAA","p2c":2147483648}`,
		"zip":            `{"alg":"dir","enc":"A256GCM","zip":"DEF"}`,
		"off-curve epk":  `{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}}`,
		"direct":         `{"alg":"dir","enc":"A128CBC-HS256"}`,
		"epk of nothing": `{"alg":"ECDH-ES+A128KW","enc":"A256GCM","epk":{}}`,
	} {
		f.add(k, c, "T11", token{name: "JWE " + name, expect: "shape", about: "five parts, encrypted with " + name, change: func(string) string { return encrypted(header, key, "{}") }})
	}
	f.add(k, c, "T11",
		token{name: "JWE short tag", expect: "shape", about: "five parts with a tag of one byte", change: func(string) string {
			return encode([]byte(`{"alg":"dir","enc":"A256GCM"}`)) + "..AAAAAAAAAAAAAAAA.AAAA.AA"
		}},
		token{name: "JWE no IV", expect: "shape", about: "five parts without IV and tag", change: func(string) string { return encode([]byte(`{"alg":"dir","enc":"A256GCM"}`)) + "...AAAA." }},
		token{name: "PBES2 over three parts", expect: "header", about: "alg with an iteration count over a signed token", header: []any{"alg", "PBES2-HS256+A128KW", "p2s", "AAAAAAAAAAA", "p2c", 2147483648}, alg: "RS256"},
		token{name: "zip over three parts", about: "zip means nothing in a JWS, and the claims are as they are", header: []any{"zip", "DEF"}})
}

// encrypted returns a JWE of five parts whose content is encrypted with a key of
// ones and a nonce of zeros.
func encrypted(header string, wrappedKey []byte, plaintext string) string {
	protected := encode([]byte(header))
	block := must(aes.NewCipher(bytes.Repeat([]byte{1}, 32)))
	gcm := must(cipher.NewGCM(block))
	iv := make([]byte, gcm.NonceSize())
	sealed := gcm.Seal(nil, iv, []byte(plaintext), []byte(protected))
	tag := len(sealed) - gcm.Overhead()
	return strings.Join([]string{protected, encode(wrappedKey), encode(iv), encode(sealed[:tag]), encode(sealed[tag:])}, ".")
}
