package conformance

import "testing"

// more appends to a claim: a comparison of the beginning would not notice.
func more(claim string) func(*JWT) {
	return func(t *JWT) { t.Claims[claim] = t.Claims[claim].(string) + "1" }
}

// set gives a claim another value.
func set(claim string, value any) func(*JWT) {
	return func(t *JWT) { t.Claims[claim] = value }
}

// without leaves a claim out.
func without(claim string) func(*JWT) {
	return func(t *JWT) { delete(t.Claims, claim) }
}

// idTokenModules are about what an ID token says.
func idTokenModules() []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return module{"oidcc-client-test-" + name, all(), func(r *rp) { r.refusesIDTokens(check, spoil) }}
	}
	return []module{
		refuses("invalid-iss", "iss", more("iss")),
		refuses("invalid-aud", "aud", more("aud")),
		refuses("missing-aud", "aud", without("aud")),
		refuses("missing-iat", "iat", without("iat")),
		refuses("missing-sub", "sub", without("sub")),
		refuses("nonce-invalid", "nonce", more("nonce")),
	}
}

// hashModules are about the hashes that bind an ID token to what came with it.
func hashModules() []module {
	inFront := func(name, check string, in []variant, spoil func(*JWT)) module {
		return module{"oidcc-client-test-" + name, in, func(r *rp) {
			r.Run("in front", func(t *testing.T) { r.refusesFront(t, check, spoil) })
		}}
	}
	return []module{
		inFront("invalid-athash", "at_hash", with("id_token", "token"), more("at_hash")),
		inFront("missing-athash", "at_hash", with("id_token", "token"), without("at_hash")),
		inFront("invalid-chash", "c_hash", with("code", "id_token"), more("c_hash")),
		inFront("missing-chash", "c_hash", with("code", "id_token"), without("c_hash")),
	}
}
