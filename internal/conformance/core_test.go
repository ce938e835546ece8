package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

// coreModules are those of OpenID Connect Core, Discovery and Registration.
func coreModules() []module {
	return slices.Concat(flowModules(), discoveryModules(), keyModules(), idTokenModules(), hashModules(), userInfoModules(), refreshModules(), requestModules(), sourceModules())
}

// flowModules are about what a login sends and takes.
func flowModules() []module {
	return []module{
		{"oidcc-client-test", all(), func(r *rp) {
			s := r.accepted(r.login())
			assert.Equal(r, []string{r.op.Client.ID}, s.IDToken().Audience())
			r.inEachWay(requestTypes())
			if r.has("code") {
				r.inEachWay(clientAuthentications())
			}
		}},
		{"oidcc-client-test-client-secret-basic", with("code"), func(r *rp) {
			r.accepted(r.login())
			call := r.op.Calls(Token)[0]
			id, secret, ok := call.Request.BasicAuth()
			require.True(r, ok)
			assert.Equal(r, url.QueryEscape(r.op.Client.ID), id)
			assert.Equal(r, url.QueryEscape(r.op.Client.Secret), secret)
			assert.NotContains(r, string(call.Body), "client_secret")
		}},
		{"oidcc-client-test-nonce-unless-code-flow", front(), func(r *rp) {
			r.accepted(r.login())
			first := r.asked().Get("nonce")
			r.accepted(r.login())
			assert.GreaterOrEqual(r, len(first), 22, "128 bits")
			assert.NotEqual(r, first, r.asked().Get("nonce"))
		}},
		{"oidcc-client-test-scope-userinfo-claims", all(), func(r *rp) {
			s := r.accepted(r.login())
			assert.Equal(r, "openid profile email", r.asked().Get("scope"))
			claims, read := map[string]any{}, s.UserInfoClaims
			if !r.hasUserInfo() {
				read = s.Claims
			}
			require.NoError(r, read(&claims))
			assert.Subset(r, claims, map[string]any{
				"sub": "user-subject-1234531", "name": "Demo T. User", "email": "user@example.com", "email_verified": false,
			})
		}},
		{"oidcc-client-test-form-post-error", formPosts(), (*rp).readsPostedError},
		{"oidcc-client-test-3rd-party-init-login", basic(), func(r *rp) {
			s := r.site(nil)
			p := s.get("/initiate/op?" + url.Values{"iss": {r.op.Issuer}, "target_link_uri": {s.url + "/account?a=b"}}.Encode())
			assert.Equal(r, s.url+"/account?a=b", p.Request.URL.String())
			assert.Len(r, r.op.Calls(Token), 1)
			assert.NotNil(r, s.session())
			before := len(r.op.Calls())
			assert.Equal(r, http.StatusBadRequest, s.get("/initiate/op?"+url.Values{"iss": {r.op.Issuer + "1"}}.Encode()).StatusCode)
			assert.Len(r, r.op.Calls(), before, "another issuer's login is not begun")
		}},
	}
}

// readsPostedError demands that an error in a form is read, by the client and by the
// application around it, and nothing asked for after it.
func (r *rp) readsPostedError() {
	r.Helper()
	fresh := time.Duration(0)
	r.begin = oidcclient.BeginOptions{MaxAge: &fresh, Prompt: []string{"none"}}
	r.op.Change(Authorize, func(_ *Call, a *Answer) {
		a.Params = url.Values{"error": {"login_required"}, "error_description": {"nobody is logged in"}, "state": a.Params["state"]}
	})
	_, err := r.login()
	assert.Equal(r, "0", r.asked().Get("max_age"))
	assert.Equal(r, "none", r.asked().Get("prompt"))
	refused := r.refused(err, oidcclient.StepCallback, "", Token, UserInfo)
	assert.Equal(r, "login_required", refused.Code)
	assert.Equal(r, http.StatusBadRequest, refused.HTTPStatus())

	r.made, r.config.MaxAge, r.config.Authorize.Prompt = nil, &fresh, []string{"none"}
	s := r.site(nil)
	s.refuses(s.get("/login/op"), "", "login_required")
	assert.Equal(r, "0", r.asked().Get("max_age"))
	assert.Equal(r, "none", r.asked().Get("prompt"))
	assert.Nil(r, s.session())
	r.uncalled(Token, UserInfo)
}

// inEachWay logs in once more in each of these ways of the suite.
func (r *rp) inEachWay(ways map[string]func(*rp)) {
	r.Helper()
	for name, change := range ways {
		r.Run(name, func(t *testing.T) {
			r := meeting(t, r.variant, New(strings.Contains(name, "tls")))
			change(r)
			r.accepted(r.login())
		})
	}
}

// clientAuthentications are how a client authenticates (the suite's client_auth_type),
// beside client_secret_basic.
func clientAuthentications() map[string]func(*rp) {
	by := func(method string, judge func(*OP, *Call) bool) func(*rp) {
		return func(r *rp) {
			r.config.AuthMethod, r.op.Authenticate = method, judge
			r.config.AssertionAudience = map[bool]string{true: "issuer"}[strings.HasSuffix(method, "_jwt")]
			if !strings.HasPrefix(method, "client_secret") {
				r.config.ClientSecret = ""
			}
		}
	}
	shows := func(method string) func(*rp) {
		return func(r *rp) {
			cert := selfSigned(r)
			by(method, CertifiedBy(cert.Certificate[0]))(r)
			r.config.ClientCertificate = &cert
		}
	}
	return map[string]func(*rp){
		"client_secret_post": by("client_secret_post", SecretPosted),
		"client_secret_jwt":  func(r *rp) { by("client_secret_jwt", AssertedBy([]byte(r.op.Client.Secret)))(r) },
		"private_key_jwt": func(r *rp) {
			by("private_key_jwt", AssertedBy(clientKey().Public()))(r)
			r.config.Key = &assertion.Key{Signer: clientKey(), ID: "client"}
		},
		"none":                        by("none", Unauthenticated),
		"tls_client_auth":             shows("tls_client_auth"),
		"self_signed_tls_client_auth": shows("self_signed_tls_client_auth"),
	}
}

// requestTypes are how a request travels (the suite's request_type), beside its query and
// the request_uri of other modules.
func requestTypes() map[string]func(*rp) {
	return map[string]func(*rp){
		"request_object": func(r *rp) {
			r.signsRequests("RS256", theRSAKey())
			r.config.Carriage = oidcclient.CarryObject
			r.op.DemandObjects(&theRSAKey().PublicKey)
		},
		"request_object of alg none": func(r *rp) {
			r.config.Carriage, r.config.RequestAlgorithm = oidcclient.CarryObject, "none"
			r.op.DemandObjects(nil)
		},
	}
}

// formPosts are the variants in which a form brings the answer.
func formPosts() []variant {
	return slices.DeleteFunc(all(), func(v variant) bool { return v.responseMode != "form_post" })
}
