package conformance

import (
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/oidcclient"
)

// userInfoModules are about userinfo (OpenID Connect Core §5.3).
func userInfoModules() []module {
	return []module{
		{"oidcc-client-test-userinfo-bearer-header", withUserInfo(), func(r *rp) {
			s := r.accepted(r.login())
			call := r.op.Calls(UserInfo)[0]
			assert.Equal(r, "Bearer "+s.Token().AccessToken, call.Header.Get("Authorization"))
			assert.Empty(r, call.Query)
			assert.Empty(r, call.Body)
		}},
		{"oidcc-client-test-userinfo-bearer-body", withUserInfo(), func(r *rp) {
			r.op.Handle(UserInfo, "/userinfo", "userinfo_endpoint", userInfoOfBody)
			r.config.Profile.UserInfo.TokenInBody = true
			r.notConfigurable("Profile", func() {})
			r.config.Profile.Deviations = []oidcclient.Deviation{{Rule: oidcclient.RuleBearerHeader, Reason: "the suite", URL: "https://openid.net/certification/"}}
			s := r.accepted(r.login())
			call := r.op.Calls(UserInfo)[0]
			assert.Equal(r, http.MethodPost, call.Method)
			assert.Equal(r, url.Values{"access_token": {s.Token().AccessToken}}, call.Form)
			assert.Empty(r, call.Query)
			r.notConfigurable("DPoP", func() { r.config.DPoP = true })
		}},
		{"oidcc-client-test-userinfo-invalid-sub", withUserInfo(), func(r *rp) {
			r.op.Change(UserInfo, func(_ *Call, a *Answer) { a.Members["sub"] = a.Members["sub"].(string) + "invalid" })
			s, err := r.login()
			r.refused(err, oidcclient.StepUserInfo, "userinfo sub")
			assert.Nil(r, s, "nobody is logged in with it")
		}},
		module{"oidcc-client-test-userinfo-signed", withUserInfo(), func(r *rp) {
			r.useRS256()
			r.config.UserInfoAlgorithm = "RS256"
			r.Run("right", func(t *testing.T) {
				r := r.again(t)
				r.signUserInfo(nil)
				r.accepted(r.login())
			})
			for check, spoil := range map[string]func(*JWT){
				"signature": broken, "iss": more("iss"), "aud": more("aud"), "sub": more("sub"),
				"header": func(t *JWT) { t.Header["alg"] = "ES256" },
			} {
				r.Run("wrong "+check, func(t *testing.T) {
					r := r.again(t)
					r.signUserInfo(spoil)
					_, err := r.login()
					r.refused(err, oidcclient.StepUserInfo, check)
				})
			}
			r.Run("not signed", func(t *testing.T) {
				r := r.again(t)
				_, err := r.login()
				r.refused(err, oidcclient.StepUserInfo, "userinfo signature")
			})
		}}.dynamicToo(),
	}
}

// userInfoOfBody takes the access token from a form only (RFC 6750 §2.2).
func userInfoOfBody(op *OP, call *Call) *Answer {
	g := op.grants[call.Form.Get("access_token")]
	if g == nil || call.Header.Get("Authorization") != "" {
		return refusal(http.StatusBadRequest, "invalid_request")
	}
	return object(op.Person(g))
}

// signUserInfo makes the provider sign its userinfo, and spoil it.
func (r *rp) signUserInfo(spoil func(*JWT)) {
	if spoil != nil {
		r.op.ChangeJWT(spoil, SignedUserInfo)
	}
	r.op.Change(UserInfo, func(_ *Call, a *Answer) {
		if a.Status != http.StatusOK {
			return
		}
		claims := maps.Clone(a.Members)
		claims["iss"], claims["aud"] = r.op.Issuer, r.op.Client.ID
		a.Text, a.Type = r.op.Sign(SignedUserInfo, claims), "application/jwt"
	})
}
