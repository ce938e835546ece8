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

// fapi2Settings are all combinations of the suite's plan of the variant's profile.
func (r *rp) fapi2Settings() (out []setting) {
	profile := oidcclient.FAPI2Security
	if r.variant == signed {
		profile = oidcclient.FAPI2MessageSigning
	}
	for _, auth := range []string{"private_key_jwt", "self_signed_tls_client_auth"} {
		for _, dpop := range []bool{true, false} {
			out = append(out, setting{profile: profile, auth: auth, pushed: true, dpop: dpop, nonces: dpop})
		}
	}
	return out
}

// fapi2 makes the relying party one of FAPI 2.0: of Message Signing where responses
// are signed, otherwise of the Security Profile.
func (r *rp) fapi2() { r.fapi(r.fapi2Settings()[0]) }

// fapi2Unchallenged is fapi2 without nonces in proofs: one try is one token request.
func (r *rp) fapi2Unchallenged() {
	s := r.fapi2Settings()[0]
	s.nonces = false
	r.fapi(s)
}

// fapi2Modules are those of the FAPI 2.0 Security Profile and Message Signing, Final.
func fapi2Modules() []module {
	const prefix = "fapi2-security-profile-final-client-test-"
	plain := variant{"code", "query"}
	both := []variant{plain, signed}
	plays := func(name string, in []variant, run func(*rp)) module {
		return module{prefix + name, in, func(r *rp) {
			r.fapi2()
			run(r)
		}}
	}
	refusesResponse := func(name, check string, in []variant, spoil func(*rp, url.Values)) module {
		return inOAuthToo(plays(name, in, func(r *rp) {
			r.op.Change(Authorize, func(_ *Call, a *Answer) { spoil(r, a.Params) })
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, check, Token, UserInfo, Accounts)
		}))
	}
	unchallenged := func(name string, run func(*rp)) module {
		return module{prefix + name, both, func(r *rp) {
			r.fapi2Unchallenged()
			run(r)
		}}
	}
	return slices.Concat([]module{
		inOAuthToo(module{prefix + "happy-path", both, func(r *rp) {
			inEach(r.fapi2Settings(), func(r *rp) {
				r.finished(r.login())
				r.order(Discovery, Push, Authorize, Token)
				r.order(Token, Accounts)
				r.ownToken()
			})(r)
		}}),
		inOAuthToo(unchallenged("happy-path-no-dpop-nonce", func(r *rp) {
			r.finished(r.login())
			assert.Len(r, r.op.Calls(Token), 1)
			r.ownToken()
			assert.Len(r, r.op.Calls(Token), 2)
		})),
		inOAuthToo(wrongIssuer(prefix+"discovery-issuer-mismatch", both, (*rp).fapi2)),
		plays("valid-aud-as-array", both, func(r *rp) {
			r.op.ChangeJWT(audienceAsArray, CodeToken)
			r.finished(r.login())
		}),
		unchallenged("invalid-nonce", func(r *rp) { r.refusesIDTokens("nonce", more("nonce")) }),
		unchallenged("invalid-missing-nonce", func(r *rp) { r.refusesIDTokens("nonce", without("nonce")) }),
		refusesResponse("invalid-authorization-response-iss", "iss", []variant{plain}, func(r *rp, v url.Values) { v.Set("iss", r.op.Issuer+"1") }),
		refusesResponse("remove-authorization-response-iss", "iss", []variant{plain}, func(_ *rp, v url.Values) { v.Del("iss") }),
		inOAuthToo(plays("ensure-authorization-response-with-invalid-state-fails", both, func(r *rp) {
			r.refusesState(func(state string) string { return state + "1" })
		})),
		inOAuthToo(plays("ensure-authorization-response-with-invalid-missing-state-fails", both, func(r *rp) {
			r.refusesState(func(string) string { return "" })
		})),
		inOAuthToo(plays("token-endpoint-response-without-expires_in", both, func(r *rp) {
			r.leaveOut(Token, "expires_in")
			r.finished(r.login())
		})),
		inOAuthToo(module{prefix + "token-type-case-insensitivity", both, func(r *rp) {
			inEach(r.fapi2Settings(), func(r *rp) {
				r.op.Change(Token, func(_ *Call, a *Answer) {
					if kind, ok := a.Members["token_type"].(string); ok {
						a.Members["token_type"] = strings.ToLower(kind[:1]) + strings.ToUpper(kind[1:])
					}
				})
				r.finished(r.login())
				r.ownToken()
			})(r)
		}}),
		inOAuthToo(unchallenged("rs-dpop-auth-scheme-case-insensitivity", func(r *rp) {
			s := r.accepted(r.login())
			r.op.Change(Accounts, func(c *Call, a *Answer) {
				if len(r.op.Calls(Accounts)) == 1 {
					*a = *challenge("dPoP", refusal(401, "use_dpop_nonce"))
					a.Header.Set("DPoP-Nonce", "nonce-of-the-API")
				}
			})
			assert.Equal(r, 200, r.readAccounts(r.tokens(s)))
			claims, _, _ := ReadProof(r.op.Calls(Accounts)[1].Header.Get("DPoP"))
			assert.Equal(r, "nonce-of-the-API", claims["nonce"])
		})),
		{"fapi2-security-profile-final-client-refresh-token-test", both, func(r *rp) {
			inEach(r.fapi2Settings(), func(r *rp) { r.refreshesTwice(r.accepted(r.login())) })(r)
		}},
	}, identityModules(prefix, both, (*rp).fapi2Unchallenged), jarmModules(prefix))
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
func jarmModules(prefix string) []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return inOAuthToo(module{prefix + "ensure-jarm-" + name, []variant{signed}, func(r *rp) {
			r.fapi2()
			r.op.ChangeJWT(spoil, ResponseToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, check, Token, UserInfo, Accounts)
		}})
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
