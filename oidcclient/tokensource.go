package oidcclient

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// refreshAhead is how long before its end an access token is renewed.
const refreshAhead = 10 * time.Second

// tokenSource is an oauth2.TokenSource over a session.
type tokenSource struct {
	ctx    context.Context
	client *Client
	save   func(context.Context, *Session) error

	mu      sync.Mutex // guards session and makes refreshes one after another
	session *Session
}

// TokenSource returns the session's access token as long as it is valid, and
// refreshes it then, for whatever takes an [oauth2.TokenSource]. save is called
// with each new session before its token is handed out, and its error is
// returned instead of the token: a rotated refresh token that is not stored
// would be lost. ctx ends the source's requests; it is the only place where this
// package keeps one, because an oauth2.TokenSource takes none.
func (c *Client) TokenSource(ctx context.Context, s *Session, save func(context.Context, *Session) error) oauth2.TokenSource {
	return &tokenSource{ctx: ctx, client: c, save: save, session: s}
}

// Token implements [oauth2.TokenSource].
func (t *tokenSource) Token() (*oauth2.Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	expiry := t.session.Expiry()
	if expiry.IsZero() || t.client.now().Before(expiry.Add(-refreshAhead)) {
		return t.session.Token(), nil
	}
	fresh, err := t.client.Refresh(t.ctx, t.session)
	var ours *Error
	if errors.As(err, &ours) && ours.Session != nil {
		fresh = ours.Session
	}
	if fresh == nil {
		return nil, err
	}
	// Kept here first: if save fails, the next call must not use the old
	// refresh token again.
	t.session = fresh
	if saveErr := t.save(t.ctx, fresh); saveErr != nil {
		return nil, saveErr
	}
	if err != nil {
		return nil, err
	}
	return fresh.Token(), nil
}
