package conformance

// idTokenModules are about what an ID token says.
func idTokenModules() []module {
	more := func(claim string) func(*JWT) {
		return func(t *JWT) { t.Claims[claim] = t.Claims[claim].(string) + "1" }
	}
	return []module{
		{"oidcc-client-test-invalid-iss", all(), func(r *rp) { r.refusesIDTokens("iss", more("iss")) }},
	}
}
