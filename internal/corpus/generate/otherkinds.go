package main

import "strings"

// sharedCases are what all kinds of tokens have in common before their claims
// are read, and of the claims that they share.
func (f family) sharedCases(k keyring, c *collection, class string) {
	f.add(k, c, class,
		token{name: "good", about: "a good one"},
		token{name: "typ JWT", about: "typ is JWT", header: []any{"typ", "JWT"}},
		token{name: "typ missing", about: "there is no typ", header: []any{"typ", gone{}}},
		token{name: "too long", expect: "size", about: "a signature longer than a token may be", change: func(s string) string { return s + strings.Repeat("A", 64<<10) }},
		token{name: "unsigned", expect: "shape", about: "the signature is missing", change: unsigned},
		token{name: "alg none unsigned", expect: "shape", about: "alg is none, and there is no signature", header: []any{"alg", "none"}, alg: "RS256", change: unsigned},
		token{name: "alg none", expect: "header", about: "alg is none, and there is a signature", header: []any{"alg", "none"}, alg: "RS256"},
		token{name: "alg another", expect: "header", about: "signed by the right key with RS512, where RS256 is agreed", header: []any{"alg", "RS512"}},
		token{name: "HS256 with public key", expect: "header", about: "HS256 with the public key as its secret", header: []any{"alg", "HS256"}, alg: "RS256", change: func(s string) string {
			input := strings.TrimSuffix(unsigned(s), ".")
			return input + "." + encode(hmac256([]byte(k.forms("rsa-1")[0].text), input))
		}},
		token{name: "alg missing", expect: "header", about: "the header has no alg", header: []any{"alg", gone{}}, alg: "RS256"},
		token{name: "kid number", expect: "header", about: "kid is a number", header: []any{"kid", 1}},
		token{name: "header with text behind", expect: "shape", about: "there is text behind the header", headerText: toJSON(f.header) + "x"},
		token{name: "header padded", expect: "shape", about: "padding behind the header", change: func(s string) string { return strings.Replace(s, ".", "=.", 1) }},
		token{name: "crit", expect: "header", about: "crit names an unknown member", header: []any{"crit", []string{"x"}, "x", 1}},
		token{name: "access token", expect: "header", about: "typ is an access token's", header: []any{"typ", "at+jwt"}},
		token{name: "kid unknown", expect: "key", about: "kid names no key", header: []any{"kid", "x"}},
		token{name: "another key", expect: "signature", about: "signed by the attacker", key: "rsa-2"},
		token{name: "another key in jwk", expect: "signature", about: "signed by the attacker, whose key the header carries", header: []any{"jwk", k.public("rsa-2")}, key: "rsa-2"},
		token{name: "flipped", expect: "signature", about: "one bit of the claims is another", change: flip(1)},
		token{name: "sub twice", expect: "shape", about: "sub is there twice", claimsText: f.claimsText(`,"sub":"mallory-000001","sub":"` + subject + `"`)},
		token{name: "SUB beside sub", expect: "shape", about: "a claim differs from sub in letter case alone", claimsText: f.claimsText(`,"SUB":"mallory-000001"`)},
		token{name: "text behind", expect: "shape", about: "there is text behind the claims", claimsText: toJSON(f.claims) + "{}"},
		token{name: "claims array", expect: "shape", about: "the claims are an array", claimsText: "[]"},
		token{name: "JWE", expect: "shape", about: "it is encrypted, and not signed", change: func(string) string { return encrypted(`{"alg":"dir","enc":"A256GCM"}`, nil, toJSON(f.claims)) }},
	)
}

// timesWherePresent are exp, nbf and iat of tokens that need not have them all.
func (f family) timesWherePresent(k keyring, c *collection, class string) {
	f.add(k, c, class,
		one("exp", "passed", "exp", "expired the leeway ago", now-30),
		one("exp", "29 seconds ago", "ok", "expired less than the leeway ago", now-29),
		one("nbf", "ahead", "nbf", "nbf is ahead by more than the leeway", now+31),
		one("nbf", "30 seconds ahead", "ok", "nbf is ahead by the leeway", now+30),
		one("iat", "ahead", "iat", "issued in the future by more than the leeway", now+31),
		one("iat", "30 seconds ahead", "ok", "issued in the future by the leeway", now+30))
	for _, claim := range []string{"exp", "nbf", "iat"} {
		for name, value := range map[string]any{"string": "1790000000", "negative": -1, "1e400": notTimes()["1e400"], "array": []int{now}, "true": true} {
			f.add(k, c, class, one(claim, name, claim, claim+" is no time: "+name, value))
		}
	}
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutCases are T39.
func logoutCases(k keyring, c *collection) {
	f := family{kind: "logout_token", header: object{"alg": "RS256", "kid": "rsa-1", "typ": "logout+jwt"}}
	f.claims = object{
		"iss": issuer, "aud": client, "sub": subject, "sid": "session-000001", "iat": now, "exp": now + 120, "jti": "logout-000001", "events": object{logoutEvent: object{}},
	}
	const class = "T39"
	f.sharedCases(k, c, class)
	f.timesWherePresent(k, c, class)
	for name, value := range map[string]any{"missing": gone{}, "null": nil, "another": object{"http://attacker.example/event": object{}}, "array": []string{logoutEvent}, "string": logoutEvent, "empty": object{}, "value null": object{logoutEvent: nil}, "value true": object{logoutEvent: true}, "value string": object{logoutEvent: ""}, "other case": object{strings.ToUpper(logoutEvent): object{}}, "with slash": object{logoutEvent + "/": object{}}} {
		f.add(k, c, class, one("events", name, "event", "events has no logout: "+name, value))
	}
	for name, value := range map[string]any{"missing": gone{}, "with 1": issuer + "1", "with slash": issuer + "/", "array": []string{issuer}} {
		f.add(k, c, class, one("iss", name, "iss", "iss is another: "+name, value))
	}
	for name, value := range map[string]any{"missing": gone{}, "another": "client-2", "with another": []string{client, "client-2"}, "number": 1} {
		f.add(k, c, class, one("aud", name, "aud", "aud is not this client alone: "+name, value))
	}
	for name, value := range map[string]any{"there": nonce, "null": nil, "empty": ""} {
		f.add(k, c, class, one("nonce", name, "nonce", "a logout token has no nonce: "+name, value))
	}
	for name, value := range map[string]any{"missing": gone{}, "null": nil, "empty": "", "number": 1, "256 bytes": strings.Repeat("j", 256)} {
		f.add(k, c, class, one("jti", name, "profile", "jti does not tell a replay: "+name, value))
	}
	id := idTokenFamily()
	f.add(k, c, class,
		one("aud", "array of one", "ok", "aud is an array of this client alone", []string{client}),
		one("sid", "missing", "ok", "all sessions of sub have ended", gone{}),
		one("sub", "missing", "ok", "the session sid has ended", gone{}),
		token{name: "neither sub nor sid", expect: "sub", about: "nobody's session has ended", claims: []any{"sub", gone{}, "sid", gone{}}},
		token{name: "sub and sid empty", expect: "sub", about: "sub and sid are empty", claims: []any{"sub", "", "sid", ""}},
		one("sub", "number", "sub", "sub is a number", 1),
		one("sub", "256 bytes", "sub", "sub is too long", strings.Repeat("s", 256)),
		one("sid", "number", "sub", "sid is a number", 1),
		one("sid", "256 bytes", "sub", "sid is too long", strings.Repeat("s", 256)),
		one("iat", "missing", "iat", "there is no iat", gone{}),
		one("iat", "null", "iat", "iat is null", nil),
		token{name: "old without exp", expect: "iat", about: "no exp, and issued two minutes and the leeway ago", claims: []any{"exp", gone{}, "iat", now - 150}},
		token{name: "young without exp", about: "no exp, and issued within two minutes and the leeway", claims: []any{"exp", gone{}, "iat", now - 149}},
		token{name: "event beside another", about: "there is another event beside", claims: []any{"events", object{logoutEvent: object{}, "http://other.example/event": object{}}}},
		token{name: "event with members", about: "the event has members", claims: []any{"events", object{logoutEvent: object{"x": 1}}}},
		token{name: "event twice", expect: "shape", about: "the event is there twice", claimsText: strings.Replace(toJSON(f.claims), `"`+logoutEvent+`":{}`, `"`+logoutEvent+`":{},"`+logoutEvent+`":{}`, 1)},
		token{name: "ID token", expect: "event", about: "an ID token without nonce", header: []any{"typ", gone{}}, claimsText: toJSON(with(id.claims, "nonce", gone{}))},
		token{name: "ID token with nonce", expect: "event", about: "an ID token", header: []any{"typ", "JWT"}, claimsText: toJSON(id.claims)},
		token{name: "security event", expect: "header", about: "typ is another security event's", header: []any{"typ", "secevent+jwt"}},
		token{name: "typ media type", about: "typ is the whole media type", header: []any{"typ", "application/logout+jwt"}},
	)
	id.add(k, c, class,
		token{name: "logout token as ID token", expect: "header", about: "a logout token where an ID token belongs", header: []any{"typ", "logout+jwt"}, claimsText: toJSON(f.claims)},
		token{name: "logout token as ID token, no nonce sent", expect: "event", about: "a logout token without typ where an ID token without nonce belongs", claimsText: toJSON(f.claims), fields: []string{"unset: nonce"}},
		token{name: "another event in an ID token", about: "an ID token with the event of something else", claims: []any{"events", object{"http://other.example/event": object{}}}},
		token{name: "logout token without typ as ID token", expect: "nonce", about: "a logout token without typ where an ID token belongs", claimsText: toJSON(f.claims)})
}

func userinfoFamily() family {
	return family{
		"userinfo",
		object{"alg": "RS256", "kid": "rsa-1"},
		object{"iss": issuer, "aud": client, "sub": subject, "email": "person@example.org", "email_verified": true},
		[]string{"subject: " + subject, "userinfo-issuer: " + issuer},
	}
}

// userinfoCases are T23 for signed userinfo.
func userinfoCases(k keyring, c *collection) {
	f := userinfoFamily()
	const class = "T23"
	f.sharedCases(k, c, class)
	f.timesWherePresent(k, c, class)
	for name, value := range map[string]any{"missing": gone{}, "null": nil, "with slash": issuer + "/", "another": "https://attacker.example", "array": []string{issuer}, "empty": ""} {
		f.add(k, c, class, one("iss", name, "iss", "iss is another: "+name, value))
	}
	for name, value := range map[string]any{"another": "client-2", "array of another": []string{"client-2"}, "empty": "", "empty array": []string{}, "number": 1, "nested": []any{[]string{client}}} {
		f.add(k, c, class, one("aud", name, "aud", "aud has not this client: "+name, value))
	}
	for name, value := range map[string]any{"another": "subject-000002", "missing": gone{}, "null": nil, "empty": "", "prefix": subject[:len(subject)-1], "longer": subject + "1", "other case": strings.ToUpper(subject), "array": []string{subject}, "number": 1} {
		f.add(k, c, class, one("sub", name, "sub", "userinfo is about another than the ID token: "+name, value))
	}
	f.add(k, c, class,
		one("aud", "missing", "ok", "there is no aud", gone{}),
		one("aud", "with another", "ok", "aud has another client too", []string{client, "client-2"}),
		one("iss", "of the endpoint", "ok", "iss is the name of the userinfo endpoint", "https://userinfo.example", "userinfo-issuer: https://op.example https://userinfo.example"),
		token{name: "no subject expected", expect: "sub", about: "the ID token's subject was not given, and sub is empty", claims: []any{"sub", ""}, fields: []string{"subject: -"}},
		token{name: "ID token of another", expect: "sub", about: "an ID token of another person", claimsText: toJSON(with(idTokenFamily().claims, "sub", "subject-000002"))},
		token{name: "logout token", expect: "header", about: "a logout token", header: []any{"typ", "logout+jwt"}},
		token{name: "no issuer expected", expect: "iss", about: "no issuer was given, and iss is empty", claims: []any{"iss", ""}, fields: []string{"userinfo-issuer: -"}})
}

// emailCases are T26: whether an address was verified is true or false and
// nothing that looks like it.
func emailCases(k keyring, c *collection) {
	f := userinfoFamily()
	for name, value := range map[string]any{"true in a string": "true", "false in a string": "false", "one": 1, "zero": 0, "array": []bool{true}, "object": object{}, "empty": ""} {
		f.add(k, c, "T26", one("email_verified", name, "claims", "email_verified is no bool: "+name, value))
	}
	f.add(k, c, "T26",
		one("email_verified", "false", "ok", "email_verified is false", false),
		one("email_verified", "true", "ok", "email_verified is true", true),
		one("email_verified", "null", "ok", "email_verified is null, which is not true", nil),
		one("email_verified", "missing", "ok", "there is no email_verified", gone{}),
		one("Email_Verified", "beside", "ok", "a member that differs in letter case is another", "x"),
		token{name: "email_verified twice", expect: "shape", about: "email_verified is there twice", claimsText: f.claimsText(`,"email_verified":false`)})
}

// legacyCases are T27 for identities that are no ID tokens.
func legacyCases(k keyring, c *collection) {
	f := family{kind: "legacy", header: object{"alg": "RS256", "kid": "rsa-1"}, claims: object{"openid": "person-000001", "email": "person@example.org"}}
	const class = "T27"
	f.sharedCases(k, c, class)
	for name, value := range map[string]any{"of the provider": issuer, "of another": "https://attacker.example", "empty": "", "number": 1} {
		f.add(k, c, class, one("iss", name, "iss", "an ID token, or somebody's, where a legacy identity belongs: iss is there: "+name, value))
	}
	for name, value := range map[string]any{"ours": client, "another": "client-2", "empty array": []string{}} {
		f.add(k, c, class, one("aud", name, "iss", "an ID token, or somebody's, where a legacy identity belongs: aud is there: "+name, value))
	}
	for name, value := range map[string]any{"missing": gone{}, "null": nil, "empty": "", "number": 1, "array": []string{"person-000001"}, "256 bytes": strings.Repeat("p", 256)} {
		f.add(k, c, class, one("openid", name, "sub", "nobody is identified: "+name, value))
	}
	f.add(k, c, class,
		one("openid", "255 bytes", "ok", "the identifier is as long as it may be", strings.Repeat("p", 255)),
		one("uid", "as member", "ok", "another member identifies the person", "person-000001", "subject-member: uid"),
		one("uid", "as member missing", "sub", "another member identifies the person, and is not there", gone{}, "subject-member: uid"),
		token{name: "no issuer configured", expect: "config", about: "no issuer is configured"}.with("unset: issuer"),
		token{name: "no keys configured", expect: "config", about: "no keys are configured, and nobody asked to believe without"}.with("unset: keys"),
		token{name: "ES256", expect: "header", about: "signed by another published key", header: es256(), key: "ec-1"},
		token{name: "ID token", expect: "iss", about: "an ID token", claimsText: toJSON(idTokenFamily().claims)},
		token{name: "openid twice", expect: "shape", about: "the identifier is there twice", claimsText: f.claimsText(`,"openid":"mallory-000001"`)})
}
