package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// fapi2Settings are all combinations of the suite's plans: requests that are signed
// (Message Signing) or not (Security Profile), whether responses are or not; how the
// client authenticates; what binds tokens.
func fapi2Settings() (out []setting) {
	for _, profile := range []oidcclient.FAPI{oidcclient.FAPI2Security, oidcclient.FAPI2MessageSigning} {
		for _, auth := range []string{"private_key_jwt", "self_signed_tls_client_auth"} {
			for _, dpop := range []bool{true, false} {
				out = append(out, setting{profile: profile, auth: auth, pushed: true, dpop: dpop, nonces: dpop})
			}
		}
	}
	return out
}

// A fapi2Plan is a version of FAPI 2.0 for which the suite has its modules.
type fapi2Plan struct {
	// prefix begins the names of its modules.
	prefix string
	// happy are the settings of its correct provider.
	happy []setting
	// pairs are settings in which any two choices meet, for what is not about them;
	// without nonces, so that one try is one token request.
	pairs []setting
}

// fapi2Plans are the Final version and the one that was the second Implementer's Draft,
// whose modules ask the same. Between them all settings are played.
func fapi2Plans() []fapi2Plan {
	final, second := fapi2Plan{prefix: "fapi2-security-profile-final-client-"}, fapi2Plan{prefix: "fapi2-security-profile-id2-client-"}
	for _, s := range fapi2Settings() {
		odd := (s.profile == oidcclient.FAPI2MessageSigning) != (s.auth == "private_key_jwt") != s.dpop
		if s.nonces = false; odd {
			second.pairs = append(second.pairs, s)
		} else {
			final.pairs = append(final.pairs, s)
		}
	}
	edwards := fapi2Settings()[4]
	edwards.alg = "EdDSA"
	final.happy, second.happy = append(fapi2Settings(), edwards), withNonces(second.pairs)
	return []fapi2Plan{final, second}
}

// plays is a module of the plan in each of its pairs.
func (p fapi2Plan) plays(name string, in []variant, run func(*rp)) module {
	return module{p.prefix + name, in, inEach(p.pairs, run)}
}

// fapi2Modules are those of the FAPI 2.0 Security Profile and Message Signing.
func fapi2Modules() (out []module) {
	for _, plan := range fapi2Plans() {
		out = append(out, plan.flowModules()...)
		out = append(out, plan.responseModules()...)
		out = append(out, identityModules(plan.prefix+"test-", withJARM(), func(run func(*rp)) func(*rp) { return inEach(plan.pairs, run) })...)
		out = append(out, plan.jarmModules()...)
	}
	return out
}

// withJARM are a response in the query and a signed one.
func withJARM() []variant { return []variant{{"code", "query"}, signed} }

// flowModules are about a login that succeeds, and discovery.
func (p fapi2Plan) flowModules() []module {
	each := func(name string, settings []setting, run func(*rp)) module {
		return module{p.prefix + name, withJARM(), inEach(settings, run)}
	}
	return []module{
		inOAuthToo(each("test-happy-path", p.happy, func(r *rp) {
			r.finished(r.login())
			r.order(Discovery, Push, Authorize, Token)
			r.order(Token, Accounts)
			r.ownToken()
		})),
		inOAuthToo(p.plays("test-happy-path-no-dpop-nonce", withJARM(), func(r *rp) {
			r.finished(r.login())
			assert.Len(r, r.op.Calls(Token), 1)
			r.ownToken()
			assert.Len(r, r.op.Calls(Token), 2)
		})),
		inOAuthToo(wrongIssuer(p.prefix+"test-discovery-issuer-mismatch", withJARM(), func(run func(*rp)) func(*rp) { return inEach(p.pairs, run) })),
		p.plays("test-valid-aud-as-array", withJARM(), func(r *rp) {
			r.op.ChangeJWT(audienceAsArray, CodeToken)
			r.finished(r.login())
		}),
		inOAuthToo(p.plays("test-token-endpoint-response-without-expires_in", withJARM(), func(r *rp) {
			r.leaveOut(Token, "expires_in")
			r.finished(r.login())
		})),
		inOAuthToo(p.plays("test-token-type-case-insensitivity", withJARM(), func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) {
				if kind, ok := a.Members["token_type"].(string); ok {
					a.Members["token_type"] = strings.ToLower(kind[:1]) + strings.ToUpper(kind[1:])
				}
			})
			r.finished(r.login())
			r.ownToken()
		})),
		inOAuthToo(each("test-rs-dpop-auth-scheme-case-insensitivity", byProofs(p.pairs), func(r *rp) {
			s := r.accepted(r.login())
			r.op.Change(Accounts, func(c *Call, a *Answer) {
				if len(r.op.Calls(Accounts)) == 1 {
					*a = *challenge("dPoP", refusal(401, "use_dpop_nonce"))
					a.Header.Set("DPoP-Nonce", "nonce-of-the-API")
				}
			})
			assert.Equal(r, 200, r.readAccounts(r.tokens(s)))
			require.Len(r, r.op.Calls(Accounts), 2)
			claims, _, _ := ReadProof(r.op.Calls(Accounts)[1].Header.Get("DPoP"))
			assert.Equal(r, "nonce-of-the-API", claims["nonce"])
		})),
		each("refresh-token-test", withNonces(p.pairs), func(r *rp) { r.refreshesTwice(r.accepted(r.login())) }),
	}
}

// withNonces are the settings with nonces wherever there are proofs.
func withNonces(settings []setting) []setting {
	out := slices.Clone(settings)
	for i := range out {
		out[i].nonces = out[i].dpop
	}
	return out
}

// byProofs are the settings in which proofs bind tokens.
func byProofs(settings []setting) []setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s setting) bool { return !s.dpop })
}

// responseModules are about a response that is refused, or the nonce that came of it.
func (p fapi2Plan) responseModules() []module {
	plain := []variant{{"code", "query"}}
	refuses := func(name, check string, spoil func(*rp, url.Values)) module {
		return inOAuthToo(p.plays("test-"+name, plain, func(r *rp) {
			r.op.Change(Authorize, func(_ *Call, a *Answer) { spoil(r, a.Params) })
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, check, Token, UserInfo, Accounts)
		}))
	}
	return []module{
		p.plays("test-invalid-nonce", withJARM(), func(r *rp) { r.refusesIDTokens("nonce", more("nonce")) }),
		p.plays("test-invalid-missing-nonce", withJARM(), func(r *rp) { r.refusesIDTokens("nonce", without("nonce")) }),
		refuses("invalid-authorization-response-iss", "iss", func(r *rp, v url.Values) { v.Set("iss", r.op.Issuer+"1") }),
		refuses("remove-authorization-response-iss", "iss", func(_ *rp, v url.Values) { v.Del("iss") }),
		inOAuthToo(p.plays("test-ensure-authorization-response-with-invalid-state-fails", withJARM(), func(r *rp) {
			r.refusesState(func(state string) string { return state + "1" })
		})),
		inOAuthToo(p.plays("test-ensure-authorization-response-with-invalid-missing-state-fails", withJARM(), func(r *rp) {
			r.refusesState(func(string) string { return "" })
		})),
	}
}

// ownToken gets an access token of the application itself, and opens the accounts with
// it: the suite's "fapi_client_credentials_grant", of a client that sends nobody
// anywhere, at a provider that could not take it.
func (r *rp) ownToken() {
	r.Helper()
	config := r.config
	config.RedirectURI, config.UserInfo = "", false
	client, err := oidcclient.New(config)
	require.NoError(r, err)
	r.leaveOut(Discovery, "authorization_endpoint", "pushed_authorization_request_endpoint", "response_types_supported", "code_challenge_methods_supported")
	source := &grants.Source{Client: client, Want: grants.Request{Scopes: []string{"accounts"}}}
	api := &http.Client{Transport: client.Transport(source, r.op.URL)}
	answer, err := api.Get(r.op.Issuer + "/accounts")
	require.NoError(r, err)
	defer answer.Body.Close()
	assert.Equal(r, http.StatusOK, answer.StatusCode)
}

// refusesState demands that a response with another state is refused before the code
// is sent. In a signed response it is signed.
func (r *rp) refusesState(spoil func(string) string) {
	r.Helper()
	if r.variant == signed {
		r.op.ChangeJWT(func(t *JWT) {
			if t.Claims["state"] = spoil(t.Claims["state"].(string)); t.Claims["state"] == "" {
				delete(t.Claims, "state")
			}
		}, ResponseToken)
	} else {
		r.op.Change(Authorize, func(_ *Call, a *Answer) {
			if a.Params.Set("state", spoil(a.Params.Get("state"))); a.Params.Get("state") == "" {
				a.Params.Del("state")
			}
		})
	}
	_, err := r.login()
	r.refused(err, oidcclient.StepCallback, "state", Token, UserInfo, Accounts)
}

// jarmModules are about signed responses.
func (p fapi2Plan) jarmModules() []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return inOAuthToo(p.plays("test-ensure-jarm-"+name, []variant{signed}, func(r *rp) {
			r.op.ChangeJWT(spoil, ResponseToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, check, Token, UserInfo, Accounts)
		}))
	}
	return []module{
		refuses("without-iss-fails", "iss", without("iss")),
		refuses("with-invalid-iss-fails", "iss", more("iss")),
		refuses("without-aud-fails", "aud", without("aud")),
		refuses("with-invalid-aud-fails", "aud", more("aud")),
		refuses("without-exp-fails", "exp", without("exp")),
		refuses("with-expired-exp-fails", "exp", func(t *JWT) { t.Claims["exp"] = t.Claims["exp"].(int64) - 3600 }),
		refuses("with-invalid-sig-fails", "signature", broken),
		refuses("signature-is-not-none", "shape", func(t *JWT) { t.Header = map[string]any{"alg": "none"} }),
	}
}
