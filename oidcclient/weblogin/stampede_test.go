package weblogin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// callers is how many ask for the token of one session at the same time.
const callers = 1000

// outOfTime logs in and lets the access token end.
func outOfTime(t *testing.T) (*site, *browser, *Session) {
	s := newSite(t, rig{
		ops:    map[string]oidctest.Config{"op": {}},
		config: func(c *Config) { c.IdleTimeout, c.Lifetime = 100*time.Hour, 100*time.Hour },
	})
	b := s.browser()
	b.login("/login/op")
	seen := s.h.must(t, b)
	s.clock.Advance(seen.Login.Expiry().Sub(s.clock.Now()) + time.Second)
	return s, b, seen
}

// ask lets many ask, each as a request of its own, at one handler after the other.
func ask(ctx context.Context, seen *Session, handlers ...*Handler) (tokens map[string]int, failures []error) {
	tokens = map[string]int{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			token, err := handlers[i%len(handlers)].Tokens(seen).AccessToken(ctx, "")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures = append(failures, err)
				return
			}
			tokens[token.Value]++
		})
	}
	wait.Wait()
	return tokens, failures
}

func TestStampedeMakesOneRequest(t *testing.T) {
	s, _, seen := outOfTime(t)
	tokens, failures := ask(t.Context(), seen, s.h)
	assert.Empty(t, failures)
	assert.Len(t, tokens, 1)
	assert.Equal(t, 1, s.sent("refresh_token"))
	tokens, failures = ask(t.Context(), seen, s.h)
	assert.Empty(t, failures)
	assert.Len(t, tokens, 1, "those who come later find the new tokens in the store")
	assert.Equal(t, 1, s.sent("refresh_token"))
}

func TestStampedeAtSeveralReplicasMakesOneRequest(t *testing.T) {
	s, _, seen := outOfTime(t)
	long := func(c *Config) { c.IdleTimeout, c.Lifetime = 100*time.Hour, 100*time.Hour }
	tokens, failures := ask(t.Context(), seen, s.h, s.replica("", long), s.replica("", long), s.replica("", long))
	assert.Empty(t, failures)
	assert.Len(t, tokens, 1)
	assert.Equal(t, 1, s.sent("refresh_token"))
}

func TestStampedeForShortTokens(t *testing.T) {
	s, b, seen := outOfTime(t)
	s.ops["op"].Answer(oidctest.StepToken, oidctest.Reply{
		ContentType: "application/json", Times: -1,
		Body: `{"access_token":"short","token_type":"Bearer","expires_in":5,"refresh_token":"next"}`,
	})
	tokens, failures := ask(t.Context(), seen, s.h)
	assert.Empty(t, failures)
	assert.Equal(t, map[string]int{"short": callers}, tokens)
	assert.Equal(t, 1, s.sent("refresh_token"))
	now := s.h.must(t, b)
	_, _ = ask(t.Context(), now, s.h)
	assert.Equal(t, 1, s.sent("refresh_token"), "it is good for five seconds")
	s.clock.Advance(4 * time.Second)
	_, _ = ask(t.Context(), now, s.h)
	assert.Equal(t, 2, s.sent("refresh_token"), "and renewed in its last quarter")
}

func TestStampedeSharesFailure(t *testing.T) {
	for name, reply := range map[string]oidctest.Reply{
		"outage":      {Status: http.StatusServiceUnavailable, Times: -1},
		"no answer":   {ContentType: "text/html", Body: "<p>maintenance", Times: -1},
		"end of it":   {Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"error":"invalid_grant"}`, Times: -1},
		"no json":     {ContentType: "application/json", Body: "{", Times: -1},
		"other error": {Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"error":"invalid_client"}`, Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			s, b, seen := outOfTime(t)
			s.ops["op"].Answer(oidctest.StepToken, reply)
			tokens, failures := ask(t.Context(), seen, s.h)
			assert.Empty(t, tokens)
			assert.Len(t, failures, callers)
			assert.Equal(t, 1, s.sent("refresh_token"))
			s.clock.Advance(failureRests)
			_, failures = ask(t.Context(), seen, s.h)
			assert.Len(t, failures, callers)
			if name == "end of it" {
				assert.Nil(t, b.session(), "log in again")
				assert.Equal(t, 1, s.sent("refresh_token"))
			} else {
				assert.NotNil(t, b.session(), "an outage ends no session")
				assert.Equal(t, 2, s.sent("refresh_token"), "later it is tried again")
			}
		})
	}
}

func TestTokens(t *testing.T) {
	s := newSite(t, rig{})
	b := s.browser()
	b.login("/login/op")
	tokens := s.h.Tokens(s.h.must(t, b))
	first, err := tokens.AccessToken(t.Context(), "")
	require.NoError(t, err)
	again, err := tokens.AccessToken(t.Context(), "another")
	require.NoError(t, err)
	assert.Equal(t, first, again, "that was not this one")
	second, err := tokens.AccessToken(t.Context(), first.Value)
	require.NoError(t, err)
	assert.NotEqual(t, first, second, "an API refused it")
	assert.Equal(t, second, s.h.must(t, b).Login.AccessToken(), "and the new one is stored")
	late, err := s.h.Tokens(s.h.must(t, b)).AccessToken(t.Context(), first.Value)
	require.NoError(t, err)
	assert.Equal(t, second, late)
	assert.Equal(t, 1, s.sent("refresh_token"))

	session := s.h.must(t, b)
	s.clock.Advance(session.Login.RefreshAt().Sub(s.clock.Now()))
	s.ops["op"].Down(true)
	ahead, err := s.h.Tokens(session).AccessToken(t.Context(), "")
	require.NoError(t, err, "it is good for some seconds more")
	assert.Equal(t, second, ahead)
	s.clock.Advance(time.Minute)
	_, err = s.h.Tokens(session).AccessToken(t.Context(), "")
	var e *oidcclient.Error
	require.True(t, errors.As(err, &e), "%v", err)
	assert.True(t, e.Retryable())
	s.ops["op"].Down(false)
	s.clock.Advance(time.Minute)
	b.send(http.MethodPost, "/logout", "")
	_, err = s.h.Tokens(session).AccessToken(t.Context(), "")
	assert.ErrorIs(t, err, ErrNoSession)
}
