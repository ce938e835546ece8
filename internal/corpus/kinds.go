package corpus

// The kinds of tokens and key sets. What their fields mean is written at [Setup].

// untilSubject are the checks that all tokens of a provider have in common.
func untilSubject(more ...string) []string {
	return append(more, "size", "shape", "header", "key", "signature", "iss", "aud", "exp", "nbf", "iat", "sub")
}

// setupFields are those that all kinds of tokens have.
func setupFields(more ...string) []string {
	return append(more,
		"issuer", "client", "now", "skew", "algorithms", "keys", "anchors", "thumbprint", "pem-tail", "secret", "unset",
		"header-members", "single-audience", "string-dates", "max-skew", "trusted-audience")
}

// IDToken is the kind of ID tokens. Expectations are the checks of an ID token,
// and "config": the client can't be made at all.
func IDToken() Kind {
	return Kind{
		Name:   "id_token",
		Expect: untilSubject("config", "azp", "nonce", "at_hash", "c_hash", "s_hash", "auth_time", "acr", "profile", "refresh", "event"),
		Fields: setupFields("nonce", "access-token", "code", "state", "hashes-required", "max-age", "min-acr", "acr-order", "original", "required", "lifetime", "max-lifetime"),
	}
}

// LogoutToken is the kind of logout tokens.
func LogoutToken() Kind {
	return Kind{Name: "logout_token", Expect: untilSubject("nonce", "profile", "event"), Fields: setupFields()}
}

// UserInfo is the kind of signed userinfo answers. The expectation "claims" means
// that the answer is believed, and that email_verified can't be read as a bool.
func UserInfo() Kind {
	return Kind{Name: "userinfo", Expect: untilSubject("claims"), Fields: setupFields("userinfo-issuer", "subject")}
}

// Legacy is the kind of identities that are no ID tokens: JWTs without issuer,
// audience and expiry.
func Legacy() Kind {
	return Kind{
		Name: "legacy", Expect: []string{"config", "size", "shape", "header", "key", "signature", "iss", "sub"},
		Fields: []string{"issuer", "keys", "now", "unset", "subject-member"},
	}
}

// KeySet is the kind of JWK Sets: whether the ID token of the field "token" is
// believed with them, or "refused": nothing can be read from the set.
func KeySet() Kind {
	return Kind{Name: "key_set", Expect: []string{"header", "key", "signature", "refused"}, Fields: append(IDToken().Fields, "token")}
}

// TokenKinds are all of the above.
func TokenKinds() []Kind {
	return []Kind{IDToken(), LogoutToken(), UserInfo(), Legacy(), KeySet()}
}
