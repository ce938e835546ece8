package weblogin

import (
	"context"
	"errors"
	"time"
)

const (
	// leaseLasts is longer than anything that its holder does before it stores
	// the result, so that only a holder that is gone loses it.
	leaseLasts = 30 * time.Second
	// askTimeout bounds the token request and judging its answer.
	askTimeout = 25 * time.Second
	// storeTimeout bounds the attempts to store rotated tokens in a store that is
	// out of order.
	storeTimeout = 2 * time.Minute

	shortestPause = 20 * time.Millisecond
	longestPause  = 500 * time.Millisecond
)

// pause waits between two attempts, each time longer.
type pause struct{ last time.Duration }

func (p *pause) wait(ctx context.Context) error {
	p.last = min(max(2*p.last, shortestPause), longestPause)
	timer := time.NewTimer(p.last)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// leased takes the lease of a session, waiting for whoever has it, and returns
// the session as it is then. A session that lives in its cookie enters the store
// first: from now on that is where its state is.
func (h *Handler) leased(ctx context.Context, seen *Session) (*Session, error) {
	var pause pause
	for {
		record, err := h.sessions.Lease(ctx, seen.key, h.replica, leaseLasts)
		switch {
		case err == nil:
			return h.openLive(ctx, record)
		case errors.Is(err, ErrLeased):
			if err := pause.wait(ctx); err != nil {
				return nil, err
			}
		case errors.Is(err, ErrNotFound) && seen.inCookie:
			if err := h.enter(ctx, seen); err != nil {
				return nil, err
			}
			seen = seen.entered()
		case errors.Is(err, ErrNotFound):
			return nil, ErrNoSession
		default:
			return nil, h.storeFailed(ctx, "lease", err)
		}
	}
}

// newer returns the newer of a session as it is stored, under its lease, and as the
// caller has seen it: a store may have lost what it had acknowledged.
func newer(stored, seen *Session) *Session {
	if stored.refreshes >= seen.refreshes {
		return stored
	}
	kept := seen.entered()
	kept.version = stored.version
	return kept
}

// enter stores a session that has lived in its cookie alone. That another
// replica has done so meanwhile is as good.
func (h *Handler) enter(ctx context.Context, s *Session) error {
	s = s.entered()
	s.version = 0
	if err := h.put(ctx, s); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

// release gives the lease back where nothing was changed. A store that can't be
// reached ends it by itself.
func (h *Handler) release(ctx context.Context, s *Session) {
	if err := h.sessions.Release(ctx, s.key, h.replica); err != nil {
		h.storeFailed(ctx, "release", err)
	}
}
