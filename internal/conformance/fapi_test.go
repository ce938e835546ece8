package conformance

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// A setting is one of the combinations in which the suite plays a FAPI plan.
type setting struct {
	profile oidcclient.FAPI
	// auth is private_key_jwt or self_signed_tls_client_auth.
	auth string
	// pushed requests, in FAPI 1, where they need not be.
	pushed bool
	// dpop binds tokens by proofs, in FAPI 2; otherwise they are bound to a certificate.
	dpop bool
	// nonces are demanded in proofs.
	nonces bool
	// delivery is poll or ping where people are asked at their own device.
	delivery string
	// alg signs, on both sides; "" is ES256.
	alg string
}

func (s setting) String() string {
	binding := map[bool]string{true: "dpop", false: "mtls"}[s.dpop]
	carriage := map[bool]string{true: "pushed", false: "by value"}[s.pushed]
	if s.delivery != "" {
		carriage = s.delivery
	}
	return strings.Join([]string{s.profile.String(), s.auth, carriage, binding, s.algorithm()}, ", ")
}

func (s setting) algorithm() string { return cmp.Or(s.alg, "ES256") }

// key is the client's.
func (s setting) key() crypto.Signer {
	switch s.alg {
	case "PS256":
		return theRSAKey()
	case "EdDSA":
		return clientEdKey()
	}
	return clientKey()
}

var (
	clientKey         = sync.OnceValue(func() *ecdsa.PrivateKey { return ECKey("ES256", "sig").Private.(*ecdsa.PrivateKey) })
	clientEdKey       = sync.OnceValue(func() crypto.Signer { return EdKey().Private })
	clientCertificate = sync.OnceValue(func() tls.Certificate {
		return certificate(clientKey(), time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC))
	})
)

// fapi makes the relying party and the provider those of a profile. What the profile
// chooses is not configured.
func (r *rp) fapi(s setting) {
	r.Helper()
	r.prepare(func(r *rp) {
		r.Helper()
		if !r.op.Secure() {
			r.meet(New(true))
		}
		cert := clientCertificate()
		r.config.FAPI, r.config.ClientSecret, r.config.AuthMethod = s.profile, "", s.auth
		r.config.Scopes = []string{"openid", "accounts"}
		r.op.Alg, r.config.Algorithm = s.algorithm(), s.algorithm()
		if s.alg == "PS256" {
			r.op.Keys = append([]Key{PSKey()}, r.op.Keys...)
		}
		r.config.Key = &assertion.Key{Signer: s.key(), ID: "client"}
		r.config.ResponseAlgorithm = map[bool]string{true: s.algorithm()}[strings.HasSuffix(r.responseMode, "jwt")]
		if r.oauth {
			r.config.Profile, r.config.Algorithm, r.config.UserInfo = profiles.OAuth(), "", false
			r.config.Scopes = []string{"accounts"}
		}
		if s.pushed {
			r.config.Carriage = oidcclient.CarryPushed
		}
		if r.op.Authenticate = AssertedBy(s.key().Public()); s.auth == "self_signed_tls_client_auth" {
			r.op.Authenticate = CertifiedBy(cert.Certificate[0])
		}
		if !s.dpop || s.auth != "private_key_jwt" {
			r.config.ClientCertificate = &cert
		}
		if r.config.DPoP = s.dpop; s.dpop {
			r.op.DemandProofs(func(string) string { return map[bool]string{true: random()}[s.nonces] })
		} else {
			r.op.DemandCertificates()
		}
		if s.profile == oidcclient.FAPI2Security {
			r.op.DemandRequests(true, nil)
		} else {
			r.op.DemandRequests(s.pushed, s.key().Public())
		}
		r.op.Change(Discovery, func(_ *Call, a *Answer) {
			a.Members["code_challenge_methods_supported"] = []string{"S256"}
			a.Members["tls_client_certificate_bound_access_tokens"] = !s.dpop
			a.Members["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt", "self_signed_tls_client_auth"}
			if s.dpop {
				a.Members["dpop_signing_alg_values_supported"] = []string{"ES256"}
			}
		})
		if s.delivery != "" {
			r.asksPeople(s.delivery)
		}
		if s.profile != oidcclient.FAPI1Advanced && r.variant != signed {
			r.namesIssuer()
		}
	})
}

// namesIssuer makes the provider say who answers (RFC 9207), which a signed response does
// in any case.
func (r *rp) namesIssuer() {
	r.op.Change(Discovery, func(_ *Call, a *Answer) { a.Members["authorization_response_iss_parameter_supported"] = true })
	r.op.Change(Authorize, func(_ *Call, a *Answer) {
		if a.Params != nil {
			a.Params.Set("iss", r.op.Issuer)
		}
	})
}

// finished demands that a login succeeded, and that its access token opens the
// accounts, by the same binding.
func (r *rp) finished(s *oidcclient.Session, err error) *oidcclient.Session {
	r.Helper()
	r.accepted(s, err)
	assert.Equal(r, http.StatusOK, r.readAccounts(r.tokens(s)))
	return s
}

// tokens gives the session's access tokens, refreshed when one is refused.
func (r *rp) tokens(s *oidcclient.Session) *oidcclient.TokenSource {
	return r.client().TokenSource(r.Context(), s, func(context.Context, *oidcclient.Session) error { return nil })
}

// readAccounts calls the API and returns the status of its answer.
func (r *rp) readAccounts(tokens oidcclient.AccessTokens) int {
	r.Helper()
	api := &http.Client{Transport: r.client().Transport(tokens, r.op.URL)}
	answer, err := api.Get(r.op.Issuer + "/accounts")
	require.NoError(r, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(r, err)
	if answer.StatusCode == http.StatusOK {
		var found struct{ Accounts []struct{ Owner string } }
		require.NoError(r, json.Unmarshal(text, &found))
		assert.Equal(r, "user-subject-1234531", found.Accounts[0].Owner)
	}
	return answer.StatusCode
}

// refreshesTwice demands that an API which refuses two access tokens gets refreshed
// ones, while refresh tokens rotate.
func (r *rp) refreshesTwice(s *oidcclient.Session) {
	r.Helper()
	scheme := map[bool]string{true: "DPoP", false: "Bearer"}[r.config.DPoP]
	var taken []string
	r.op.Change(Accounts, func(c *Call, a *Answer) {
		if a.Status != http.StatusOK {
			return
		}
		if taken = append(taken, c.Header.Get("Authorization")); len(taken)%2 == 1 {
			*a = *challenge(scheme, refusal(http.StatusUnauthorized, "invalid_token"))
		}
	})
	var used []string
	r.op.Change(Token, func(c *Call, a *Answer) {
		if a.Status == http.StatusOK {
			used = append(used, c.Form.Get("refresh_token"))
		}
	})
	tokens := r.tokens(s)
	for range 2 {
		assert.Equal(r, http.StatusOK, r.readAccounts(tokens))
	}
	require.Len(r, used, 2)
	assert.NotEqual(r, used[0], used[1])
	require.Len(r, taken, 4)
	assert.Equal(r, taken[1], taken[2], "a token that is good goes on being used")
	assert.Len(r, slices.Compact(taken), 3)
}

// An ensemble makes a relying party one of a plan, once or in several of its settings,
// and runs what a module does with it.
type ensemble func(run func(*rp)) func(*rp)

// identityModules are what all plans of FAPI ask about ID tokens. A name is without the
// plan's prefix.
func identityModules(prefix string, in []variant, plays ensemble) []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return module{prefix + name, in, plays(func(r *rp) { r.refusesIDTokens(check, spoil) })}
	}
	return []module{
		refuses("invalid-iss", "iss", more("iss")),
		refuses("invalid-aud", "aud", more("aud")),
		refuses("invalid-secondary-aud", "aud", func(t *JWT) { t.Claims["aud"] = []any{t.Claims["aud"], "another-client"} }),
		refuses("invalid-null-alg", "shape", func(t *JWT) { t.Header = map[string]any{"alg": "none"} }),
		refuses("invalid-alternate-alg", "header", func(t *JWT) { t.Header["alg"], t.Header["kid"] = "RS256", usualKeys()[0].ID() }),
		refuses("invalid-expired-exp", "exp", func(t *JWT) { t.Claims["exp"] = t.Claims["iat"].(int64) - 301 }),
		refuses("invalid-missing-exp", "exp", without("exp")),
		refuses("invalid-missing-aud", "aud", without("aud")),
		refuses("invalid-missing-iss", "iss", without("iss")),
	}
}

// weekOld makes an ID token one that was issued a week ago and is still good.
func weekOld(t *JWT) { t.Claims["iat"] = t.Claims["iat"].(int64) - 7*24*3600 }

// audienceAsArray is the same audience in the other of its two forms.
func audienceAsArray(t *JWT) { t.Claims["aud"] = []any{t.Claims["aud"]} }

// leaveOut leaves members out of an endpoint's answers.
func (r *rp) leaveOut(step Step, members ...string) {
	r.op.Change(step, func(_ *Call, a *Answer) {
		for _, name := range members {
			delete(a.Members, name)
		}
	})
}

// wrongIssuer is the module in which the metadata name another issuer than asked.
func wrongIssuer(name string, in []variant, plays ensemble) module {
	return module{name, in, plays(func(r *rp) {
		r.op.Change(Discovery, func(_ *Call, a *Answer) { a.Members["issuer"] = r.op.Issuer + "1" })
		_, err := r.login()
		r.refused(err, oidcclient.StepDiscover, "issuer")
		assert.Len(r, r.op.Calls(), 1, "nothing is called after discovery")
	})}
}

// inEach runs a module in each of the settings.
func inEach(settings []setting, run func(*rp)) func(*rp) {
	return func(r *rp) {
		for _, s := range settings {
			r.Run(s.String(), func(t *testing.T) {
				fresh := meeting(t, r.variant, New(true))
				fresh.oauth = r.oauth
				fresh.fapi(s)
				run(fresh)
			})
		}
	}
}

// inOAuthToo also runs a module in which nobody is identified, as the suite's plans
// do with "plain_oauth" for each that is not about ID tokens.
func inOAuthToo(m module) module {
	run := m.run
	m.run = func(r *rp) {
		for name, oauth := range map[string]bool{"openid_connect": false, "plain_oauth": true} {
			if oauth && r.has("id_token") {
				continue
			}
			r.Run(name, func(t *testing.T) {
				r := newRP(t, r.variant)
				r.oauth = oauth
				run(r)
			})
		}
	}
	return m
}

// fapiModules are those of the plans of FAPI.
func fapiModules() []module {
	return slices.Concat(fapi1Modules(), fapi2Modules(), cibaModules(), regionalModules())
}
