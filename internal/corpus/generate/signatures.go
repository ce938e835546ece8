package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
)

// signatureOf decodes the third part of a token.
func signatureOf(signed string) []byte {
	return must(base64.RawURLEncoding.DecodeString(signed[strings.LastIndex(signed, ".")+1:]))
}

// resign replaces the signature.
func resign(change func([]byte) []byte) func(string) string {
	return func(signed string) string { return unsigned(signed) + encode(change(signatureOf(signed))) }
}

func filled(n int, b byte) func(string) string {
	return resign(func([]byte) []byte { return []byte(strings.Repeat(string([]byte{b}), n)) })
}

// flip flips a bit of one character of a part, staying in the alphabet.
func flip(part int) func(string) string {
	return func(signed string) string {
		parts := strings.Split(signed, ".")
		raw := must(base64.RawURLEncoding.DecodeString(parts[part]))
		raw[len(raw)/2] ^= 1
		parts[part] = encode(raw)
		return strings.Join(parts, ".")
	}
}

// forgeryCases are T09: signatures that are none.
func forgeryCases(k keyring, c *collection) {
	rsaForgeries(k, c)
	ecdsaForgeries(k, c)
	ed := idTokenFamily()
	ed.header, ed.fields = object{"alg": "EdDSA", "kid": "ed-1"}, append(ed.fields, "algorithms: EdDSA")
	ed.add(k, c, "T09",
		token{name: "EdDSA zero", expect: "signature", about: "the signature is zero", key: "ed-1", change: filled(64, 0)},
		token{name: "EdDSA truncated", expect: "signature", about: "the signature lacks its last byte", key: "ed-1", change: resign(func(s []byte) []byte { return s[:63] })},
		token{name: "EdDSA longer", expect: "signature", about: "the signature has a byte more", key: "ed-1", change: resign(func(s []byte) []byte { return append(s, 0) })},
		token{name: "EdDSA plus order", expect: "signature", about: "S plus the order of the group, which RFC 8032 forbids", key: "ed-1", change: resign(plusOrder)},
		token{name: "EdDSA identity", expect: "signature", about: "R is the neutral point and S is zero", key: "ed-1", change: resign(func([]byte) []byte { return append([]byte{1}, make([]byte, 63)...) })})
}

func rsaForgeries(k keyring, c *collection) {
	f := idTokenFamily()
	modulus := k["rsa-1"].(*rsa.PrivateKey).N
	f.add(k, c, "T09",
		token{name: "RS256 signature flipped", expect: "signature", about: "one bit of the signature is another", change: flip(2)},
		token{name: "RS256 claims flipped", expect: "signature", about: "one bit of the claims is another", change: flip(1)},
		token{name: "RS256 signature of another key", expect: "signature", about: "signed by the attacker's key, kid is the provider's", key: "rsa-2"},
		token{name: "RS256 signature of another token", expect: "signature", about: "the signature of another token of the provider", change: func(s string) string {
			other := compact(k["rsa-1"], "RS256", toJSON(f.header), toJSON(with(f.claims, "sub", "another")))
			return unsigned(s) + other[strings.LastIndex(other, ".")+1:]
		}},
		token{name: "RS256 claims of another token", expect: "signature", about: "header and signature of a token of the provider around other claims", change: func(s string) string {
			parts := strings.Split(s, ".")
			return parts[0] + "." + encode([]byte(toJSON(with(f.claims, "sub", "another")))) + "." + parts[2]
		}},
		token{name: "RS256 header of another token", expect: "signature", about: "another header around signed claims", change: func(s string) string {
			return encode([]byte(`{"alg":"RS256","kid":"rsa-1","typ":"JWT"}`)) + s[strings.Index(s, "."):]
		}},
		token{name: "RS256 truncated", expect: "signature", about: "the signature lacks its last byte", change: resign(func(s []byte) []byte { return s[:len(s)-1] })},
		token{name: "RS256 with zero before", expect: "signature", about: "the signature has a zero byte before it", change: resign(func(s []byte) []byte { return append([]byte{0}, s...) })},
		token{name: "RS256 with zero behind", expect: "signature", about: "the signature has a zero byte behind it", change: resign(func(s []byte) []byte { return append(s, 0) })},
		token{name: "RS256 plus modulus", expect: "signature", about: "the signature as a number plus the modulus", change: resign(func(s []byte) []byte { return new(big.Int).Add(new(big.Int).SetBytes(s), modulus).Bytes() })},
		token{name: "RS256 zero", expect: "signature", about: "the signature is zero", change: filled(256, 0)},
		token{name: "RS256 one", expect: "signature", about: "the signature is one", change: resign(func([]byte) []byte { return big.NewInt(1).FillBytes(make([]byte, 256)) })},
		token{name: "RS256 missing", expect: "shape", about: "the signature is missing", change: unsigned},
		token{name: "RS256 one byte", expect: "signature", about: "the signature is one byte", change: filled(1, 1)},
		token{name: "RS256 unsigned digest", expect: "signature", about: "the signature is the digest", change: func(s string) string {
			return unsigned(s) + encode(digest(hashOf("RS256"), strings.TrimSuffix(unsigned(s), ".")))
		}},
	)
}

func ecdsaForgeries(k keyring, c *collection) {
	order := k["ec-1"].(*ecdsa.PrivateKey).Params().N
	ec := idTokenFamily()
	ec.header, ec.fields = object{"alg": "ES256", "kid": "ec-1"}, append(ec.fields, "algorithms: ES256")
	r := func(s []byte) *big.Int { return new(big.Int).SetBytes(s[:32]) }
	s := func(s []byte) *big.Int { return new(big.Int).SetBytes(s[32:]) }
	join := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	one := big.NewInt(1)
	changes := map[string]func([]byte) []byte{
		"zero r and s":    func([]byte) []byte { return make([]byte, 64) },
		"zero r":          func(sig []byte) []byte { return join(new(big.Int), s(sig)) },
		"zero s":          func(sig []byte) []byte { return join(r(sig), new(big.Int)) },
		"one r and s":     func([]byte) []byte { return join(one, one) },
		"order r":         func(sig []byte) []byte { return join(order, s(sig)) },
		"order s":         func(sig []byte) []byte { return join(r(sig), order) },
		"order r zero s":  func([]byte) []byte { return join(order, new(big.Int)) },
		"all ones":        func([]byte) []byte { return []byte(strings.Repeat("\xff", 64)) },
		"negative r":      func(sig []byte) []byte { return join(new(big.Int).Sub(order, r(sig)), s(sig)) },
		"r and s swapped": func(sig []byte) []byte { return join(s(sig), r(sig)) },
		"truncated":       func(sig []byte) []byte { return sig[:63] },
		"half":            func(sig []byte) []byte { return sig[:32] },
		"zero behind":     func(sig []byte) []byte { return append(sig, 0) },
		"zero before":     func(sig []byte) []byte { return append([]byte{0}, sig...) },
		"padded to 48": func(sig []byte) []byte {
			return append(r(sig).FillBytes(make([]byte, 48)), s(sig).FillBytes(make([]byte, 48))...)
		},
		"DER":          func(sig []byte) []byte { return must(asn1.Marshal(struct{ R, S *big.Int }{r(sig), s(sig)})) },
		"DER of zeros": func([]byte) []byte { return must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int), new(big.Int)})) },
		"flipped":      func(sig []byte) []byte { sig[7] ^= 0x10; return sig },
	}
	for name, change := range changes {
		ec.add(k, c, "T09", token{name: "ES256 " + name, expect: "signature", about: "the signature r‖s is changed: " + name, key: "ec-1", change: resign(change)})
	}
	ec.add(k, c, "T09",
		token{name: "ES256 of another key", expect: "signature", about: "signed by the attacker's key, kid is the provider's", key: "ec-2"},
		token{name: "ES256 other s", about: "r and n − s: ECDSA takes both, so a token has two texts, and neither is forged", key: "ec-1",
			change: resign(func(sig []byte) []byte { return join(r(sig), new(big.Int).Sub(order, s(sig))) })})
}

// plusOrder adds the order of Ed25519's group to S.
func plusOrder(signature []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	little := func(b []byte) []byte {
		out := make([]byte, 32)
		for i := range b {
			out[len(b)-1-i] = b[i]
		}
		return out
	}
	s := new(big.Int).Add(new(big.Int).SetBytes(little(signature[32:])), order)
	return append(signature[:32:32], little(s.FillBytes(make([]byte, 32)))...)
}
