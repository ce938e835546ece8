package weblogin

import (
	"context"
	"errors"
	"time"
)

const (
	// leaseLasts is how long others wait for a holder that is gone, and how long
	// the store may be away while its holder waits for the provider.
	leaseLasts = 10 * time.Second
	// leaseRenews is how often its holder prolongs it.
	leaseRenews = 3 * time.Second
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

// hold prolongs the lease until stop is called, which waits for the end of that.
// That it could not is no concern of the holder's: storing will tell.
func (h *Handler) hold(ctx context.Context, s *Session) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = recover() }() // a store's panic ends no process
		ticker := time.NewTicker(h.leaseRenews)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_, _ = h.sessions.Lease(ctx, s.key, h.replica, leaseLasts)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
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
		_ = h.storeFailed(ctx, "release", err)
	}
}
