package conformance

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// discoveryModules are about finding a provider and becoming its client.
func discoveryModules() []module {
	return []module{
		{"oidcc-client-test-discovery-openid-config", nil, func(r *rp) {
			require.NoError(r, r.client().Ready(r.Context()))
			calls := r.op.Calls(Discovery)
			require.Len(r, calls, 1)
			assert.Equal(r, http.MethodGet, calls[0].Method)
			assert.Equal(r, "/a/rp/.well-known/openid-configuration", calls[0].Path)
		}},
		module{"oidcc-client-test-discovery-jwks-uri-keys", all(), func(r *rp) {
			path := "/jwks-" + random()
			r.op.Handle(JWKS, path, "jwks_uri", (*OP).jwks)
			r.accepted(r.login())
			r.order(Discovery, JWKS)
			if r.hasUserInfo() {
				r.order(Discovery, JWKS, UserInfo)
			}
			assert.Equal(r, Discovery, r.op.Calls()[0].Step, "nothing is called before it")
			assert.Equal(r, "/a/rp"+path, r.op.Calls(JWKS)[0].Path)
		}}.dynamicToo(),
		{"oidcc-client-test-discovery-issuer-mismatch", all(), func(r *rp) {
			for name, change := range map[string]func(*oidcclient.Config){
				"registered": func(*oidcclient.Config) {},
				"to register": func(c *oidcclient.Config) {
					c.ClientID, c.ClientSecret, c.Register = "", "", &oidcclient.RegistrationRequest{}
				},
			} {
				r.Run(name, func(t *testing.T) {
					r := r.again(t)
					change(&r.config)
					r.op.Change(Discovery, func(_ *Call, a *Answer) { a.Members["issuer"] = r.op.Issuer + "INVALID" })
					_, err := r.login()
					r.refused(err, oidcclient.StepDiscover, "issuer", Register, JWKS, Authorize, Token, UserInfo)
					assert.Len(r, r.op.Calls(), 1)
				})
			}
		}},
		module{"oidcc-client-test-discovery-webfinger-acct", basic()[:1], func(r *rp) {
			r.webFinger("acct:rp.discovery@", "")
		}}.dynamicToo(),
		module{"oidcc-client-test-discovery-webfinger-url", basic()[:1], func(r *rp) {
			r.webFinger("https://", "/alias/rp.discovery")
		}}.dynamicToo(),
		{"oidcc-client-test-dynamic-registration", all(), (*rp).registers},
		{"oidcc-client-test-mtls-endpoint-aliases", with("code"), func(r *rp) {
			for _, method := range []string{"tls_client_auth", "self_signed_tls_client_auth"} {
				r.Run(method, func(t *testing.T) { meeting(t, r.variant, New(true)).takesAliases(method) })
			}
		}},
	}
}

// order demands that the first call of each endpoint came in this order.
func (r *rp) order(steps ...Step) {
	r.Helper()
	var came []Step
	seen := map[Step]bool{}
	for _, call := range r.op.Calls(steps...) {
		if !seen[call.Step] {
			came = append(came, call.Step)
		}
		seen[call.Step] = true
	}
	assert.Equal(r, steps, came)
}

// registers demands that a client registers for what it does, and logs in as what was
// registered.
func (r *rp) registers() {
	r.Helper()
	r.registersItself()
	r.accepted(r.login())
	r.order(Discovery, Register, Authorize)
	require.Len(r, r.op.Calls(Register), 1)
	assert.Len(r, r.op.Calls(Discovery), 1)
	call := r.op.Calls(Register)[0]
	assert.Equal(r, http.MethodPost, call.Method)
	assert.Equal(r, "application/json", call.Header.Get("Content-Type"))
	grants := []any{}
	if r.has("code") {
		grants = append(grants, "authorization_code", "refresh_token")
	}
	if r.responseType != "code" {
		grants = append(grants, "implicit")
	}
	assert.Subset(r, r.registration(), map[string]any{
		"redirect_uris": []any{r.config.RedirectURI}, "response_types": []any{r.responseType}, "client_name": "conformance",
		"grant_types": grants, "token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": r.op.Alg,
	})
	r.Run("another redirect URI", func(t *testing.T) {
		r := r.again(t)
		r.config.RedirectURI += "1"
		_, err := r.login()
		refused := r.refused(err, oidcclient.StepRegister, "", Authorize)
		assert.Equal(r, "invalid_redirect_uri", refused.Code)
	})
}

// takesAliases demands that a client with a certificate calls the endpoints that the
// provider has for those (RFC 8705 §5), and no other.
func (r *rp) takesAliases(method string) {
	r.Helper()
	cert := selfSigned(r)
	r.config.ClientSecret, r.config.AuthMethod, r.config.ClientCertificate = "", method, &cert
	r.op.Authenticate = CertifiedBy(cert.Certificate[0])
	r.op.Handle(Token, "/mtls/token", "", (*OP).token)
	r.op.Handle(UserInfo, "/mtls/userinfo", "", func(op *OP, c *Call) *Answer {
		if shown(c) != string(cert.Certificate[0]) {
			return challenge("Bearer", refusal(http.StatusUnauthorized, "invalid_token"))
		}
		return op.userinfo(c)
	})
	for _, member := range []string{"token_endpoint", "userinfo_endpoint"} {
		r.op.Handle(Step("plain "+member), "/plain/"+member, member, func(*OP, *Call) *Answer { return refusal(http.StatusUnauthorized, "invalid_client") })
	}
	r.op.Change(Discovery, func(_ *Call, a *Answer) {
		a.Members["mtls_endpoint_aliases"] = map[string]any{"token_endpoint": r.op.Issuer + "/mtls/token", "userinfo_endpoint": r.op.Issuer + "/mtls/userinfo"}
	})
	r.accepted(r.login())
	r.uncalled("plain token_endpoint", "plain userinfo_endpoint")
	assert.Len(r, r.op.Calls(Token), 1)
}

// webFinger finds the issuer of an account on the provider's host, whose issuer nobody
// can guess, and logs in there. The account is what stands before and behind the host.
func (r *rp) webFinger(before, behind string) {
	r.Helper()
	if !r.op.Secure() {
		r.meet(New(true))
	}
	r.op.Issuer = r.op.URL + "/a/rp-" + random()
	r.op.Account = before + strings.TrimPrefix(r.op.URL, "https://") + behind
	r.config.Issuer, r.config.Account = "", r.op.Account
	r.accepted(r.login())
	r.order(WebFinger, Discovery, Authorize, Token)
	query := r.op.Calls(WebFinger)[0].Query
	assert.Equal(r, r.op.Account, query.Get("resource"))
	assert.Equal(r, "http://openid.net/specs/connect/1.0/issuer", query.Get("rel"))
}

// selfSigned is a certificate for a client.
func selfSigned(r *rp) tls.Certificate {
	r.Helper()
	return certificate(ECKey("ES256", "sig").Private, r.op.Now)
}

// certificate is one of a key's own, good for a day.
func certificate(key crypto.Signer, from time.Time) tls.Certificate {
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.Add(24 * time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
