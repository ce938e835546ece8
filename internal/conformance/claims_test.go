package conformance

import (
	"context"
	"log/slog"
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
			for check, spoil := range map[string]func(*JWT){
				"shape":           func(t *JWT) { t.Header = map[string]any{"alg": "none"} }, // nobody vouches for it
				"signature":       broken,
				"claims provider": more("iss"),
			} {
				r.Run("wrong "+check, func(t *testing.T) {
					r := r.again(t)
					r.op.ChangeJWT(spoil, sourceToken)
					r.aggregates()
					r.passesOverSource(check)
				})
			}
			r.aggregates()
			r.believesSource(r.accepted(r.login()))
		}},
		{"oidcc-client-test-distributed-claims", withUserInfo(), func(r *rp) {
			r.Run("an origin that is not listed", func(t *testing.T) {
				r := r.again(t)
				r.distributes("for-the-claims-only")
				r.passesOverSource("distributed claims")
				r.uncalled("claims")
			})
			r.Run("another access token", func(t *testing.T) {
				r := r.again(t)
				r.distributes("another")
				r.config.DistributedClaims = []string{r.op.URL}
				assert.Equal(r, http.StatusUnauthorized, r.passesOverSource("").Status)
			})
			r.distributes("for-the-claims-only")
			r.config.DistributedClaims = []string{r.op.URL}
			r.believesSource(r.accepted(r.login()))
			require.Len(r, r.op.Calls("claims"), 1)
			assert.Empty(r, r.op.Calls("claims")[0].Query)
		}},
	}
}

// passesOverSource demands that a login succeeds without the claims of the source, and
// that the log says which check refused them.
func (r *rp) passesOverSource(check string) *oidcclient.Error {
	r.Helper()
	var log errorLog
	r.config.Logger = slog.New(&log)
	assert.Empty(r, r.accepted(r.login()).ClaimSources())
	require.Len(r, log.errs, 1)
	return r.refused(log.errs[0], oidcclient.StepUserInfo, check)
}

// An errorLog keeps the errors that are logged.
type errorLog struct{ errs []error }

func (l *errorLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *errorLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *errorLog) WithGroup(string) slog.Handler            { return l }

func (l *errorLog) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			l.errs = append(l.errs, err)
		}
		return true
	})
	return nil
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

// distributes points to claims that are there for one access token only, with this one.
func (r *rp) distributes(access string) {
	r.op.Handle("claims", "/claims", "", func(_ *OP, c *Call) *Answer {
		switch {
		case c.Method != http.MethodGet:
			return refusal(http.StatusMethodNotAllowed, "invalid_request")
		case c.Header.Get("Authorization") != "Bearer for-the-claims-only":
			return challenge("Bearer", refusal(http.StatusUnauthorized, "invalid_token"))
		}
		return &Answer{Status: http.StatusOK, Text: r.sourceJWT(), Type: "application/jwt"}
	})
	r.announces(func() map[string]any {
		return map[string]any{"endpoint": r.op.Issuer + "/claims", "access_token": access}
	})
}
