package oidcclient_test

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// movingClock is one clock for both sides that a test moves.
type movingClock struct{ ahead atomic.Int64 }

func (c *movingClock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func newMovingRig(t *testing.T, change func(*oidcclient.Config)) (*rig, *movingClock) {
	clock := &movingClock{}
	return newRig(t, oidctest.Config{Clock: clock.Now}, func(c *oidcclient.Config) {
		c.Clock = clock.Now
		if change != nil {
			change(c)
		}
	}), clock
}

func TestTokenSource(t *testing.T) {
	r, clock := newMovingRig(t, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	var saved []*oidcclient.Session
	var failing error
	source := r.client.TokenSource(t.Context(), session, func(_ context.Context, s *oidcclient.Session) error {
		saved = append(saved, s)
		return failing
	})
	first, err := source.Token()
	require.NoError(t, err)
	assert.Equal(t, session.Token().AccessToken, first.AccessToken)
	assert.Empty(t, saved, "nothing was renewed")

	clock.ahead.Add(int64(session.Expiry().Sub(clock.Now())))
	second, err := source.Token()
	require.NoError(t, err)
	assert.NotEqual(t, first.AccessToken, second.AccessToken)
	require.Len(t, saved, 1, "stored before it was handed out")
	assert.Equal(t, second.RefreshToken, saved[0].Token().RefreshToken)

	clock.ahead.Add(int64(time.Until(second.Expiry)) - clock.ahead.Load())
	failing = errors.New("store is down")
	_, err = source.Token()
	assert.ErrorIs(t, err, failing)
	failing = nil
	third, err := source.Token()
	require.NoError(t, err, "the rotated refresh token is not lost")
	require.Len(t, saved, 3, "and saved again before it was handed out")
	assert.Same(t, saved[1], saved[2])
	assert.Equal(t, saved[1].Token().AccessToken, third.AccessToken)
}

// A rotated refresh token that nobody stores would be lost.
func TestTokenSourceWithoutSave(t *testing.T) {
	r, clock := newMovingRig(t, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	source := r.client.TokenSource(t.Context(), session, nil)
	_, err = source.Token()
	require.NoError(t, err, "it is good without a refresh")
	clock.ahead.Add(int64(session.Expiry().Sub(clock.Now())))
	_, err = source.Token()
	var refused *oidcclient.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "save", refused.Check)
}

// When the keys can't be had at a refresh, the tokens that came are not lost.
func TestRefreshWithoutKeys(t *testing.T) {
	r, clock := newMovingRig(t, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.op.RotateKeys())
	clock.ahead.Add(int64(time.Minute)) // past the cool-down
	r.op.Answer(oidctest.StepKeys, oidctest.Reply{Status: 503, Times: -1})
	_, err = r.client.Refresh(t.Context(), session)
	var failed *oidcclient.Error
	require.True(t, errors.As(err, &failed), "%v", err)
	assert.True(t, failed.Retryable())
	assert.False(t, failed.LoginAgain())
	require.NotNil(t, failed.Session)
	assert.Equal(t, session.Subject(), failed.Session.Subject())
	assert.NotEqual(t, session.Token().RefreshToken, failed.Session.Token().RefreshToken)

	r.op.Answer(oidctest.StepKeys, oidctest.Reply{Status: 503}) // once, and then its own again
	clock.ahead.Add(int64(time.Minute))
	_, err = r.client.Refresh(t.Context(), failed.Session)
	require.True(t, errors.As(err, &failed), "%v", err)
	clock.ahead.Add(int64(time.Minute))
	fresh, err := r.client.Refresh(t.Context(), failed.Session)
	require.NoError(t, err, "the kept tokens go on")
	assert.Equal(t, session.Subject(), fresh.Subject())
}

func TestRefreshRefusesAnotherPerson(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	r.op.OnToken(func(i *oidctest.Issue) { i.Claims["sub"] = "somebody else" })
	_, err = r.client.Refresh(t.Context(), session)
	var refused *oidcclient.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	assert.Equal(t, "refresh", refused.Check)
	assert.True(t, refused.LoginAgain())
	assert.Nil(t, refused.Session, "tokens of somebody else are not kept")

	other := newRig(t, oidctest.Config{}, nil)
	_, err = other.client.Refresh(t.Context(), session)
	assert.ErrorContains(t, err, "another client's")
}

func TestUserInfoRefusesAnotherPerson(t *testing.T) {
	for _, system := range []oidctest.System{oidctest.Generic, oidctest.BankID} {
		r := newRig(t, oidctest.Config{System: system}, func(c *oidcclient.Config) { c.UserInfo = true })
		_, err := r.login(t.Context())
		require.NoError(t, err)
		r.op.OnToken(func(i *oidctest.Issue) {
			if i.Step == oidctest.StepUserInfo {
				i.Claims["sub"] = "somebody else"
			}
		})
		_, err = r.login(t.Context())
		var refused *oidcclient.Error
		require.True(t, errors.As(err, &refused), "%v", err)
		assert.Equal(t, oidcclient.StepUserInfo, refused.Step)
		assert.Equal(t, oidcclient.FaultAnswer, refused.Fault)
	}
	r := newRig(t, oidctest.Config{System: oidctest.BankID}, func(c *oidcclient.Config) { c.UserInfo = true })
	r.op.Answer(oidctest.StepUserInfo, oidctest.Reply{Body: `{"sub":"x"}`})
	_, err := r.login(t.Context())
	assert.ErrorContains(t, err, "not signed")
}

func TestLogoutURL(t *testing.T) {
	r := newRig(t, oidctest.Config{}, func(c *oidcclient.Config) { c.PostLogoutRedirectURI = "http://127.0.0.1:1/bye" })
	session, err := r.login(t.Context())
	require.NoError(t, err)
	text, err := r.client.LogoutURL(t.Context(), session, "the-state")
	require.NoError(t, err)
	u, err := url.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, r.op.Client().EndSessionEndpoint, u.Scheme+"://"+u.Host+u.Path)
	assert.Equal(t, url.Values{
		"client_id": {r.op.Client().ClientID}, "id_token_hint": {session.IDToken().Raw()},
		"post_logout_redirect_uri": {"http://127.0.0.1:1/bye"}, "state": {"the-state"},
	}, u.Query())

	r = newRig(t, oidctest.Config{System: oidctest.Faces}, nil)
	session, err = r.login(t.Context())
	require.NoError(t, err)
	text, err = r.client.LogoutURL(t.Context(), session, "")
	require.NoError(t, err)
	assert.Empty(t, text, "it has no such endpoint")
	_, err = r.client.VerifyLogoutToken(t.Context(), "a.b.c")
	assert.Error(t, err)
}

func TestVerifyLogoutToken(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	raw, err := r.op.LogoutToken(session.Subject(), session.SessionID())
	require.NoError(t, err)
	token, err := r.client.VerifyLogoutToken(t.Context(), raw)
	require.NoError(t, err)
	assert.Equal(t, session.SessionID(), token.SessionID())
	_, err = r.client.VerifyLogoutToken(t.Context(), session.IDToken().Raw())
	assert.ErrorContains(t, err, "event", "an ID token is none")
}
