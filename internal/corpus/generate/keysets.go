package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
)

// keySetCase is a case of a JWK Set and a token.
type keySetCase struct {
	name, expect, about string
	set                 string
	token               token
	fields              []string
}

// addKeySets signs the tokens of a class and adds the sets.
func addKeySets(k keyring, c *collection, class string, cases ...keySetCase) {
	f := idTokenFamily()
	for _, set := range cases {
		fields := merge(append(append([]string{}, f.fields...), "token: "+f.sign(k, set.token)), append(set.fields, set.token.fields...))
		c.add("key_set", entry{name: set.name, expect: set.expect, class: class, about: set.about, fields: fields, input: set.set})
	}
}

// keySetCases are T05, T12 and T13.
func keySetCases(k keyring, c *collection) {
	one := k.public("rsa-1", "kid", "rsa-1", "use", "sig")
	brokenKeys(k, c, one)
	misreadKeys(k, c, one)
	unreadableSets(k, c, one)
	contradictions(k, c, one)
	keyIDs(k, c, one)
	weakKeys(k, c, one)
}

// brokenKeys are T12: a good key beside a broken one, which is passed over.
func brokenKeys(k keyring, c *collection, good object) {
	ec := k.public("ec-1", "kid", "ec-1")
	ed := k.public("ed-1", "kid", "ed-1")
	for name, broken := range map[string]any{
		"unknown kty": object{"kty": "XYZ", "kid": "rsa-1", "x": "AQ"}, "unknown crv": with(ec, "crv", "P-999"), "secp256k1": with(ec, "crv", "secp256k1"), "no kty": object{"kid": "x"}, "kty number": with(good, "kty", 1),
		"kty null": with(good, "kty", nil), "number": 7, "null": nil, "string": "key", "array": []any{}, "true": true, "empty": object{}, "oct": object{"kty": "oct", "k": "AAAA", "kid": "rsa-1"}, "n missing": with(good, "n", gone{}),
		"n empty": with(good, "n", ""), "n number": with(good, "n", 1), "n not base64": with(good, "n", "***"), "n zero": with(good, "n", "AA"), "e missing": with(good, "e", gone{}), "e empty": with(good, "e", ""), "e zero": with(good, "e", "AA"),
		"kid number": with(good, "kid", 1), "kid array": with(good, "kid", []string{"rsa-1"}), "use number": with(ec, "use", 1), "key_ops string": with(ec, "key_ops", "verify"), "alg number": with(ec, "alg", 1),
		"x missing": with(ec, "x", gone{}), "x short": with(ec, "x", "AQ"), "off the curve": with(ec, "y", ec["x"]), "zero point": with(ec, "x", encode(make([]byte, 32)), "y", encode(make([]byte, 32))),
		"Ed25519 short": with(ed, "x", "AQ"), "Ed25519 long": with(ed, "x", ed["x"].(string)+"AAAA"), "Ed448": with(ed, "crv", "Ed448"), "X25519": with(ed, "crv", "X25519"),
		"e of 9 bytes": with(good, "e", encode([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})), "huge": with(good, "n", strings.Repeat("A", 65<<10)), "broken x5c": with(ec, "x5c", []string{"***"}),
	} {
		addKeySets(k, c, "T12",
			keySetCase{name: "good behind " + name, expect: "ok", about: "a good key behind one that is passed over: " + name, set: keySet(broken, good)},
		)
	}
	addKeySets(k, c, "T12",
		keySetCase{name: "good", expect: "ok", about: "the provider's keys", set: k.provider()},
		keySetCase{name: "good with members", expect: "ok", about: "unknown members in the set and the key", set: toJSON(object{"keys": []any{with(good, "x", object{"y": 1})}, "x": 1})},
		keySetCase{name: "kty in other letters", expect: "key", about: "the key has Kty, which is an unknown member, and no kty", set: keySet(with(good, "kty", gone{}, "Kty", "RSA"), ec)},
		keySetCase{name: "KTY of another type beside", expect: "ok", about: "KTY is an unknown member, and kty counts", set: keySet(with(good, "KTY", "EC"))},
		keySetCase{name: "KTY of another type after", expect: "ok", about: "KTY is an unknown member, and kty, which comes before, counts", set: strings.Replace(keySet(good), `"kty":"RSA"`, `"kty":"RSA","ktY":"oct"`, 1)},
		keySetCase{name: "N beside n", expect: "ok", about: "N is an unknown member, and n counts", set: keySet(with(good, "N", k.public("rsa-2")["n"]))},
		keySetCase{name: "n of another beside N", expect: "signature", about: "N is an unknown member, and n counts, which is another key's", set: keySet(with(good, "N", good["n"], "n", k.public("rsa-2")["n"]))},
		keySetCase{name: "KID beside kid", expect: "ok", about: "KID is an unknown member, and kid counts", set: keySet(with(good, "KID", "rsa-2"))},
		keySetCase{name: "USE beside use", expect: "ok", about: "USE is an unknown member, and use counts", set: keySet(with(good, "USE", "enc"))},
		keySetCase{name: "use enc beside Use", expect: "key", about: "Use is an unknown member, and use counts", set: keySet(with(good, "use", "enc", "Use", "sig"), ec)},
		keySetCase{name: "private", expect: "key", about: "a private key by mistake, which everybody has then", set: keySet(with(good, "d", encode(k["rsa-1"].(*rsa.PrivateKey).D.Bytes())), ec)},
		keySetCase{name: "oct of the kid", expect: "header", about: "a symmetric key in the set, and HS256 with it", set: keySet(object{"kty": "oct", "k": encode(bytes.Repeat([]byte{1}, 32)), "kid": "rsa-1"}, good),
			token: token{header: []any{"alg", "HS256"}, alg: "RS256", change: func(s string) string {
				input := strings.TrimSuffix(unsigned(s), ".")
				return input + "." + encode(hmac256(bytes.Repeat([]byte{1}, 32), input))
			}}},
		keySetCase{name: "oct where HS256 is agreed", expect: "refused", about: "a symmetric key in the set, and HS256 is agreed", set: keySet(object{"kty": "oct", "k": encode(bytes.Repeat([]byte{1}, 32)), "kid": "rsa-1"}),
			token: token{header: []any{"alg", "HS256"}, alg: "RS256", fields: []string{"algorithms: HS256"}, change: func(s string) string {
				input := strings.TrimSuffix(unsigned(s), ".")
				return input + "." + encode(hmac256(bytes.Repeat([]byte{1}, 32), input))
			}}})
}

// misreadKeys are T12: the key that signed has a member of a wrong form. A reader
// that skips it would find the key, or one with fewer restrictions.
func misreadKeys(k keyring, c *collection, good object) {
	second := k.public("ec-2", "kid", "ec-2")
	n := good["n"].(string)
	for name, key := range map[string]object{
		"kid number": with(good, "kid", 1), "kid array": with(good, "kid", []string{"rsa-1"}), "use number": with(good, "use", 1), "use array": with(good, "use", []string{"sig"}), "alg number": with(good, "alg", 1),
		"alg array": with(good, "alg", []string{"RS256"}), "key_ops number": with(good, "key_ops", 1), "key_ops object": with(good, "key_ops", object{"verify": true}), "key_ops numbers": with(good, "key_ops", []any{"verify", 1}),
		"kty missing": with(good, "kty", gone{}), "kty array": with(good, "kty", []string{"RSA"}), "n padded": with(good, "n", n+"=="), "n with line break": with(good, "n", n[:64]+"\n"+n[64:]), "n with blank": with(good, "n", " "+n),
		"n in standard base64": with(good, "n", strings.NewReplacer("-", "+", "_", "/").Replace(n)), "n with unused bits": with(good, "n", looseBits(n)), "n array": with(good, "n", []string{n}), "n missing": with(good, "n", gone{}),
		"e number": with(good, "e", 65537), "e padded": with(good, "e", "AQAB===="), "64 KiB": with(good, "x", strings.Repeat("A", 64<<10)), "9 deep": with(good, "x", []any{[]any{[]any{[]any{[]any{[]any{[]any{}}}}}}}),
	} {
		for kid, from := range map[string]token{"": {header: []any{"kid", "rsa-1"}}, " no kid": {header: []any{"kid", gone{}}}} {
			expect := "key"
			if name == "9 deep" {
				expect = "refused"
			}
			addKeySets(k, c, "T12", keySetCase{name: "key with " + name + kid, expect: expect, about: "a member of the key has a wrong form: " + name, set: keySet(key, second), token: from})
		}
	}
	es := token{header: es256(), key: "ec-1", fields: []string{"algorithms: ES256"}}
	ec := k.public("ec-1", "kid", "ec-1")
	for name, key := range map[string]object{
		"crv missing": with(ec, "crv", gone{}), "crv number": with(ec, "crv", 256), "x padded": with(ec, "x", ec["x"].(string)+"="), "y missing": with(ec, "y", gone{}), "x with unused bits": with(ec, "x", looseBits(ec["x"].(string))),
	} {
		addKeySets(k, c, "T12", keySetCase{name: "key with " + name, expect: "key", about: "a member of the key has a wrong form: " + name, set: keySet(key, good), token: es})
	}
}

// unreadableSets are T12: texts of which nothing is believed.
func unreadableSets(k keyring, c *collection, good object) {
	text := keySet(good)
	for name, set := range map[string]string{
		"empty": "", "null": "null", "array": toJSON([]any{good}), "key alone": toJSON(good), "no keys": "{}", "keys null": `{"keys":null}`, "keys object": toJSON(object{"keys": good}), "keys string": toJSON(object{"keys": text}),
		"keys twice": `{"keys":[],` + text[1:], "keys empty": `{"keys":[]}`, "only unknown": keySet(object{"kty": "XYZ"}), "only symmetric": keySet(object{"kty": "oct", "k": "AAAA"}), "KEYS": strings.Replace(text, "keys", "KEYS", 1),
		"member twice": strings.Replace(text, `"kid":"rsa-1"`, `"kid":"rsa-1","kid":"rsa-2"`, 1), "n twice": strings.Replace(text, `"use":"sig"`, `"use":"sig","n":"AQAB"`, 1), "text behind": text + "x", "set behind": text + text, "cut": text[:len(text)-1],
		"HTML": "<!DOCTYPE html><html></html>", "byte order mark": "\xef\xbb\xbf" + text, "invalid UTF-8": strings.Replace(text, "rsa-1", "rsa-1\xff", 1), "surrogate alone": strings.Replace(text, "rsa-1", `\ud83d`, 1), "comment": "/* keys */" + text,
		"deep": strings.TrimSuffix(text, "}") + `,"x":` + nested("[", "]", 20) + "}", "PEM": k.forms("rsa-1")[0].text, "a token": "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "trailing comma": strings.Replace(text, "}]", "},]", 1),
	} {
		addKeySets(k, c, "T12", keySetCase{name: "set " + name, expect: "refused", about: "no JWK Set, or none with a key: " + name, set: set})
	}
	const unit = `{"kty":"XYZ"},`
	many := func(n int) []string { return []string{fmt.Sprintf("repeat: %d %s", n, unit)} }
	set := `{"keys":[` + unit + toJSON(good) + `]}`
	addKeySets(k, c, "T12",
		keySetCase{name: "1000 keys", expect: "ok", about: "a thousand keys, the last is the one", set: set, fields: many(999)},
		keySetCase{name: "1001 keys", expect: "refused", about: "a key more than that", set: set, fields: many(1000)},
		keySetCase{name: "10000 keys", expect: "refused", about: "ten thousand keys", set: set, fields: many(9999)})
}

// contradictions are T05: what a key says about itself.
func contradictions(k keyring, c *collection, good object) {
	second := k.public("ec-2", "kid", "ec-2")
	for name, set := range map[string]struct {
		expect string
		key    object
	}{
		"use enc": {"key", with(good, "use", "enc")}, "use empty": {"ok", with(good, "use", "")}, "use missing": {"ok", with(good, "use", gone{})}, "use SIG": {"key", with(good, "use", "SIG")},
		"key_ops sign": {"key", with(good, "key_ops", []string{"sign"})}, "key_ops verify": {"ok", with(good, "key_ops", []string{"verify"})}, "key_ops encrypt": {"key", with(good, "key_ops", []string{"encrypt", "wrapKey"})},
		"alg RS256": {"ok", with(good, "alg", "RS256")}, "alg PS256": {"key", with(good, "alg", "PS256")}, "alg RS512": {"key", with(good, "alg", "RS512")}, "alg RSA-OAEP": {"key", with(good, "alg", "RSA-OAEP")}, "alg none": {"key", with(good, "alg", "none")},
		"alg HS256": {"key", with(good, "alg", "HS256")}, "kty EC": {"key", with(good, "kty", "EC")}, "kty oct": {"key", with(good, "kty", "oct")}, "kty rsa": {"key", with(good, "kty", "rsa")},
	} {
		addKeySets(k, c, "T05", keySetCase{name: "key with " + name, expect: set.expect, about: "what the key is for: " + name, set: keySet(set.key, second)})
	}
	es := token{header: es256(), key: "ec-1", fields: []string{"algorithms: ES256"}}
	ec := k.public("ec-1", "kid", "ec-1")
	for name, key := range map[string]object{"crv P-384": with(ec, "crv", "P-384"), "crv P-521": with(ec, "crv", "P-521"), "kty OKP": with(ec, "kty", "OKP"), "crv Ed25519": with(ec, "crv", "Ed25519"), "alg ES384": with(ec, "alg", "ES384"), "use enc and EC": with(ec, "use", "enc")} {
		addKeySets(k, c, "T05", keySetCase{name: "key with " + name, expect: "key", about: "what the key is for: " + name, set: keySet(key, good), token: es})
	}
	addKeySets(k, c, "T05", keySetCase{name: "EC key", expect: "ok", about: "a good EC key", set: keySet(ec), token: es})
}

// keyIDs are T12 and T13: which key a token means.
func keyIDs(k keyring, c *collection, good object) {
	other := k.public("rsa-2", "kid", "rsa-1")
	none := token{header: []any{"kid", gone{}}}
	var same []any
	for range 4 {
		same = append(same, other)
	}
	addKeySets(k, c, "T13",
		keySetCase{name: "rotated out", expect: "key", about: "the key that signed is no longer there", set: keySet(k.public("rsa-2", "kid", "rsa-2"))},
		keySetCase{name: "rotated in place", expect: "signature", about: "another key has the id of the one that signed", set: keySet(other)},
		keySetCase{name: "same kid at another issuer", expect: "signature", about: "the key set of another issuer, with the same ids", set: keySet(other, k.public("ec-2", "kid", "ec-1"))})
	addKeySets(k, c, "T12",
		keySetCase{name: "kid twice", expect: "ok", about: "two keys have the id, one of them signed", set: keySet(other, good)},
		keySetCase{name: "kid four times", expect: "ok", about: "four keys have the id, the last signed", set: keySet(append(same[:3:3], good)...)},
		keySetCase{name: "kid five times", expect: "key", about: "five keys have the id: too many to try", set: keySet(append(same, good)...)},
		keySetCase{name: "kid twice of two types", expect: "ok", about: "an EC and an RSA key have the id, and alg tells them apart", set: keySet(k.public("ec-1", "kid", "rsa-1"), good)},
		keySetCase{name: "kid missing in token", expect: "ok", about: "the token names no key, and one fits", set: keySet(good, k.public("ec-1", "kid", "ec-1")), token: none},
		keySetCase{name: "kid missing in token and two fit", expect: "key", about: "the token names no key, and two fit", set: keySet(good, k.public("rsa-2", "kid", "rsa-2")), token: none},
		keySetCase{name: "kid missing in token and one is for encryption", expect: "ok", about: "the token names no key, and only one is for signatures", set: keySet(good, k.public("rsa-2", "kid", "rsa-2", "use", "enc")), token: none},
		keySetCase{name: "kid missing in set", expect: "ok", about: "no key has an id, and the token names one", set: keySet(with(good, "kid", gone{}))},
		keySetCase{name: "kid missing in one key", expect: "key", about: "the key that signed has no id, another has one, and the token names a third", set: keySet(with(good, "kid", gone{}), k.public("rsa-2", "kid", "rsa-2"))},
		keySetCase{name: "kid other case", expect: "key", about: "the key's id is in other letters", set: keySet(with(good, "kid", "RSA-1"))},
		keySetCase{name: "kid with blank", expect: "key", about: "the key's id has a blank behind", set: keySet(with(good, "kid", "rsa-1 "))})
}

// weakKeys are T12: keys with which anybody can sign.
func weakKeys(k keyring, c *collection, good object) {
	second := k.public("ec-2", "kid", "ec-2")
	short := token{header: []any{"kid", "rsa-1"}, key: "rsa-1024"}
	number := func(n *big.Int) string { return encode(n.Bytes()) }
	n := k["rsa-1"].(*rsa.PrivateKey).N
	addKeySets(k, c, "T12",
		keySetCase{name: "RSA 1024", expect: "key", about: "an RSA key of 1024 bits", set: keySet(k.public("rsa-1024", "kid", "rsa-1"), second), token: short},
		keySetCase{name: "e is 1", expect: "key", about: "with the exponent 1 each padded digest is its own signature", set: keySet(with(good, "e", "AQ"), second), token: token{change: padded}},
		keySetCase{name: "e is 2", expect: "key", about: "an even exponent", set: keySet(with(good, "e", "Ag"), second)},
		keySetCase{name: "e of 33 bits", expect: "key", about: "an exponent that no library takes, which a careless reader cuts off to 65537", set: keySet(with(good, "e", number(new(big.Int).Add(big.NewInt(1<<32), big.NewInt(65537)))), second)},
		keySetCase{name: "e of 65 bits", expect: "key", about: "an exponent of 65 bits, which a careless reader cuts off to 65537", set: keySet(with(good, "e", encode([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})), second)},
		keySetCase{name: "n even", expect: "key", about: "an even modulus", set: keySet(with(good, "n", number(new(big.Int).Sub(n, big.NewInt(1)))), second)},
		keySetCase{name: "n of 16384 bits", expect: "key", about: "a modulus with which each signature costs a lot", set: keySet(with(good, "n", number(new(big.Int).Exp(n, big.NewInt(8), nil))), second)},
		keySetCase{name: "n one", expect: "key", about: "the modulus 1, with which everything is zero", set: keySet(with(good, "n", "AQ"), second)},
		keySetCase{name: "P-224", expect: "key", about: "a curve that is too short", set: keySet(k.public("ec-224", "kid", "ec-1"), second), token: token{header: es256(), alg: "ES256", key: "ec-224", fields: []string{"algorithms: ES256"}}})
	point := k["ec-1"].(*ecdsa.PrivateKey)
	x := must(base64.RawURLEncoding.DecodeString(k.public("ec-1")["x"].(string)))
	plusPrime := new(big.Int).Add(new(big.Int).SetBytes(x), point.Params().P)
	es := token{header: es256(), key: "ec-1", fields: []string{"algorithms: ES256"}}
	addKeySets(k, c, "T12",
		keySetCase{name: "x plus the prime", expect: "key", about: "a coordinate that is not reduced", set: keySet(k.public("ec-1", "kid", "ec-1", "x", number(plusPrime)), second), token: es},
		keySetCase{name: "point at infinity", expect: "key", about: "coordinates of zero", set: keySet(k.public("ec-1", "kid", "ec-1", "x", "AA", "y", "AA"), second), token: es})
}

// padded signs with the exponent 1.
func padded(signed string) string {
	input := strings.TrimSuffix(unsigned(signed), ".")
	// DigestInfo of SHA-256 (RFC 8017 §9.2 note 1).
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	end := append(append([]byte{0}, prefix...), digest(crypto.SHA256, input)...)
	block := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 256-2-len(end))...)
	return input + "." + encode(append(block, end...))
}
