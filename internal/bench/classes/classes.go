package main

// class is a class of mistake that such libraries have made.
type class struct {
	number, about string
	tests         []string // beside the corpus
}

func classes() []class {
	return []class{
		{"T01", "alg none in any spelling, no signature", nil},
		{"T02", "HMAC keyed with a published public key in any form", nil},
		{"T03", "HMAC with an empty or short secret", []string{"idtoken TestNewVerifierRefuses", "internal/jose TestHMAC"}},
		{"T04", "a good signature by an algorithm that was not agreed", nil},
		{"T05", "a key whose kty, crv, use, key_ops or alg contradicts the header", nil},
		{"T06", "a key in the header: jwk, jku, x5u, x5c", []string{"idtoken TestCertificateChain"}},
		{"T07", "crit with an unknown name, b64", nil},
		{"T08", "JSON serialisation, several signatures, unprotected alg", nil},
		{"T09", "signatures flipped, zero, in DER, cut, of another token", []string{"idtoken TestMangledTokens", "internal/vectors (Wycheproof)"}},
		{"T10", "a JWE where a JWS was agreed, nested twice", nil},
		{"T11", "RSA1_5, dir, PBES2, zip, off-curve points in a JWE", []string{"internal/jwx TestEncryptRefuses"}},
		{"T12", "key sets with unknown, broken, private, symmetric or very many keys", []string{"idtoken TestMangledKeySet", "internal/jwx TestParseKeySetPassesOver"}},
		{"T13", "withdrawn keys, storms of key ids, one key id at two issuers", []string{"idtoken TestRemoteKeysRotation", "idtoken TestRemoteKeysCoolDown", "idtoken TestRemoteKeysAge"}},
		{"T20", "iss that is nearly right", nil},
		{"T21", "aud that is missing, another's, ours among others, of another type; azp", nil},
		{"T22", "exp, iat, nbf missing, of another type, out of bounds, off by a second", nil},
		{"T23", "sub missing, empty, of another type, too long; userinfo about somebody else", []string{"oidcclient TestUserInfoRefusesAnotherPerson"}},
		{"T24", "nonce missing, wrong, of another login, unasked", nil},
		{"T25", "at_hash, c_hash, s_hash wrong or missing", nil},
		{"T26", "email_verified that is no bool; addresses that look like others", nil},
		{"T27", "no claims at all; an access token in the place of an ID token", nil},
		{"T28", "tokens of another purpose; one sealed value in the place of another", nil},
		{"T29", "members twice or in other letters, deep nesting, invalid UTF-8, trailing text", []string{"internal/strictjson TestDecodeByExactNames"}},
		{"T30", "state missing, wrong, of another browser, used twice, guessable", nil},
		{"T31", "very many logins begun", nil},
		{"T32", "a provider without S256; a verifier used twice", nil},
		{"T33", "an answer of another issuer, or none where it is promised", nil},
		{"T34", "return addresses that leave our origin", []string{"oidcclient/weblogin TestReturnTo"}},
		{"T35", "error texts with markup, line breaks, of a megabyte", nil},
		{"T36", "code and error together, parameters twice, another response mode", nil},
		{"T37", "a refresh that brings somebody else", []string{"oidcclient TestRefreshRefusesAnotherPerson"}},
		{"T38", "cookies without flags, tampered with, swapped, in pieces", nil},
		{"T39", "logout tokens that are none, replayed, old", nil},
		{"T40", "a session that a login does not renew; a callback in another browser", nil},
		{"T50", "a provider with the wrong certificate", nil},
		{"T51", "redirects of anything but the browser", nil},
		{"T52", "addresses out of claims and metadata", nil},
		{"T53", "answers without end, slow, of another type", nil},
		{"T54", "metadata of another issuer", nil},
		{"T55", "an assertion for another provider", nil},
		{"T56", "tokens of dots, headers of megabytes", nil},
		{"T57", "anything at all into each parser", nil},
		{"T58", "two faults at once", nil},
		{"T59", "an empty configuration", nil},
		{"T60", "a path that the middleware and the application read differently", nil},
	}
}
