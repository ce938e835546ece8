package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// detached are the responses with an ID token as their signature, signed those that
// are signed themselves (JARM).
var (
	detached = variant{"code id_token", "fragment"}
	signed   = variant{"code", "jwt"}
)

// fapi1Settings are all combinations of the suite's plan.
func fapi1Settings() (out []setting) {
	for _, auth := range []string{"private_key_jwt", "self_signed_tls_client_auth"} {
		for _, pushed := range []bool{false, true} {
			out = append(out, setting{profile: oidcclient.FAPI1Advanced, auth: auth, pushed: pushed})
		}
	}
	return out
}

// fapi1PS256 are two of them with the other algorithm of the profile.
func fapi1PS256() []setting {
	all := fapi1Settings()
	all[0].alg, all[3].alg = "PS256", "PS256"
	return []setting{all[0], all[3]}
}

// fapi1 makes the relying party one of FAPI 1.0 Advanced.
func (r *rp) fapi1() { r.fapi(fapi1Settings()[0]) }

// fapi1Modules are those of FAPI 1.0 Advanced Final.
func fapi1Modules() []module {
	const prefix = "fapi1-advanced-final-client-test-"
	both, hybrid := []variant{detached, signed}, []variant{detached}
	once := func(run func(*rp)) func(*rp) {
		return func(r *rp) {
			r.fapi1()
			run(r)
		}
	}
	plays := func(name string, in []variant, run func(*rp)) module { return module{prefix + name, in, once(run)} }
	refuses := func(name, check string, in []variant, spoil func(*JWT)) module {
		return plays(name, in, func(r *rp) { r.refusesIDTokens(check, spoil) })
	}
	inFront := func(name, check string, spoil func(*JWT)) module {
		return plays(name, hybrid, func(r *rp) { r.refusesFront(r.T, check, spoil) })
	}
	return slices.Concat([]module{
		inOAuthToo(module{strings.TrimSuffix(prefix, "-"), both, inEach(append(fapi1Settings(), fapi1PS256()...), func(r *rp) { r.finished(r.login()) })}),
		inOAuthToo(wrongIssuer(prefix+"discovery-issuer-mismatch", both, once)),
		plays("encrypted-idtoken", hybrid, func(r *rp) {
			r.encrypts("RSA-OAEP-256", FrontToken, CodeToken)
			r.finished(r.login())
			r.op.ChangeJWT(func(t *JWT) {
				encrypt := t.Rewrite
				t.Rewrite = func(jwt string) string { return encrypt(Break(jwt)) }
			}, FrontToken)
			before := len(r.op.Calls(Token))
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, "signature")
			assert.Len(r, r.op.Calls(Token), before, "being encrypted to us is no signature")
		}),
		plays("encrypted-idtoken-usingrsa15", hybrid, func(r *rp) {
			r.encrypts("RSA1_5", FrontToken)
			_, err := r.login()
			refused := r.refused(err, oidcclient.StepCallback, "encryption", Token, UserInfo, Accounts)
			assert.NotContains(r, refused.Reason, "decrypted", "it is refused by its header")
		}),
		inFront("invalid-shash", "s_hash", more("s_hash")),
		inFront("invalid-missing-shash", "s_hash", without("s_hash")),
		inFront("invalid-chash", "c_hash", more("c_hash")),
		inFront("iat-is-week-in-past", "iat", weekOld),
		refuses("invalid-nonce", "nonce", both, more("nonce")),
		refuses("invalid-missing-nonce", "nonce", both, without("nonce")),
		refuses("invalid-signature", "signature", both, broken),
		plays("valid-aud-as-array", both, func(r *rp) {
			r.op.ChangeJWT(audienceAsArray, FrontToken, CodeToken)
			r.finished(r.login())
		}),
		inOAuthToo(plays("no-scope-in-token-endpoint-response", both, func(r *rp) {
			r.leaveOut(Token, "scope", "expires_in")
			s := r.finished(r.login())
			assert.Equal(r, r.config.Scopes, s.Scopes(), "what was asked for")
		})),
		plays("missing-athash", both, func(r *rp) {
			r.op.ChangeJWT(without("at_hash"), FrontToken, CodeToken)
			r.finished(r.login())
		}),
		{"fapi1-advanced-final-client-refresh-token-test", both, inEach(fapi1Settings(), func(r *rp) {
			r.refreshesTwice(r.accepted(r.login()))
		})},
	}, identityModules(prefix, both, once))
}

// encrypts encrypts ID tokens of these kinds to the client, which was told so.
func (r *rp) encrypts(alg string, kinds ...Kind) {
	r.config.DecryptionKeys = []oidcclient.DecryptionKey{{Private: theRSAKey()}}
	r.config.IDTokenEncrypted = &oidcclient.Encrypted{Algorithm: "RSA-OAEP-256", Encoding: "A256GCM"}
	r.op.ChangeJWT(func(t *JWT) {
		t.Rewrite = func(jwt string) string { return Encrypt(alg, &theRSAKey().PublicKey, jwt) }
	}, kinds...)
}

// The provider takes nothing less than the profile demands, or its modules would show
// little.
func TestFAPIProviderIsStrict(t *testing.T) {
	for name, weaken := range map[string]func(*oidcclient.Config){
		"requests that are not signed": func(c *oidcclient.Config) { c.Carriage = oidcclient.CarryQuery },
		"another key":                  func(c *oidcclient.Config) { c.Key.Signer = ECKey("ES256", "sig").Private },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRP(t, detached)
			r.fapi1()
			r.config.FAPI = oidcclient.FAPINone
			weaken(&r.config)
			auth, _, err := r.client().Begin(r.Context(), r.begin)
			require.NoError(r, err)
			answer, err := r.op.HTTPClient().Get(auth.URL)
			require.NoError(r, err)
			defer answer.Body.Close()
			assert.Equal(r, 400, answer.StatusCode)
		})
	}
}
