package main

import "strings"

// keyHeaderCases are T05 and T06: what a header says about the key.
func keyHeaderCases(k keyring, c *collection) {
	f := idTokenFamily()
	f.add(k, c, "T05",
		token{name: "ES256 with kid of RSA", expect: "key", about: "alg is ES256, kid names an RSA key", header: []any{"alg", "ES256"}, key: "ec-1", fields: []string{"algorithms: ES256"}},
		token{name: "RS256 with kid of EC", expect: "key", about: "alg is RS256, kid names an EC key", header: []any{"kid", "ec-1"}},
		token{name: "ES384 with kid of P-256", expect: "key", about: "alg is ES384, kid names a P-256 key", header: []any{"alg", "ES384", "kid", "ec-1"}, key: "ec-384", fields: []string{"algorithms: ES384"}},
		token{name: "ES256 with kid of P-384", expect: "key", about: "alg is ES256, kid names a P-384 key that signed it so", header: []any{"alg", "ES256", "kid", "ec-384"}, key: "ec-384", fields: []string{"algorithms: ES256"}},
		token{name: "EdDSA with kid of RSA", expect: "key", about: "alg is EdDSA, kid names an RSA key", header: []any{"alg", "EdDSA"}, key: "ed-1", fields: []string{"algorithms: EdDSA"}},
		token{name: "kid unknown", expect: "key", about: "kid names no key, and the provider's key signed", header: []any{"kid", "rsa-3"}},
		token{name: "kid other case", expect: "key", about: "kid in other letters", header: []any{"kid", "RSA-1"}},
		token{name: "kid empty", about: "kid is empty, as if there were none, and one key fits", header: []any{"kid", ""}},
		token{name: "kid null", about: "kid is null, as if there were none, and one key fits", header: []any{"kid", nil}},
		token{name: "kid missing", about: "there is no kid, and one key fits", header: []any{"kid", gone{}}},
		token{name: "kid number", expect: "header", about: "kid is a number", header: []any{"kid", 1}},
		token{name: "kid array", expect: "header", about: "kid is an array", header: []any{"kid", []string{"rsa-1"}}},
		token{name: "kid path", expect: "key", about: "kid is a path to a file whose content is known", header: []any{"kid", "../../../../dev/null"}},
		token{name: "kid query", expect: "key", about: "kid is a piece of SQL", header: []any{"kid", "x' UNION SELECT 'rsa-1"}},
	)
	own := k.public("rsa-2", "kid", "rsa-1")
	const at = "https://attacker.example/keys"
	x5c := []string{toBase64(string(selfSigned(k["rsa-2"])))}
	for name, members := range map[string][]any{
		"jwk": {"jwk", own}, "jku": {"jku", at}, "x5u": {"x5u", at}, "x5c": {"x5c", x5c},
		"all": {"jwk", own, "jku", at, "x5u", at, "x5c", x5c},
	} {
		with := func(kid any) []any { return append([]any{"kid", kid}, members...) }
		f.add(k, c, "T06",
			token{name: name + " of attacker", expect: "signature", about: "signed by the attacker, whose key the header carries or points at; kid is the provider's", header: with("rsa-1"), key: "rsa-2"},
			token{name: name + " of attacker own kid", expect: "key", about: "signed by the attacker, whose key the header carries or points at; kid is the attacker's", header: with("rsa-2"), key: "rsa-2"},
			token{name: name + " of attacker no kid", expect: "signature", about: "signed by the attacker, whose key the header carries or points at; no kid", header: with(gone{}), key: "rsa-2"},
			token{name: name + " beside good signature", about: "the header carries or points at another key, and the provider's signed", header: with("rsa-1")})
	}
	f.add(k, c, "T06",
		token{name: "jwk null", about: "jwk is null, and the provider's key signed", header: []any{"jwk", nil}},
		token{name: "jwk secret", expect: "header", about: "HS256 with a secret that the header carries", header: []any{"alg", "HS256", "jwk", object{"kty": "oct", "k": encode([]byte(strings.Repeat("k", 32)))}}, alg: "RS256",
			change: func(text string) string {
				input := strings.TrimSuffix(unsigned(text), ".")
				return input + "." + encode(hmac256([]byte(strings.Repeat("k", 32)), input))
			}})
}

// criticalCases are T07, T08 and T28: members of a header that change what the
// token is.
func criticalCases(k keyring, c *collection) {
	f := idTokenFamily()
	for name, value := range map[string]any{
		"unknown": []string{"http://attacker.example/extension"}, "empty": []string{}, "null": nil, "known": []string{"exp"}, "string": "exp", "b64": []string{"b64"},
	} {
		f.add(k, c, "T07", token{name: "crit " + name, expect: "header", about: "crit is there: " + name, header: []any{"crit", value}})
	}
	f.add(k, c, "T07",
		token{name: "crit with its member", expect: "header", about: "crit names a member that is there", header: []any{"crit", []string{"x"}, "x", 1}},
		token{name: "b64 false", expect: "header", about: "b64 is false, and the payload is encoded all the same", header: []any{"b64", false}},
		token{name: "b64 false in crit", expect: "header", about: "b64 is false and critical", header: []any{"b64", false, "crit", []string{"b64"}}},
		token{name: "b64 true", expect: "header", about: "b64 is true, as it is without it", header: []any{"b64", true}},
		token{name: "payload as it is", expect: "shape", about: "b64 is false, and the payload is not encoded", change: func(string) string {
			input := encode([]byte(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"rsa-1"}`)) + "." + toJSON(f.claims)
			return input + "." + encode(signature(k["rsa-1"], "RS256", input))
		}},
		token{name: "payload detached", expect: "signature", about: "the payload is left out of a signed token", change: func(s string) string { parts := strings.Split(s, "."); return parts[0] + ".." + parts[2] }},
		token{name: "unknown member", about: "the header has an unknown member", header: []any{"x", object{"y": 1}}},
	)
	for _, typ := range []string{
		"at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "Logout+JWT", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt", "client-authentication+jwt",
		"token-introspection+jwt", "JOSE", "JOSE+JSON", "JWT ", "jwt;x=1", "application/application/jwt", "text/jwt", "application/", "",
	} {
		name := strings.NewReplacer("/", "-", "+", "-", " ", "blank", ";", "-").Replace(typ)
		if strings.ToLower(typ) != typ {
			name += " upper"
		}
		f.add(k, c, "T28", token{name: "typ " + name, expect: "header", about: "a good ID token but for its typ", header: []any{"typ", typ}})
	}
	f.add(k, c, "T28",
		token{name: "typ number", expect: "header", about: "typ is a number", header: []any{"typ", 1}},
		token{name: "typ array", expect: "header", about: "typ is an array", header: []any{"typ", []string{"JWT"}}},
		token{name: "typ JWT", about: "typ is JWT", header: []any{"typ", "JWT"}},
		token{name: "typ jwt in lower case", about: "typ is jwt", header: []any{"typ", "jwt"}},
		token{name: "typ media type", about: "typ is the whole media type", header: []any{"typ", "application/jwt"}},
		token{name: "typ media type in upper case", about: "typ is the whole media type in capitals", header: []any{"typ", "APPLICATION/JWT"}},
	)
}

// fixedHeaderCases are T07 where a profile fixes the header's members.
func fixedHeaderCases(k keyring, c *collection) {
	f := idTokenFamily()
	f.header = object{"alg": "RS256", "typ": "JWT", "kid": "rsa-1"}
	f.fields = append(f.fields, "header-members: alg typ kid")
	f.add(k, c, "T07", token{name: "fixed header", about: "the header has what the profile fixes"})
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "cty", "x"} {
		f.add(k, c, "T07", token{name: "fixed header with " + name, expect: "header", about: "the header has more than the profile fixes", header: []any{name, "https://attacker.example"}})
	}
	f.add(k, c, "T07",
		token{name: "fixed header without typ", expect: "header", about: "the header has less than the profile fixes", header: []any{"typ", gone{}}},
		token{name: "fixed header without kid", expect: "header", about: "the header has less than the profile fixes", header: []any{"kid", gone{}}},
		token{name: "fixed header typ for x", expect: "header", about: "the header has as many members as the profile fixes, one of them another", header: []any{"typ", gone{}, "x", 1}})
}
