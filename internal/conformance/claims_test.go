package conformance

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// The JWT of a claims provider, here the OP itself.
const sourceToken Kind = "claims"

// sourceModules are about aggregated and distributed claims (OpenID Connect Core
// §5.6.2).
func sourceModules() []module {
	return []module{
		{"oidcc-client-test-aggregated-claims", withUserInfo(), func(r *rp) {
			r.Run("alg none", func(t *testing.T) {
				r := r.again(t)
				r.op.ChangeJWT(func(t *JWT) { t.Header = map[string]any{"alg": "none"} }, sourceToken)
				r.aggregates()
				assert.Empty(r, r.accepted(r.login()).ClaimSources(), "nobody vouches for it")
			})
			r.aggregates()
			r.believesSource(r.accepted(r.login()))
		}},
		{"oidcc-client-test-distributed-claims", withUserInfo(), func(r *rp) {
			r.Run("an origin that is not listed", func(t *testing.T) {
				r := r.again(t)
				r.distributes()
				assert.Empty(r, r.accepted(r.login()).ClaimSources())
				r.uncalled("claims")
			})
			r.distributes()
			r.config.DistributedClaims = []string{r.op.URL}
			r.believesSource(r.accepted(r.login()))
			require.Len(r, r.op.Calls("claims"), 1)
			call := r.op.Calls("claims")[0]
			assert.Equal(r, "Bearer for-the-claims-only", call.Header.Get("Authorization"))
			assert.Empty(r, call.Query)
		}},
	}
}

// believesSource demands the claim of the source, and nothing that was not announced of
// it.
func (r *rp) believesSource(s *oidcclient.Session) {
	r.Helper()
	require.Len(r, s.ClaimSources(), 1)
	source := s.ClaimSources()[0]
	assert.Equal(r, r.op.Issuer, source.Issuer)
	assert.Len(r, source.Values, 1)
	assert.JSONEq(r, `"over 200"`, string(source.Values["credit_score"]))
}

func (r *rp) sourceJWT() string {
	return r.op.Sign(sourceToken, map[string]any{"iss": r.op.Issuer, "credit_score": "over 200", "email": "not-announced@example.com"})
}

// announces makes userinfo announce a source.
func (r *rp) announces(source func() map[string]any) {
	r.op.Change(UserInfo, func(_ *Call, a *Answer) {
		a.Members["_claim_names"] = map[string]any{"credit_score": "src1"}
		a.Members["_claim_sources"] = map[string]any{"src1": source()}
	})
}

func (r *rp) aggregates() {
	r.announces(func() map[string]any { return map[string]any{"JWT": r.sourceJWT()} })
}

func (r *rp) distributes() {
	r.op.Handle("claims", "/claims", "", func(*OP, *Call) *Answer {
		return &Answer{Status: http.StatusOK, Text: r.sourceJWT(), Type: "application/jwt"}
	})
	r.announces(func() map[string]any {
		return map[string]any{"endpoint": r.op.Issuer + "/claims", "access_token": "for-the-claims-only"}
	})
}
