package main

// class is a class of mistake that such libraries have made.
type class struct {
	number, about string
	tests         []string // beside the corpus
}

func classes() []class {
	misbehaving := "oidcclient/oidctest/relying TestMisbehavioursEndWhereTheyMust"
	bytesBounded, deadlines := "oidcclient TestAnswersAreBoundedInBytes", "oidcclient TestEveryRequestHasADeadline"
	return []class{
		{"T01", "alg none in any spelling, no signature", []string{misbehaving}},
		{"T02", "HMAC keyed with a published public key in any form", []string{misbehaving}},
		{"T03", "HMAC with an empty or short secret", []string{"idtoken TestNewVerifierRefuses", "internal/jose TestHMAC"}},
		{"T04", "a good signature by an algorithm that was not agreed", nil},
		{"T05", "a key whose kty, crv, use, key_ops or alg contradicts the header", []string{misbehaving}},
		{"T06", "a key in the header: jwk, jku, x5u, x5c", []string{"idtoken TestCertificateChain", "idtoken TestConstraintsOfCAs", "idtoken TestWaysThroughChains", "idtoken TestValidityToTheSecond", "idtoken TestSystemRootsAreNotUsed", "internal/certchain TestAdmit"}},
		{"T07", "crit with an unknown name, b64", nil},
		{"T08", "JSON serialisation, several signatures, unprotected alg", []string{"internal/vectors TestWebSignatures"}},
		{"T09", "signatures flipped, zero, in DER, cut, of another token", []string{"idtoken TestMangledTokens", "internal/vectors TestPublicKeySignatures", "internal/vectors TestHMAC"}},
		{"T10", "a JWE where a JWS was agreed, and the reverse; nested twice", []string{"oidcclient TestEncryptedTokens"}},
		{"T11", "RSA1_5, dir, PBES2, zip, off-curve points in a JWE; padding and tags as oracles", []string{"internal/jwe TestParseRefusesHeaders", "internal/jwe TestParseRefusesAgreements", "internal/jwe TestFailuresGoOn", "internal/jwe TestMangledTokens", "internal/vectors TestWebEncryption"}},
		{"T12", "key sets with unknown, broken, private, symmetric or very many keys", []string{"idtoken TestMangledKeySet", "internal/jwx TestParseKeySetPassesOver", misbehaving}},
		{"T13", "withdrawn keys, storms of key ids, one key id at two issuers", []string{"idtoken TestRemoteKeysRotation", "idtoken TestRemoteKeysCoolDown", "idtoken TestRemoteKeysAge", "idtoken TestKidStormFetchesOncePerCooldown", misbehaving}},
		{"T20", "iss that is nearly right", []string{misbehaving}},
		{"T21", "aud that is missing, another's, ours among others, of another type; azp", []string{misbehaving}},
		{"T22", "exp, iat, nbf missing, of another type, out of bounds, off by a second", []string{misbehaving}},
		{"T23", "sub missing, empty, of another type, too long; userinfo about somebody else", []string{"oidcclient TestUserInfoRefusesAnotherPerson", misbehaving}},
		{"T24", "nonce missing, wrong, of another login, unasked", []string{misbehaving}},
		{"T25", "at_hash, c_hash, s_hash wrong or missing", []string{misbehaving}},
		{"T26", "email_verified that is no bool; addresses that look like others", nil},
		{"T27", "no claims at all; an access token in the place of an ID token", []string{misbehaving}},
		{"T28", "tokens of another purpose; one sealed value in the place of another", []string{"idtoken TestRememberedHeader"}},
		{"T29", "members twice or in other letters, deep nesting, invalid UTF-8, trailing text", []string{"internal/strictjson TestDecodeByExactNames"}},
		{"T30", "state missing, wrong, of another browser, used twice, guessable", []string{"oidcclient TestEntropyOfLogins", misbehaving}},
		{"T31", "very many logins begun", []string{"oidcclient/weblogin TestFloodOfBegunLoginsTakesNoMemory"}},
		{"T32", "a provider without S256; a verifier used twice", []string{"oidcclient TestEntropyOfLogins"}},
		{"T33", "an answer of another issuer, or none where it is promised", []string{misbehaving}},
		{"T34", "return addresses that leave our origin", []string{"oidcclient/weblogin TestReturnToStaysOnOurOrigin"}},
		{"T35", "error texts with markup, line breaks, of a megabyte", nil},
		{"T36", "code and error together, parameters twice, another response mode", []string{misbehaving}},
		{"T37", "a refresh that brings somebody else", []string{"oidcclient TestRefreshRefusesAnotherPerson", misbehaving}},
		{"T38", "cookies without flags, tampered with, swapped, in pieces", []string{"oidcclient TestMangledPending"}},
		{"T39", "logout tokens that are none, replayed, old", []string{"idtoken TestVerifyLogoutToken", "oidcclient/weblogin TestBackChannelLogoutRefusals"}},
		{"T40", "a session that a login does not renew; a callback in another browser", []string{"oidcclient/weblogin TestSessionIDIsNewWithEachLogin"}},
		{"T50", "a provider with the wrong certificate", []string{"oidcclient TestProvidersCertificate"}},
		{"T51", "redirects of anything but the browser", []string{misbehaving}},
		{"T52", "addresses out of claims and metadata", nil},
		{"T53", "answers without end, slow, of another type", []string{bytesBounded, deadlines, "oidcclient TestNothingIsLeftBehind", misbehaving}},
		{"T54", "metadata of another issuer", []string{misbehaving}},
		{"T55", "an assertion for another provider", nil},
		{"T56", "tokens of dots, headers of megabytes", []string{"internal/bench TestForgedAreRefused"}},
		{"T57", "anything at all into each parser", []string{"idtoken FuzzAgainstGoOIDC", "idtoken FuzzBelieved", "internal/jose FuzzParseCompact", "internal/strictjson FuzzParseObject", "internal/jwx FuzzParseKeySet", "internal/certchain FuzzParse", "oidcclient FuzzDiscover", "oidcclient FuzzSealerOpen"}},
		{"T58", "two faults at once", nil},
		{"T59", "an empty configuration", []string{"idtoken TestNewVerifierRefuses"}},
		{"T60", "a path that the middleware and the application read differently", []string{"oidcclient/weblogin TestRequireLooksAtNothingButTheSession"}},
	}
}
