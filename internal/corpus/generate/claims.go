package main

import "strings"

// one makes a case that differs in one claim.
func one(claim, name, expect, about string, value any, fields ...string) token {
	return token{name: claim + " " + name, expect: expect, about: about, claims: []any{claim, value}, fields: fields}
}

// issuerCases are T20.
func issuerCases(k keyring, c *collection) {
	f := idTokenFamily()
	for name, value := range map[string]any{
		"with 1": issuer + "1", "with slash": issuer + "/", "with path": issuer + "/op", "with port": issuer + ":443", "with query": issuer + "?", "with fragment": issuer + "#",
		"with blank": issuer + " ", "with blank before": " " + issuer, "with line break": issuer + "\n", "with NUL": issuer + "\x00", "prefix": issuer[:len(issuer)-1], "suffix": strings.TrimPrefix(issuer, "https://"),
		"upper case": strings.ToUpper(issuer), "host in upper case": "https://OP.example", "http": "http://op.example", "subdomain": "https://evil.op.example", "with user": "https://op.example@evil.example",
		"trailing dot": "https://op.example.", "look-alike": "https://оp.example", "full width": "https://op.ｅxample", "zero width": "https://op.\u200bexample", "escaped": "https://op%2Eexample",
		"array": []string{issuer}, "object": object{issuer: issuer}, "number": 1, "true": true, "null": nil, "empty": "", "missing": gone{}, "two in one": issuer + " https://other.example",
	} {
		f.add(k, c, "T20", one("iss", name, "iss", "iss is another: "+name, value))
	}
	f.add(k, c, "T20",
		token{name: "iss of another configured", expect: "iss", about: "a good token of the provider, for a client of another issuer", fields: []string{"issuer: https://other.example"}},
		token{name: "iss with slash configured", expect: "iss", about: "the client was configured with a slash at the end", fields: []string{"issuer: " + issuer + "/"}},
		token{name: "iss with escapes", about: "iss is written with escapes, and is the same", claimsText: strings.Replace(toJSON(f.claims), issuer, `\u0068ttps:\/\/op.example`, 1)},
	)
}

// audienceCases are T21.
func audienceCases(k keyring, c *collection) {
	f := idTokenFamily()
	const other = "client-2"
	for name, value := range map[string]any{
		"missing": gone{}, "null": nil, "empty": "", "another": other, "prefix": client[:len(client)-1], "longer": client + "0", "other case": "Client-1", "with blank": client + " ",
		"number": 1, "true": true, "object": object{client: client}, "empty array": []string{}, "array of another": []string{other}, "array of two": []string{client, other}, "array of two turned": []string{other, client},
		"nested": []any{[]string{client}}, "array with number": []any{client, 1}, "array with null": []any{client, nil}, "array of null": []any{nil}, "array with empty": []string{client, ""}, "array with object": []any{client, object{}},
		"list with comma": client + "," + other, "list with blank": client + " " + other, "star": "*", "JSON in a string": `["` + client + `"]`, "issuer": issuer,
	} {
		f.add(k, c, "T21", one("aud", name, "aud", "aud is not this client alone: "+name, value))
	}
	trusted := "trusted-audience: api"
	f.add(k, c, "T21",
		one("aud", "array of one", "ok", "aud is an array of this client alone", []string{client}),
		one("aud", "array of same twice", "ok", "aud has this client twice and nobody else", []string{client, client}),
		one("aud", "with trusted", "ok", "aud has a second party that is trusted", []string{client, "api"}, trusted),
		one("aud", "trusted alone", "aud", "aud has a trusted party and not this client", []string{"api"}, trusted),
		one("aud", "with trusted and another", "aud", "aud has a third party that is not trusted", []string{client, "api", other}, trusted),
		one("aud", "single array", "aud", "aud is an array, where the profile demands one string", []string{client}, "single-audience: yes"),
		one("aud", "single string", "ok", "aud is one string, as the profile demands", client, "single-audience: yes"),
		token{name: "aud two and azp ours", expect: "aud", about: "azp is this client, which excuses nobody else in aud", claims: []any{"aud", []string{client, other}, "azp", client}},
		one("azp", "ours", "ok", "azp is this client", client),
		one("azp", "null", "ok", "azp is null, as if there were none", nil),
		token{name: "azp ours with array", about: "aud is an array of this client, azp is this client", claims: []any{"aud", []string{client}, "azp", client}},
		token{name: "azp another with array", expect: "azp", about: "aud is an array of this client, azp is another", claims: []any{"aud", []string{client}, "azp", other}},
		token{name: "azp another with trusted", expect: "azp", about: "azp is the trusted party in aud", claims: []any{"aud", []string{client, "api"}, "azp", "api"}, fields: []string{trusted}},
	)
	for name, value := range map[string]any{"another": other, "longer": client + "1", "other case": "CLIENT-1", "empty": "", "number": 1, "array": []string{client}, "object": object{}, "false": false} {
		f.add(k, c, "T21", one("azp", name, "azp", "azp is not this client: "+name, value))
	}
}

// subjectCases are T23.
func subjectCases(k keyring, c *collection) {
	f := idTokenFamily()
	for name, value := range map[string]any{
		"missing": gone{}, "null": nil, "empty": "", "number": 7, "true": true, "array": []string{subject}, "object": object{}, "256 bytes": strings.Repeat("s", 256), "256 bytes of 128 letters": strings.Repeat("é", 128),
	} {
		f.add(k, c, "T23", one("sub", name, "sub", "sub is no identifier: "+name, value))
	}
	f.add(k, c, "T23",
		one("sub", "255 bytes", "ok", "sub is as long as it may be", strings.Repeat("s", 255)),
		one("sub", "one byte", "ok", "sub is one byte", "0"))
}

// nonceCases are T24.
func nonceCases(k keyring, c *collection) {
	f := idTokenFamily()
	for name, value := range map[string]any{
		"missing": gone{}, "null": nil, "empty": "", "another": "nonce-of-another-login", "prefix": nonce[:8], "longer": nonce + "1", "other case": strings.ToUpper(nonce), "with blank": nonce + " ",
		"array": []string{nonce}, "object": object{nonce: nonce}, "number": 1, "true": true,
	} {
		f.add(k, c, "T24", one("nonce", name, "nonce", "the nonce is not the one that was sent: "+name, value))
	}
	const none = "nonce: -"
	f.add(k, c, "T24",
		one("nonce", "none sent none there", "ok", "no nonce was sent, and there is none", gone{}, none),
		one("nonce", "none sent null there", "ok", "no nonce was sent, and it is null", nil, none),
		one("nonce", "none sent one there", "nonce", "no nonce was sent, and there is one: another login's token", nonce, none),
		one("nonce", "none sent empty there", "nonce", "no nonce was sent, and there is an empty one", "", none),
		one("nonce", "none sent number there", "nonce", "no nonce was sent, and there is a number", 0, none))
}

// contextCases are what else a login may demand: authentication and profile.
func contextCases(k keyring, c *collection) {
	f := idTokenFamily()
	f.add(k, c, "T27",
		one("acr", "equal", "ok", "acr is the one demanded", "substantial", "min-acr: substantial"),
		one("acr", "higher", "ok", "acr is higher than the one demanded", "high", "min-acr: substantial", "acr-order: low substantial high"),
		one("acr", "lower", "acr", "acr is lower than the one demanded", "low", "min-acr: substantial", "acr-order: low substantial high"),
		one("acr", "higher without order", "acr", "acr is another than the one demanded, and no order is known", "high", "min-acr: substantial"),
		one("acr", "unknown", "acr", "acr is in no order", "highest", "min-acr: low", "acr-order: low substantial high"),
		one("acr", "missing", "acr", "an acr was demanded, and there is none", gone{}, "min-acr: low"),
		one("acr", "null", "acr", "an acr was demanded, and it is null", nil, "min-acr: low"),
		one("acr", "empty", "acr", "an acr was demanded, and it is empty", "", "min-acr: low"),
		one("acr", "array", "acr", "acr is an array", []string{"low"}, "min-acr: low"),
		one("acr", "number not demanded", "acr", "acr is a number, and none was demanded", 0),
		one("acr", "not demanded", "ok", "acr is there, and none was demanded", "0"),
		one("jti", "required", "ok", "the profile demands jti, and it is there", "1", "required: jti"),
		one("jti", "required missing", "profile", "the profile demands jti", gone{}, "required: jti"),
		one("jti", "required null", "profile", "the profile demands jti, and it is null", nil, "required: jti"),
		token{name: "lifetime exact", about: "the token lives as long as the profile says", fields: []string{"lifetime: 300"}},
		token{name: "lifetime a second less", expect: "profile", about: "the token lives a second less than the profile says", fields: []string{"lifetime: 301"}},
		token{name: "lifetime a second more", expect: "profile", about: "the token lives a second more than the profile says", fields: []string{"lifetime: 299"}},
		token{name: "lifetime as long as allowed", about: "the token lives as long as the profile allows", fields: []string{"max-lifetime: 300"}},
		token{name: "lifetime too long", expect: "profile", about: "the token lives a second longer than the profile allows", fields: []string{"max-lifetime: 299"}},
		token{name: "claims empty", expect: "iss", about: "there is no claim at all", claimsText: "{}"},
		token{name: "claims missing", expect: "shape", about: "the payload is empty", change: func(s string) string {
			input := s[:strings.Index(s, ".")] + "."
			return input + "." + encode(signature(k["rsa-1"], "RS256", input))
		}},
		token{name: "access token with typ", expect: "header", about: "an access token as RFC 9068 writes it", header: []any{"typ", "at+jwt"}, claims: []any{"client_id", client, "scope", "openid", "jti", "1", "nonce", gone{}}},
		token{name: "access token for an API", expect: "aud", about: "an access token without typ, for an API", claims: []any{"aud", "https://api.example", "client_id", client, "azp", client, "scope", "openid", "nonce", gone{}}},
		token{name: "access token for us", expect: "nonce", about: "an access token without typ, for this client", claims: []any{"client_id", client, "azp", client, "scope", "openid", "nonce", gone{}}},
	)
	for name, text := range map[string]string{"null": "null", "array": "[]", "string": `"{}"`, "number": "1", "true": "true", "array of claims": "[" + toJSON(f.claims) + "]"} {
		f.add(k, c, "T27", token{name: "claims " + name, expect: "shape", about: "the claims are no object: " + name, claimsText: text})
	}
}

// refreshCases are T37: a refreshed token that is about another login.
func refreshCases(k keyring, c *collection) {
	f := idTokenFamily()
	first := with(f.claims, "auth_time", now-1000, "iat", now-1000, "exp", now-700)
	original := func(pairs ...any) string {
		return "original: " + compact(k["rsa-1"], "RS256", toJSON(f.header), toJSON(with(first, pairs...)))
	}
	f.fields = []string{original()}
	f.claims = with(f.claims, "nonce", gone{}, "auth_time", now-1000)
	f.add(k, c, "T37",
		token{name: "refreshed", about: "a refreshed token of the same login"},
		one("nonce", "of the refreshed", "ok", "a refreshed token with the nonce of the first", nonce),
		one("nonce", "of another in refreshed", "nonce", "a refreshed token with another nonce", "nonce-of-another-login"),
		one("auth_time", "missing in refreshed", "ok", "a refreshed token without auth_time", gone{}),
		one("auth_time", "of another in refreshed", "refresh", "a refreshed token of a later authentication", now-10),
		one("iss", "another in refreshed", "iss", "a refreshed token of another issuer", "https://other.example"),
		one("sub", "of another in refreshed", "refresh", "a refreshed token of another person", "subject-000002"),
		one("aud", "as array in refreshed", "ok", "a refreshed token whose aud is written as an array", []string{client}),
		one("aud", "wider in refreshed", "refresh", "a refreshed token with another audience", []string{client, "api"}, "trusted-audience: api"),
		one("azp", "new in refreshed", "refresh", "a refreshed token with azp, which the first had not", client),
		token{name: "iss of the first another", expect: "refresh", about: "the first token was another provider's", fields: []string{original("iss", "https://other.example")}},
		token{name: "azp of the first lost", expect: "refresh", about: "a refreshed token without azp, which the first had", fields: []string{original("azp", client)}},
		token{name: "nonce where the first had none", expect: "nonce", about: "a refreshed token with a nonce, which the first had not", claims: []any{"nonce", nonce}, fields: []string{original("nonce", gone{})}},
	)
}
