package conformance

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// cibaSettings are all combinations of the suite's plan of FAPI-CIBA ID1: signed
// requests, and tokens bound to the client's certificate.
func cibaSettings() (out []setting) {
	for _, auth := range []string{"private_key_jwt", "self_signed_tls_client_auth"} {
		out = append(out, setting{profile: oidcclient.FAPI1Advanced, auth: auth, delivery: "poll"}, setting{profile: oidcclient.FAPI1Advanced, auth: auth, delivery: "ping"})
	}
	return out
}

// cibaBy are those of one way of delivery.
func cibaBy(delivery string) []setting {
	return slices.DeleteFunc(cibaSettings(), func(s setting) bool { return s.delivery != delivery })
}

// asksPeople makes the relying party one that asks people at their own device. They agree
// after two polls, or before they are polled for.
func (r *rp) asksPeople(delivery string) {
	r.ping = delivery == "ping"
	r.config.BackchannelAlgorithm = "ES256"
	r.op.AskPeople(clientKey().Public(), map[bool]int{false: 2}[r.ping], r.ping)
}

// ask begins a login of the person.
func (r *rp) ask() (*grants.Backchannel, error) {
	r.Helper()
	return r.askBy(grants.BackchannelRequest{LoginHint: "user@example.com"})
}

// askBy begins a login of the person whom a hint names.
func (r *rp) askBy(hint grants.BackchannelRequest) (*grants.Backchannel, error) {
	r.Helper()
	hint.Request, hint.Claims = grants.Request{Scopes: []string{"openid", "accounts"}}, r.begin.Claims
	hint.Ping, hint.Clock = r.ping, func() time.Time { return r.op.Now }
	return grants.BeginBackchannel(r.Context(), r.client(), hint)
}

// wait waits until there is an answer: for the notification, or by polls, between which
// time goes by an interval at a time.
func (r *rp) wait(login *grants.Backchannel) (*oidcclient.Session, error) {
	r.Helper()
	if r.ping {
		before := len(r.op.Calls(Token))
		_, err := login.Poll(r.Context())
		require.ErrorIs(r, err, grants.ErrPending)
		require.Len(r, r.op.Calls(Token), before, "it is ahead of the interval's end")
		assert.Equal(r, http.StatusNoContent, r.notify(login, r.notificationToken()))
		return login.Poll(r.Context())
	}
	for range 10 {
		s, err := login.Poll(r.Context())
		if !errors.Is(err, grants.ErrPending) {
			return s, err
		}
		r.op.Now = r.op.Now.Add(login.Interval())
	}
	return nil, errors.New("the person never agrees")
}

// polls are the token requests that one login takes.
func (r *rp) polls() int { return map[bool]int{true: 1, false: 3}[r.ping] }

// agree is a whole login.
func (r *rp) agree() (*oidcclient.Session, error) {
	r.Helper()
	login, err := r.ask()
	require.NoError(r, err)
	return r.wait(login)
}

// opened demands that a login succeeded and opens the accounts.
func (r *rp) opened(s *oidcclient.Session, err error) *oidcclient.Session {
	r.Helper()
	require.NoError(r, err)
	assert.Equal(r, "user-subject-1234531", s.Subject())
	assert.Equal(r, http.StatusOK, r.readAccounts(r.tokens(s)))
	return s
}

// cibaModules are those of FAPI-CIBA ID1.
func cibaModules() []module {
	const prefix = "fapi-ciba-id1-client-"
	plays := func(name string, settings []setting, run func(*rp)) module {
		return module{prefix + name, []variant{detached}, inEach(settings, run)}
	}
	return slices.Concat([]module{
		plays("test", cibaSettings(), func(r *rp) {
			r.opened(r.agree())
			assert.Len(r, r.op.Calls(Token), r.polls())
		}),
		plays("refresh-token-test", cibaSettings(), func(r *rp) { r.refreshesTwice(r.opened(r.agree())) }),
		plays("valid-aud-as-array-test", cibaSettings(), func(r *rp) {
			r.op.ChangeJWT(audienceAsArray, CodeToken)
			r.opened(r.agree())
		}),
		plays("no-scope-in-token-endpoint-response-test", cibaSettings(), func(r *rp) {
			r.leaveOut(Token, "scope", "expires_in")
			s := r.opened(r.agree())
			assert.Equal(r, []string{"openid", "accounts"}, s.Scopes())
		}),
		plays("respects-interval-test", cibaSettings(), (*rp).respectsInterval),
		plays("slow-down-test", cibaBy("poll"), (*rp).slowsDown),
		plays("ping-with-invalid-bearer-token-test", cibaBy("ping"), (*rp).refusesPing),
	}, cibaHints(plays), cibaAnswers(plays), cibaTokens(plays))
}

// refusesAsked demands that nobody is asked, and nothing polled, for the code of the
// provider's answer or, without one, because of the answer itself.
func (r *rp) refusesAsked(err error, code string, status int) *oidcclient.Error {
	r.Helper()
	refused := r.refused(err, oidcclient.StepGrant, "", Accounts)
	assert.Equal(r, code, refused.Code)
	assert.Equal(r, status, refused.Status)
	return refused
}

// cibaHints are about who is to be asked, which the provider judges.
func cibaHints(plays func(string, []setting, func(*rp)) module) []module {
	// refusesHint has a login's ID token as the hint of another one, as good as change
	// makes it.
	refusesHint := func(code string, change func(r *rp, idToken string) string) func(*rp) {
		return func(r *rp) {
			s, err := r.agree()
			require.NoError(r, err)
			raw := s.IDToken().Raw()
			_, err = r.askBy(grants.BackchannelRequest{IDTokenHint: raw})
			require.NoError(r, err)
			before := len(r.op.Calls(Token))
			_, err = r.askBy(grants.BackchannelRequest{IDTokenHint: change(r, raw)})
			r.refusesAsked(err, code, http.StatusBadRequest)
			assert.Len(r, r.op.Calls(Token), before)
		}
	}
	return []module{
		plays("invalid-expired-id-token-hint-test", cibaSettings(), refusesHint("expired_id_token_hint", func(r *rp, idToken string) string {
			r.op.Now = r.op.Now.Add(time.Hour)
			return idToken
		})),
		plays("invalid-id-token-hint-test", cibaSettings(), refusesHint("invalid_id_token_hint", func(_ *rp, idToken string) string { return Break(idToken) })),
		plays("invalid-unknown-user-id-test", cibaSettings(), func(r *rp) {
			_, err := r.askBy(grants.BackchannelRequest{LoginHint: "nobody@example.com"})
			r.refusesAsked(err, "unknown_user_id", http.StatusBadRequest)
			r.uncalled(Token)
		}),
	}
}

// cibaAnswers are about what the endpoints answer.
func cibaAnswers(plays func(string, []setting, func(*rp)) module) []module {
	// What the person was asked with is refused, and nothing is polled.
	lacks := func(name, member string) module {
		return plays(name, cibaSettings(), func(r *rp) {
			r.leaveOut(Backchannel, member)
			_, err := r.ask()
			refused := r.refusesAsked(err, "", http.StatusOK)
			assert.Equal(r, oidcclient.FaultProvider, refused.Fault)
			assert.Contains(r, refused.Reason, member)
			r.uncalled(Token)
		})
	}
	// The third poll is the last one.
	ends := func(code string) module {
		return plays("invalid-"+strings.ReplaceAll(strings.TrimPrefix(code, "invalid_"), "_", "-")+"-test", cibaBy("poll"), func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) {
				if len(r.op.Calls(Token)) == 3 {
					*a = *refusal(http.StatusBadRequest, code)
				}
			})
			login, err := r.ask()
			require.NoError(r, err)
			_, err = r.wait(login)
			if code == "expired_token" {
				require.ErrorIs(r, err, grants.ErrExpired)
			} else {
				assert.Equal(r, code, r.refused(err, oidcclient.StepGrant, "", Accounts).Code)
			}
			r.op.Now = r.op.Now.Add(30 * time.Second)
			_, again := login.Poll(r.Context())
			assert.Equal(r, err, again)
			assert.Len(r, r.op.Calls(Token), 3)
		})
	}
	return []module{
		lacks("invalid-missing-authreqid-test", "auth_req_id"), lacks("invalid-missing-expiresin-test", "expires_in"),
		ends("invalid_request"), ends("access_denied"), ends("expired_token"),
	}
}

// cibaTokens are about the ID token that a login ends with.
func cibaTokens(plays func(string, []setting, func(*rp)) module) []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return plays("invalid-"+name+"-test", cibaSettings(), func(r *rp) { r.refusesAgreed(check, spoil) })
	}
	return []module{
		refuses("iss", "iss", more("iss")),
		refuses("aud", "aud", more("aud")),
		refuses("secondary-aud", "aud", func(t *JWT) { t.Claims["aud"] = []any{t.Claims["aud"], "another-client"} }),
		refuses("signature", "signature", broken),
		refuses("null-alg", "shape", func(t *JWT) { t.Header = map[string]any{"alg": "none"} }),
		refuses("alternate-alg", "header", func(t *JWT) { t.Header["alg"], t.Header["kid"] = "RS256", usualKeys()[0].ID() }),
		refuses("expired-exp", "exp", func(t *JWT) { t.Claims["exp"] = t.Claims["iat"].(int64) - 301 }),
		refuses("iat-is-week-in-past", "iat", weekOld),
		refuses("missing-aud", "aud", without("aud")),
		refuses("missing-exp", "exp", without("exp")),
		refuses("missing-iss", "iss", without("iss")),
	}
}

// refusesAgreed demands that a spoiled ID token is refused for check, and that nothing
// is called after it: the tokens are used up.
func (r *rp) refusesAgreed(check string, spoil func(*JWT)) {
	r.Helper()
	r.op.ChangeJWT(spoil, CodeToken)
	login, err := r.ask()
	require.NoError(r, err)
	_, err = r.wait(login)
	r.refused(err, oidcclient.StepIdentity, check, UserInfo, Accounts)
	r.op.Now = r.op.Now.Add(30 * time.Second)
	_, again := login.Poll(r.Context())
	assert.Equal(r, err, again)
	assert.Len(r, r.op.Calls(Token), r.polls())
}

// respectsInterval demands that a poll which comes too early asks nobody, also of a
// client that was promised a notification.
func (r *rp) respectsInterval() {
	r.Helper()
	r.op.Change(Backchannel, func(_ *Call, a *Answer) { a.Members["interval"] = 31 })
	login, err := r.ask()
	require.NoError(r, err)
	assert.Equal(r, 31*time.Second, login.Interval())
	for i, tt := range []struct {
		after time.Duration
		polls int
	}{{0, 0}, {30*time.Second + 999*time.Millisecond, 0}, {time.Millisecond, 1}, {30 * time.Second, 1}, {time.Second, 2}, {31 * time.Second, 3}} {
		r.op.Now = r.op.Now.Add(tt.after)
		_, err := login.Poll(r.Context())
		require.Equal(r, tt.polls < r.polls(), errors.Is(err, grants.ErrPending), "poll %d: %v", i, err)
		assert.Len(r, r.op.Calls(Token), min(tt.polls, r.polls()), "poll %d", i)
	}
}

// slowsDown demands five seconds more after slow_down.
func (r *rp) slowsDown() {
	r.Helper()
	r.op.Change(Token, func(_ *Call, a *Answer) {
		if len(r.op.Calls(Token)) == 2 {
			*a = *refusal(http.StatusBadRequest, "slow_down")
		}
	})
	login, err := r.ask()
	require.NoError(r, err)
	for range 3 {
		r.op.Now = r.op.Now.Add(5 * time.Second)
		_, err := login.Poll(r.Context())
		require.ErrorIs(r, err, grants.ErrPending)
	}
	assert.Len(r, r.op.Calls(Token), 2, "the third came five seconds after slow_down")
	assert.Equal(r, 10*time.Second, login.Interval())
	r.op.Now = r.op.Now.Add(5 * time.Second)
	r.opened(login.Poll(r.Context()))
}

// notify delivers a notification with a token, the way the provider does (OpenID Connect
// CIBA Core §10.2), to an application that has this one login.
func (r *rp) notify(login *grants.Backchannel, token string) int {
	r.Helper()
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		id, err := grants.ReadNotification(req)
		if err != nil || id != login.ID() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		switch err := login.Notified(req); {
		case errors.Is(err, grants.ErrNotification):
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer application.Close()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, application.URL, strings.NewReader(`{"auth_req_id":"`+login.ID()+`"}`))
	require.NoError(r, err)
	req.Header.Set("Authorization", "Bearer "+token)
	answer, err := application.Client().Do(req)
	require.NoError(r, err)
	require.NoError(r, answer.Body.Close())
	return answer.StatusCode
}

// notificationToken is what the provider was told with the last login.
func (r *rp) notificationToken() string {
	r.Helper()
	asked := r.op.Calls(Backchannel)
	require.NotEmpty(r, asked)
	token, _ := payload(asked[len(asked)-1].Form.Get("request"))["client_notification_token"].(string)
	return token
}

// refusesPing demands 401 for somebody else's notification, which changes nothing.
func (r *rp) refusesPing() {
	r.Helper()
	login, err := r.ask()
	require.NoError(r, err)
	token := r.notificationToken()
	for _, wrong := range []string{token + "1", token[1:], "", "another"} {
		assert.Equal(r, http.StatusUnauthorized, r.notify(login, wrong))
		_, err := login.Poll(r.Context())
		require.ErrorIs(r, err, grants.ErrPending)
	}
	r.uncalled(Token)
	r.opened(r.wait(login))
}
