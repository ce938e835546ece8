package conformance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/oidcclient"
)

// networkModules are about what a provider's answers may make the relying party do.
func networkModules() []module {
	return []module{
		redirected("discovery", Discovery, "answer is not 200 OK"),
		redirected("jwks", JWKS, "answer has status 302"),
		redirected("token", Token, "answer is no OAuth error"),
		redirected("userinfo", UserInfo, "answer is not 200 OK"),
		duplicated("discovery", Discovery),
		duplicated("token-response", Token),
		duplicated("userinfo", UserInfo),
		huge("discovery", Discovery),
		huge("jwks", JWKS),
		huge("token-response", Token),
		huge("userinfo", UserInfo),
		{"beyond-jwks-duplicate-members", basic(), func(r *rp) {
			r.op.Change(JWKS, func(_ *Call, a *Answer) { a.Text, a.Type = `{"keys":[],"keys":[]}`, "application/json" })
			_, err := r.login()
			r.refused(err, oidcclient.StepIdentity, "key", UserInfo)
		}},
		{"beyond-jwks-ssrf", nil, func(r *rp) {
			for _, target := range []string{
				"https://127.0.0.1/jwks", "https://127.1/jwks", "https://2130706433/jwks", "https://0x7f.1/jwks", "https://[::1]/jwks",
				"https://[::ffff:127.0.0.1]/jwks", "https://localhost/jwks", "https://localhost./jwks", "https://x.localhost/jwks",
				"https://169.254.169.254/latest/meta-data", "https://10.0.0.1/jwks", "http://example.com/jwks", "file:///etc/passwd",
				"https://user:password@example.com/jwks", "gopher://example.com/jwks", "//example.com/jwks", "",
			} {
				r.Run(strings.NewReplacer("/", "_").Replace(target), func(t *testing.T) { refusesPlace(newRP(t, r.variant), "jwks_uri", target) })
			}
		}},
		{"beyond-endpoints-ssrf", nil, func(r *rp) {
			for _, member := range []string{"token_endpoint", "userinfo_endpoint", "authorization_endpoint", "end_session_endpoint"} {
				r.Run(member, func(t *testing.T) { refusesPlace(newRP(t, r.variant), member, "https://169.254.169.254/latest") })
			}
		}},
		{"beyond-token-type-unknown", with("code"), func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) { a.Members["token_type"] = "mac" })
			_, err := r.login()
			r.refused(err, oidcclient.StepExchange, "token_type", UserInfo)
		}},
		{"beyond-token-type-case", with("code"), func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) { a.Members["token_type"] = "bEARER" })
			r.accepted(r.login())
		}},
		{"beyond-token-response-without-id-token", with("code"), func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) { delete(a.Members, "id_token") })
			_, err := r.login()
			r.refused(err, oidcclient.StepIdentity, "id_token", UserInfo)
		}},
		{"beyond-code-is-sent-once", with("code"), func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) {
				a.Status, a.Text, a.Type = http.StatusServiceUnavailable, "later", "text/plain"
			})
			_, err := r.login()
			refused := r.refused(err, oidcclient.StepExchange, "", UserInfo)
			assert.Equal(r, oidcclient.FaultOutage, refused.Fault)
			assert.Len(r, r.op.Calls(Token), 1)
		}},
	}
}

// endings are where a login ends with an endpoint whose answer is none, and what is not
// called then.
var endings = map[Step]struct {
	step     oidcclient.Step
	uncalled []Step
}{
	Discovery: {oidcclient.StepDiscover, []Step{JWKS, Authorize, Token, UserInfo}},
	JWKS:      {oidcclient.StepIdentity, []Step{UserInfo}},
	Token:     {oidcclient.StepExchange, []Step{JWKS, UserInfo}},
	UserInfo:  {oidcclient.StepUserInfo, nil},
}

// answers is a module in which one endpoint's answer is spoiled, which has to be found to
// be no answer for this reason, after one request.
func answers(name string, where Step, status int, reason string, spoil func(*OP, *Answer)) module {
	return module{"beyond-" + name, basic(), func(r *rp) {
		r.op.Change(where, func(_ *Call, a *Answer) { spoil(r.op, a) })
		_, err := r.login()
		check, fault, end := "", oidcclient.FaultProvider, endings[where]
		if where == JWKS { // which may be there again the next time, as far as a login is concerned
			check, fault, status = "key", oidcclient.FaultOutage, 0
		}
		refused := r.refused(err, end.step, check, append(end.uncalled, Elsewhere)...)
		assert.Equal(r, fault, refused.Fault)
		assert.Equal(r, status, refused.Status)
		cause := error(refused)
		for next := cause; next != nil; next = errors.Unwrap(next) {
			cause = next
		}
		assert.ErrorContains(r, cause, reason)
		assert.Len(r, r.op.Calls(where), 1)
	}}
}

// redirected sends the client to another place, which has the honest answer.
func redirected(name string, where Step, reason string) module {
	return answers("redirect-"+name, where, http.StatusFound, reason, func(op *OP, a *Answer) {
		honest := *a
		op.Handle(Elsewhere, "/elsewhere", "", func(*OP, *Call) *Answer { return &honest })
		a.Status, a.Header = http.StatusFound, http.Header{"Location": {op.Issuer + "/elsewhere"}}
	})
}

// duplicated says something twice.
func duplicated(name string, where Step) module {
	return answers("duplicate-members-"+name, where, http.StatusOK, "answer is not one strict JSON object", func(_ *OP, a *Answer) {
		a.Text, a.Type = twice(a.Members), "application/json"
	})
}

// huge answers more than anybody wants to read.
func huge(name string, where Step) module {
	return answers("huge-"+name, where, http.StatusOK, "answer is larger than 1 MiB", func(_ *OP, a *Answer) {
		a.Members["padding"] = strings.Repeat("x", 1<<20)
	})
}

// refusesPlace demands that metadata of a public issuer which name a place inside a
// network, or one that is no place of the web, are refused, with no connection there.
func refusesPlace(r *rp, member, target string) {
	r.Helper()
	r.meet(New(true))
	there := strings.TrimPrefix(r.op.URL, "https://")
	// The certificate of the test's server is for this name too.
	r.op.URL, r.op.Issuer = "https://example.com", "https://example.com/a/rp"
	r.config.Issuer = r.op.Issuer
	transport := r.op.HTTPClient().Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		assert.Equal(r, "example.com:443", addr, "a connection elsewhere")
		var d net.Dialer
		return d.DialContext(ctx, network, there)
	}
	r.op.Change(Discovery, func(_ *Call, a *Answer) { a.Members[member] = target })
	_, err := r.login()
	refused := r.refused(err, oidcclient.StepDiscover, "", JWKS, Authorize, Token, UserInfo)
	assert.Equal(r, oidcclient.FaultProvider, refused.Fault)
	assert.Len(r, r.op.Calls(Discovery), 1)
}
