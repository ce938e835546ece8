package main

import (
	"strconv"
	"strings"
)

// shapeCases are T57: what is not three parts of
// canonical base64url.
func shapeCases(k keyring, c *collection) {
	f := idTokenFamily()
	part := func(i int, change func(string) string) func(string) string {
		return func(s string) string {
			parts := strings.Split(s, ".")
			parts[i] = change(parts[i])
			return strings.Join(parts, ".")
		}
	}
	for i, name := range []string{"header", "claims", "signature"} {
		f.add(k, c, "T57",
			token{name: name + " padded", expect: "shape", about: "padding behind the " + name, change: part(i, func(s string) string { return s + "=" })},
			token{name: name + " padded twice", expect: "shape", about: "padding behind the " + name, change: part(i, func(s string) string { return s + "==" })},
			token{name: name + " with line break", expect: "shape", about: "a line break in the " + name, change: part(i, func(s string) string { return s[:4] + "\n" + s[4:] })},
			token{name: name + " with CRLF behind", expect: "shape", about: "a line break behind the " + name, change: part(i, func(s string) string { return s + "\r\n" })},
			token{name: name + " with blank", expect: "shape", about: "a blank in the " + name, change: part(i, func(s string) string { return s[:4] + " " + s[4:] })},
			token{name: name + " with NUL", expect: "shape", about: "a NUL in the " + name, change: part(i, func(s string) string { return s[:4] + "\x00" + s[4:] })},
			token{name: name + " in standard base64", expect: "shape", about: "the other alphabet in the " + name, change: part(i, func(s string) string { return "+/" + s[2:] })},
			token{name: name + " of one character", expect: "shape", about: "one character, which is less than a byte, as the " + name, change: part(i, func(string) string { return "A" })},
			token{name: name + " not ASCII", expect: "shape", about: "a letter that is not ASCII in the " + name, change: part(i, func(s string) string { return "é" + s[2:] })},
			token{name: name + " with unused bits", expect: "shape", about: "bits that are not used, and not zero, behind the " + name, change: part(i, looseBits)})
	}
	for name, text := range map[string]string{
		"empty": "", "dot": ".", "two dots": "..", "three dots": "...", "blank": " ", "NUL": "\x00", "JSON": toJSON(f.claims), "invalid UTF-8": "\xff\xfe.\xff.\xff", "null": "null",
	} {
		f.add(k, c, "T57", token{name: "text " + name, expect: "shape", about: "no token at all: " + name, change: func(string) string { return text }})
	}
	f.add(k, c, "T57",
		token{name: "two parts", expect: "shape", about: "header and claims alone", change: func(s string) string { return strings.TrimSuffix(unsigned(s), ".") }},
		token{name: "four parts", expect: "shape", about: "a part more", change: func(s string) string { return s + ".AA" }},
		token{name: "dot behind", expect: "shape", about: "a dot behind", change: func(s string) string { return s + "." }},
		token{name: "dot before", expect: "shape", about: "a dot before", change: func(s string) string { return "." + s }},
		token{name: "blank before", expect: "shape", about: "a blank before the token", change: func(s string) string { return " " + s }},
		token{name: "line break behind", expect: "shape", about: "a line break behind the token", change: func(s string) string { return s + "\n" }},
		token{name: "Bearer before", expect: "shape", about: "the token with the scheme it is sent by", change: func(s string) string { return "Bearer " + s }},
		token{name: "two tokens", expect: "shape", about: "a token twice", change: func(s string) string { return s + "." + s }},
		token{name: "disclosure behind", expect: "shape", about: "a token with a selective disclosure", change: func(s string) string { return s + "~WyJhIiwiYiIsImMiXQ~" }},
	)
}

// looseBits sets bits behind the last whole byte, if there is room for any.
func looseBits(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(part) - 1
	if len(part)%4 == 0 {
		// Every bit is used: two characters more are a byte and four bits.
		return part + "AB"
	}
	return part[:last] + alphabet[strings.IndexByte(alphabet, part[last])+1:][:1]
}

// sizeCases are T56.
func sizeCases(k keyring, c *collection) {
	f := idTokenFamily()
	// The claim's text begins at a multiple of three bytes, so that its letters are
	// the same four characters again and again; the rest is made up in the header.
	text := strings.TrimSuffix(f.claimsText(`,"x":"`), "}")
	text += strings.Repeat(".", (3-len(text)%3)%3)
	sized := func(length int) token {
		for fill := range 4 {
			header := `{"alg":"RS256","kid":"rsa-1","x":"` + strings.Repeat("x", fill) + `"}`
			rest := length - len(f.sign(k, token{headerText: header, claimsText: text + `"}`}))
			for n := rest*3/4 - 3; n <= rest*3/4+3; n++ {
				t := token{headerText: header, claimsText: text + strings.Repeat("A", n) + `"}`}
				if len(f.sign(k, t)) == length {
					return t
				}
			}
		}
		panic("no token has that length")
	}
	named := func(t token, name, expect, about string) token {
		t.name, t.expect, t.about = name, expect, about
		return t
	}
	raw := func(name, expect, about, input, repeat string) {
		c.add(f.kind, entry{name: name, expect: expect, class: "T56", about: about, fields: append(f.fields, "repeat: "+repeat), input: input})
	}
	f.add(k, c, "T56",
		named(sized(64<<10), "64 KiB", "ok", "a good token as long as it may be"),
		named(sized(64<<10+1), "64 KiB and a byte", "size", "a good token a byte longer than it may be"),
		token{name: "64 KiB unsigned", expect: "size", about: "a signature longer than a token may be", change: func(s string) string { return s + strings.Repeat("A", 64<<10) }})
	raw("10000000 dots", "size", "a token of dots", ".", "10000000 .")
	raw("1000000 blanks", "size", "a million blanks", " ", "1000000  ")
	raw("65536 dots", "shape", "a token of dots, no longer than a token may be", ".", "65536 .")
	raw("header of 10 MB", "size", "a header of ten million characters", "eyJh.e30.AAAA", strconv.Itoa(2500000)+" eyJh")
	raw("signature of 60 kB", "key", "a signature of sixty thousand characters, by a key that nobody has", encode([]byte(`{"alg":"RS256","kid":"x"}`))+".e30.AAAA", "15000 AAAA")
}

// orderCases are T58: of several faults the first is told.
func orderCases(k keyring, c *collection) {
	f := idTokenFamily()
	f.add(k, c, "T58",
		token{name: "expired and forged", expect: "signature", about: "expired, and signed by the attacker", key: "rsa-2", claims: []any{"exp", 1}},
		token{name: "another issuer and forged", expect: "signature", about: "another issuer's, and signed by the attacker", key: "rsa-2", claims: []any{"iss", "https://attacker.example"}},
		token{name: "claims twice and forged", expect: "signature", about: "claims that are not strict, and signed by the attacker", key: "rsa-2", claimsText: f.claimsText(`,"sub":"x"`)},
		token{name: "expired and unknown key", expect: "key", about: "expired, and of an unknown key", header: []any{"kid", "x"}, claims: []any{"exp", 1}},
		token{name: "alg none and expired", expect: "header", about: "alg none, and expired", header: []any{"alg", "none"}, alg: "RS256", claims: []any{"exp", 1}},
		token{name: "another issuer and expired", expect: "iss", about: "another issuer's, and expired", claims: []any{"iss", "https://attacker.example", "exp", 1}},
		token{name: "another audience and expired", expect: "aud", about: "for another client, and expired", claims: []any{"aud", "client-2", "exp", 1}},
		token{name: "expired and nonce of another", expect: "exp", about: "expired, and of another login", claims: []any{"exp", 1, "nonce", "x"}},
		token{name: "everything wrong", expect: "signature", about: "every claim wrong, and signed by the attacker", key: "rsa-2", claimsText: `{"iss":1,"aud":2,"azp":3,"exp":"4","nbf":"5","iat":"6","sub":7,"nonce":8,"acr":9}`},
		token{name: "every claim wrong", expect: "iss", about: "every claim wrong, and signed by the provider", claimsText: `{"iss":1,"aud":2,"azp":3,"exp":"4","nbf":"5","iat":"6","sub":7,"nonce":8,"acr":9}`},
	)
	f.add(k, c, "T59",
		token{name: "no issuer configured", expect: "config", about: "no issuer is configured, and iss is empty", claims: []any{"iss", ""}, fields: []string{"unset: issuer"}},
		token{name: "no client configured", expect: "config", about: "no client is configured, and aud is empty", claims: []any{"aud", ""}, fields: []string{"unset: client"}},
		token{name: "no keys configured", expect: "config", about: "no keys are configured", fields: []string{"unset: keys"}},
		token{name: "no algorithm configured", expect: "config", about: "an empty list of algorithms is configured", fields: []string{"unset: algorithms"}},
		token{name: "unknown algorithm configured", expect: "config", about: "an algorithm is configured that nobody knows", fields: []string{"algorithms: RS256 XS256"}},
	)
}
