package conformance

import (
	"net/http"
	"slices"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/oidcclient"
)

// proofModules are about DPoP (RFC 9449).
func proofModules() []module {
	proofs := func(name string, next func(string) string, run func(*rp)) module {
		// An access token that comes with the browser can't be bound.
		bindable := slices.DeleteFunc(with("code"), func(v variant) bool { return v.has("token") })
		return module{"beyond-dpop-" + name, bindable, func(r *rp) {
			r.config.DPoP = true
			r.op.DemandProofs(next)
			run(r)
		}}
	}
	return []module{
		proofs("without-nonces", func(string) string { return "" }, func(r *rp) {
			r.accepted(r.login())
			assert.Len(r, r.op.Calls(Token), 1)
		}),
		proofs("nonce", func(string) string { return "one-nonce" }, func(r *rp) {
			r.accepted(r.login())
			assert.Len(r, r.op.Calls(Token), 2, "the first without the nonce")
			assert.Len(r, r.op.Calls(UserInfo), 1, "an origin's nonce is known by now")
		}),
		proofs("nonce-loop-token", func(string) string { return "" }, func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) {
				*a = *refusal(http.StatusBadRequest, "use_dpop_nonce")
				a.Header = http.Header{"Dpop-Nonce": {random()}}
			})
			_, err := r.login()
			refused := r.refused(err, oidcclient.StepExchange, "", UserInfo)
			assert.Equal(r, "use_dpop_nonce", refused.Code)
			assert.Len(r, r.op.Calls(Token), 2, "one try with the nonce")
		}),
		proofs("nonce-loop-userinfo", func(string) string { return "" }, func(r *rp) {
			r.op.Change(UserInfo, func(_ *Call, a *Answer) {
				*a = *refusal(http.StatusUnauthorized, "use_dpop_nonce")
				a.Header = http.Header{"Www-Authenticate": {`DPoP error="use_dpop_nonce"`}, "Dpop-Nonce": {random()}}
			})
			_, err := r.login()
			r.refused(err, oidcclient.StepUserInfo, "access_token")
			assert.Len(r, r.op.Calls(UserInfo), 2)
		}),
		proofs("nonce-loop-accounts", func(string) string { return "" }, func(r *rp) {
			r.op.Change(Accounts, func(_ *Call, a *Answer) {
				*a = *challenge("DPoP", refusal(http.StatusUnauthorized, "use_dpop_nonce"))
				a.Header.Set("DPoP-Nonce", random())
			})
			s := r.accepted(r.login())
			assert.Equal(r, http.StatusUnauthorized, r.readAccounts(r.tokens(s)))
			assert.Len(r, r.op.Calls(Accounts), 2)
			assert.Len(r, r.op.Calls(Token), 1, "a nonce says nothing about the token")
		}),
		proofs("token-type-bearer", func(string) string { return "" }, func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) { a.Members["token_type"] = "Bearer" })
			_, err := r.login()
			r.refused(err, oidcclient.StepExchange, "token_type", UserInfo)
		}),
	}
}
