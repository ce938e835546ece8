package weblogin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// Tokens gives the access token of a session for an [oidcclient.Transport] or by
// hand, refreshing it ahead of its end for all who ask, here and on other
// replicas. s is not changed. When the login has ended at the provider the error
// is a [*Problem] with the status 401, and the session has ended too.
func (h *Handler) Tokens(s *Session) oidcclient.AccessTokens {
	return &sessionTokens{h: h, session: s}
}

type sessionTokens struct {
	h *Handler

	mu      sync.Mutex // guards session
	session *Session
}

// AccessToken implements [oidcclient.AccessTokens].
func (t *sessionTokens) AccessToken(ctx context.Context, refused string) (oidcclient.AccessToken, error) {
	t.mu.Lock()
	s := t.session
	t.mu.Unlock()
	token := s.Login.Token()
	due, now := s.Login.RefreshAt(), t.h.now()
	if token.AccessToken != refused && (due.IsZero() || now.Before(due)) {
		return s.Login.AccessToken(), nil
	}
	fresh, err := t.h.refreshed(ctx, s, time.Time{})
	if err != nil {
		good := token.Expiry.IsZero() || now.Before(token.Expiry)
		if p := problemOf(err); good && token.AccessToken != refused && (p.Status != http.StatusUnauthorized || errors.Is(err, errNoRefreshToken)) {
			return s.Login.AccessToken(), nil // there will be another try before it ends
		}
		return oidcclient.AccessToken{}, err
	}
	t.mu.Lock()
	if fresh.refreshes > t.session.refreshes {
		t.session = fresh
	}
	t.mu.Unlock()
	return fresh.Login.AccessToken(), nil
}
