package conformance

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// refreshModules are about ID tokens that come with a refresh (OpenID Connect Core
// §12.2).
func refreshModules() []module {
	return []module{
		{"oidcc-client-test-refresh-token", with("code"), func(r *rp) {
			s := r.accepted(r.login())
			fresh, err := r.client().Refresh(r.Context(), s)
			require.NoError(r, err)
			assert.NotEqual(r, s.Token().AccessToken, fresh.Token().AccessToken)
			assert.NotEqual(r, s.Token().RefreshToken, fresh.Token().RefreshToken)
			_, err = r.client().UserInfo(r.Context(), fresh)
			require.NoError(r, err)
			calls := r.op.Calls(UserInfo)
			assert.Equal(r, "Bearer "+fresh.Token().AccessToken, calls[len(calls)-1].Header.Get("Authorization"))
		}},
		{"oidcc-client-test-refresh-token-invalid-issuer", with("code"), func(r *rp) { r.refusesRefresh("iss", more("iss")) }},
		{"oidcc-client-test-refresh-token-invalid-sub", with("code"), func(r *rp) { r.refusesRefresh("refresh", more("sub")) }},
	}
}

// refusesRefresh logs in and refreshes with a spoiled ID token, which has to be
// refused for check, with nothing left to go on with.
func (r *rp) refusesRefresh(check string, spoil func(*JWT)) {
	r.Helper()
	r.op.ChangeJWT(spoil, RefreshedToken)
	s := r.accepted(r.login())
	before := len(r.op.Calls(UserInfo))
	_, err := r.client().Refresh(r.Context(), s)
	refused := r.refused(err, oidcclient.StepRefresh, check)
	assert.Nil(r, refused.Session)
	assert.True(r, refused.LoginAgain())
	assert.Len(r, r.op.Calls(UserInfo), before)
}
