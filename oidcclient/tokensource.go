package oidcclient

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// failureRests is how long a refresh that failed is not tried again: whoever
// asks meanwhile gets the same error.
const failureRests = time.Second

// A TokenSource gives the access token of one session as long as it is good, and
// refreshes it ahead of its end. However many ask at once, the provider is asked
// once, and nobody's context ends that but the source's own: who waits may give
// up. It is safe for concurrent use.
//
// It serves one process. Where several share a session, package weblogin's
// Handler.Tokens does the same with a lease.
type TokenSource struct {
	ctx    context.Context
	client *Client
	save   func(context.Context, *Session) error

	renewing singleflight.Group

	mu       sync.Mutex // guards what follows
	session  *Session
	unsaved  bool  // session is not to be used before it is stored
	failure  error // of the last refresh, or nil
	failedAt time.Time
}

// TokenSource returns a source of the session's access token. save is called
// with each new session before its token is handed out; as long as it fails, its
// error is returned instead and the next call saves again: a rotated refresh
// token that is not stored would be lost. Without save, nothing is refreshed: once
// the token is over, there is an error. ctx ends the source's requests.
func (c *Client) TokenSource(ctx context.Context, s *Session, save func(context.Context, *Session) error) *TokenSource {
	return &TokenSource{ctx: ctx, client: c, save: save, session: s}
}

// Token implements [oauth2.TokenSource].
func (t *TokenSource) Token() (*oauth2.Token, error) {
	s, err := t.current(t.ctx, "")
	if err != nil {
		return nil, err
	}
	return s.Token(), nil
}

// AccessToken implements [AccessTokens].
func (t *TokenSource) AccessToken(ctx context.Context, refused string) (AccessToken, error) {
	s, err := t.current(ctx, refused)
	if err != nil {
		return AccessToken{}, err
	}
	return s.AccessToken(), nil
}

// Session returns the session as it is now.
func (t *TokenSource) Session() *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session
}

func (t *TokenSource) current(ctx context.Context, refused string) (*Session, error) {
	if s, err := t.known(refused); s != nil || err != nil {
		return s, err
	}
	result := t.renewing.DoChan("", func() (any, error) { return nil, t.renew(refused) })
	select {
	case r := <-result:
		if r.Err != nil {
			return t.lasting(refused, r.Err)
		}
		return t.Session(), nil
	case <-ctx.Done():
		return nil, outage(ctx, StepRefresh, ctx.Err())
	}
}

// known returns the session where its token can be used without a refresh, or
// the error of one that failed just now; neither means that it is time for one.
func (t *TokenSource) known(refused string) (*Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.session.RefreshAt()
	switch now := t.client.now(); {
	case t.unsaved:
		return nil, nil
	case t.session.data.AccessToken != refused && (due.IsZero() || now.Before(due)):
		return t.session, nil
	case t.failure == nil || !t.over(t.failure) && now.Sub(t.failedAt) >= failureRests:
		return nil, nil
	}
	return t.still(refused, t.failure)
}

// over reports that no refresh can succeed any more.
func (t *TokenSource) over(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.LoginAgain()
}

// lasting returns the session where its token is good although a refresh ahead
// of its end failed.
func (t *TokenSource) lasting(refused string, err error) (*Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.still(refused, err)
}

func (t *TokenSource) still(refused string, err error) (*Session, error) {
	expiry := t.session.Expiry()
	if t.unsaved || t.session.data.AccessToken == refused || !expiry.IsZero() && !t.client.now().Before(expiry) {
		return nil, err
	}
	return t.session, nil
}

// renew refreshes and saves. One call runs at a time.
func (t *TokenSource) renew(refused string) error {
	if s, err := t.known(refused); s != nil || err != nil {
		return err // somebody else was faster
	}
	if t.save == nil {
		return refuse(StepRefresh, "save", "token has to be refreshed, and there is nothing to store another one with")
	}
	t.mu.Lock()
	s, unsaved := t.session, t.unsaved
	t.mu.Unlock()
	if unsaved {
		return t.store(s, nil)
	}
	fresh, err := t.client.Refresh(t.ctx, s)
	var e *Error
	if errors.As(err, &e) && e.Session != nil {
		fresh = e.Session
	}
	if fresh == nil {
		t.mu.Lock()
		t.failure, t.failedAt = err, t.client.now()
		t.mu.Unlock()
		return err
	}
	// Kept here first: if save fails, the next call must not use the old
	// refresh token again.
	t.mu.Lock()
	t.session, t.unsaved, t.failure, t.failedAt = fresh, true, err, t.client.now()
	t.mu.Unlock()
	return t.store(fresh, err)
}

func (t *TokenSource) store(fresh *Session, refusal error) error {
	if err := t.save(t.ctx, fresh); err != nil {
		return err
	}
	t.mu.Lock()
	t.unsaved = false
	t.mu.Unlock()
	return refusal
}
