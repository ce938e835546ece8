package conformance

import (
	"crypto"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// ciba makes the relying party one that asks people at their own device, by signed
// requests and with tokens bound to its certificate (FAPI-CIBA ID1). The person agrees
// after two polls.
func (r *rp) ciba() {
	r.Helper()
	r.fapi(setting{profile: oidcclient.FAPI1Advanced, auth: "private_key_jwt"})
	r.prepare(func(r *rp) {
		r.config.BackchannelAlgorithm = "ES256"
		r.op.AskPeople(clientKey().Public(), 2)
	})
}

// ask begins a login of a person.
func (r *rp) ask(ping bool) (*grants.Backchannel, error) {
	r.Helper()
	return grants.BeginBackchannel(r.Context(), r.client(), grants.BackchannelRequest{
		Request: grants.Request{Scopes: []string{"openid", "accounts"}}, LoginHint: "user@example.com", Claims: r.begin.Claims, Ping: ping,
		Clock: func() time.Time { return r.op.Now },
	})
}

// wait polls until there is an answer. Time goes by an interval at a time.
func (r *rp) wait(login *grants.Backchannel) (*oidcclient.Session, error) {
	r.Helper()
	for range 10 {
		s, err := login.Poll(r.Context())
		if !errors.Is(err, grants.ErrPending) {
			return s, err
		}
		r.op.Now = r.op.Now.Add(login.Interval())
	}
	return nil, errors.New("the person never agrees")
}

// agree is a whole login by polls.
func (r *rp) agree() (*oidcclient.Session, error) {
	r.Helper()
	login, err := r.ask(false)
	require.NoError(r, err)
	return r.wait(login)
}

// opened demands that a login by polls succeeded and opens the accounts.
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
	plays := func(name string, run func(*rp)) module {
		return module{prefix + name, []variant{detached}, func(r *rp) {
			r.ciba()
			run(r)
		}}
	}
	return slices.Concat([]module{
		plays("test", func(r *rp) {
			r.Run("poll", func(t *testing.T) { r := r.again(t); r.opened(r.agree()) })
			r.Run("ping", func(t *testing.T) { r.again(t).pinged() })
		}),
		plays("refresh-token-test", func(r *rp) { r.refreshesTwice(r.opened(r.agree())) }),
		plays("valid-aud-as-array-test", func(r *rp) {
			r.op.ChangeJWT(audienceAsArray, CodeToken)
			r.opened(r.agree())
		}),
		plays("no-scope-in-token-endpoint-response-test", func(r *rp) {
			r.leaveOut(Token, "scope", "expires_in")
			s := r.opened(r.agree())
			assert.Equal(r, []string{"openid", "accounts"}, s.Scopes())
		}),
		plays("respects-interval-test", (*rp).respectsInterval),
		plays("slow-down-test", (*rp).slowsDown),
		plays("ping-with-invalid-bearer-token-test", (*rp).refusesPing),
	}, cibaAnswers(plays), cibaTokens(plays))
}

// cibaAnswers are about what the endpoints answer.
func cibaAnswers(plays func(string, func(*rp)) module) []module {
	// What the person was asked with is refused, and nothing is polled.
	refusesBegin := func(name, check string, spoil func(*Answer)) module {
		return plays(name, func(r *rp) {
			r.op.Change(Backchannel, func(_ *Call, a *Answer) { spoil(a) })
			_, err := r.ask(false)
			refused := r.refused(err, oidcclient.StepGrant, "", Token, Accounts)
			assert.Equal(r, check, refused.Code)
		})
	}
	fails := func(code string) module {
		return refusesBegin("invalid-"+strings.ReplaceAll(strings.TrimPrefix(code, "invalid_"), "_", "-")+"-test", code, func(a *Answer) { *a = *refusal(400, code) })
	}
	// The third poll is the last one.
	ends := func(code string) module {
		return plays("invalid-"+strings.ReplaceAll(strings.TrimPrefix(code, "invalid_"), "_", "-")+"-test", func(r *rp) {
			r.op.Change(Token, func(_ *Call, a *Answer) {
				if len(r.op.Calls(Token)) == 3 {
					*a = *refusal(http.StatusBadRequest, code)
				}
			})
			login, err := r.ask(false)
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
		refusesBegin("invalid-missing-authreqid-test", "", func(a *Answer) { delete(a.Members, "auth_req_id") }),
		refusesBegin("invalid-missing-expiresin-test", "", func(a *Answer) { delete(a.Members, "expires_in") }),
		fails("expired_id_token_hint"), fails("unknown_user_id"), fails("invalid_id_token_hint"),
		ends("invalid_request"), ends("access_denied"), ends("expired_token"),
	}
}

// cibaTokens are about the ID token that the last poll brings.
func cibaTokens(plays func(string, func(*rp)) module) []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return plays("invalid-"+name+"-test", func(r *rp) { r.refusesAgreed(check, spoil) })
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
	login, err := r.ask(false)
	require.NoError(r, err)
	_, err = r.wait(login)
	r.refused(err, oidcclient.StepIdentity, check, UserInfo, Accounts)
	r.op.Now = r.op.Now.Add(30 * time.Second)
	_, again := login.Poll(r.Context())
	assert.Equal(r, err, again)
	assert.Len(r, r.op.Calls(Token), 3)
}

// respectsInterval demands that a poll which comes too early asks nobody.
func (r *rp) respectsInterval() {
	r.Helper()
	r.op.Change(Backchannel, func(_ *Call, a *Answer) { a.Members["interval"] = 31 })
	login, err := r.ask(false)
	require.NoError(r, err)
	assert.Equal(r, 31*time.Second, login.Interval())
	for i, tt := range []struct {
		after time.Duration
		polls int
	}{{0, 0}, {30*time.Second + 999*time.Millisecond, 0}, {time.Millisecond, 1}, {30 * time.Second, 1}, {time.Second, 2}, {31 * time.Second, 3}} {
		r.op.Now = r.op.Now.Add(tt.after)
		_, err := login.Poll(r.Context())
		require.Equal(r, tt.polls < 3, errors.Is(err, grants.ErrPending), "poll %d: %v", i, err)
		assert.Len(r, r.op.Calls(Token), tt.polls, "poll %d", i)
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
	login, err := r.ask(false)
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

// ping delivers a notification with a token, the way the provider does (OpenID Connect
// CIBA Core §10.2), to an application that has this one login.
func (r *rp) ping(login *grants.Backchannel, token string) int {
	r.Helper()
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		id, err := grants.ReadNotification(req)
		switch {
		case err != nil || id != login.ID():
			w.WriteHeader(http.StatusBadRequest)
		case login.Notified(req) != nil:
			w.WriteHeader(http.StatusUnauthorized)
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

// asksByPing begins a login in ping mode and returns the token for its notification.
func (r *rp) asksByPing() (*grants.Backchannel, string) {
	r.Helper()
	r.op.AskPeople(clientKey().Public(), 0)
	login, err := r.ask(true)
	require.NoError(r, err)
	request := r.op.Calls(Backchannel)[0].Form.Get("request")
	_, claims, _ := ReadJWT(request, func(map[string]any) crypto.PublicKey { return clientKey().Public() })
	token, _ := claims["client_notification_token"].(string)
	require.GreaterOrEqual(r, len(token), 22, "128 bits")
	return login, token
}

// pinged is a login in ping mode: the notification comes ahead of the interval's end.
func (r *rp) pinged() {
	r.Helper()
	login, token := r.asksByPing()
	_, err := login.Poll(r.Context())
	require.ErrorIs(r, err, grants.ErrPending)
	r.uncalled(Token)
	assert.Equal(r, http.StatusNoContent, r.ping(login, token))
	r.opened(login.Poll(r.Context()))
	assert.Len(r, r.op.Calls(Token), 1)
}

// refusesPing demands 401 for somebody else's notification, which changes nothing.
func (r *rp) refusesPing() {
	r.Helper()
	login, token := r.asksByPing()
	for _, wrong := range []string{token + "1", token[1:], "", "another"} {
		assert.Equal(r, http.StatusUnauthorized, r.ping(login, wrong))
		_, err := login.Poll(r.Context())
		require.ErrorIs(r, err, grants.ErrPending)
	}
	r.uncalled(Token)
	assert.Equal(r, http.StatusNoContent, r.ping(login, token))
	r.opened(login.Poll(r.Context()))
}
