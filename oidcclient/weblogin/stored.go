package weblogin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// load returns the live session that cookies present, or ErrNoSession.
func (h *Handler) load(ctx context.Context, p presented) (*Session, error) {
	if p.key == "" {
		return nil, ErrNoSession
	}
	keys := []string{p.key}
	if p.sealed != nil {
		keys = append(keys, p.sealed.marks()...)
	}
	records, err := h.sessions.Load(ctx, keys...)
	if err != nil {
		return nil, h.storeFailed(ctx, "load", err)
	}
	s := p.sealed
	for _, record := range records {
		if record.Key == p.key {
			stored, err := h.openLive(ctx, record)
			if err != nil {
				return nil, err
			}
			// A cookie is newer than its record only where the store has lost
			// something.
			if s == nil || stored.refreshes >= s.refreshes {
				s, stored.stale = stored, s != nil && stored.refreshes > s.refreshes
			}
		}
	}
	if s == nil || !h.alive(s) {
		return nil, ErrNoSession
	}
	if h.inCookies && p.sealed == nil {
		if records, err = h.sessions.Load(ctx, s.marks()...); err != nil {
			return nil, h.storeFailed(ctx, "load", err)
		}
	}
	if h.inCookies && ended(s, records) {
		return nil, ErrNoSession
	}
	return s, nil
}

// alive judges the times of a session: a store may be slow to drop what has
// expired.
func (h *Handler) alive(s *Session) bool {
	now := h.now()
	return now.Before(s.ExpiresAt) && now.Before(s.EndsAt) && h.clients[s.Client] != nil
}

// openLive opens a record's sealed contents. They are bound to its key, so that a
// store can't give one person's session to another.
func (h *Handler) openLive(ctx context.Context, record Record) (*Session, error) {
	if record.Data == endedData {
		return nil, ErrNoSession
	}
	s, err := h.openSession(record.Data, record.Key)
	if err != nil || s.key != record.Key {
		h.log.WarnContext(ctx, "stored session can't be opened")
		return nil, ErrNoSession
	}
	s.version, s.ExpiresAt = record.Version, record.ExpiresAt
	if !h.alive(s) {
		return nil, ErrNoSession
	}
	return s, nil
}

// entered returns a session as it is once it has a record.
func (s *Session) entered() *Session {
	copied := *s
	copied.inCookie = false
	return &copied
}

// put stores a session under its key and version.
func (h *Handler) put(ctx context.Context, s *Session) error {
	text, err := h.sealSession(s, s.key)
	if err != nil {
		return h.storeFailed(ctx, "seal", err)
	}
	err = h.sessions.Put(ctx, Record{Key: s.key, Version: s.version, Data: text, Names: logoutNames(s), ExpiresAt: s.ExpiresAt})
	switch {
	case err == nil:
		s.version++
		return nil
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict):
		return err
	}
	return h.storeFailed(ctx, "put", err)
}

// extend notes that a session was used. A tenth of the idle timeout passes
// between two such notes, so that reading does not write every time.
func (h *Handler) extend(ctx context.Context, s *Session) {
	until := h.idleEnd(s.EndsAt)
	if until.Sub(s.ExpiresAt) < h.idle/10 {
		return
	}
	if !s.inCookie {
		if err := h.sessions.Extend(ctx, s.key, until); err != nil {
			// The session is good now; it only ends earlier than it might.
			_ = h.storeFailed(ctx, "extend", err)
			return
		}
	}
	s.ExpiresAt, s.stale = until, true
}

func (h *Handler) idleEnd(endsAt time.Time) time.Time {
	until := h.now().Add(h.idle).Round(0)
	if until.After(endsAt) {
		return endsAt
	}
	return until
}

// begin makes a session of a login, ends the one before it, and hands the new
// one to the browser.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, s *Session, before string) error {
	id := newRandom()
	s.key, s.version, s.inCookie = recordKey(id), 0, h.inCookies
	if h.inCookies {
		if err := h.startAfterMarks(r.Context(), s); err != nil {
			return err
		}
	} else if err := h.put(r.Context(), s); err != nil {
		return err
	}
	if before != "" {
		// If this fails, the browser forgets it now, and its idle timeout ends it.
		_ = h.remove(r.Context(), &Session{key: before}, 0)
	}
	return h.hand(w, s, id)
}

// moved gives a session a new id, which a login does even where it only adds to
// the session or repeats what was there, and changes it.
func (h *Handler) moved(w http.ResponseWriter, r *http.Request, key string, change func(*Session)) error {
	return h.turns.alone(r.Context(), key, func() error {
		old, err := h.leased(r.Context(), &Session{key: key})
		if err != nil {
			return err
		}
		id := newRandom()
		s := *old
		s.key, s.version = recordKey(id), 0
		change(&s)
		if err := h.put(r.Context(), &s); err != nil {
			return err
		}
		if err := h.remove(r.Context(), old, old.version); err != nil {
			// Ended in between, or somebody else's now: then it must not live on
			// under another id.
			_ = h.remove(r.Context(), &s, 0)
			if errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) {
				return ErrNoSession
			}
			return err
		}
		return h.hand(w, &s, id)
	})
}

// remove ends a session: its record, if its version is the given one or that is
// 0, and whatever copies of it cookies hold.
func (h *Handler) remove(ctx context.Context, s *Session, version int64) error {
	if h.inCookies {
		return h.replace(ctx, s, version)
	}
	err := h.sessions.Delete(ctx, s.key, version)
	if err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound) {
		return h.storeFailed(ctx, "delete", err)
	}
	return err
}

// replace puts a mark in the place of a record, for the copies in cookies.
func (h *Handler) replace(ctx context.Context, s *Session, version int64) error {
	if version == 0 {
		return h.markEnded(ctx, s.key, endedData)
	}
	r := h.mark(s.key, endedData)
	r.Version = version
	err := h.sessions.Put(ctx, r)
	switch {
	case err == nil, errors.Is(err, ErrConflict):
		return err
	case errors.Is(err, ErrNotFound):
		return errors.Join(err, h.markEnded(ctx, s.key, endedData))
	}
	return h.storeFailed(ctx, "put", err)
}

// troubles are the failures of a store, by operation, so that an outage does not
// fill the log with one record for each request.
type troubles struct {
	mu     sync.Mutex // guards logged
	logged map[string]trouble
}

type trouble struct {
	at     time.Time
	silent int // failures since, which were not logged
}

// troubleRests is how long further failures of an operation are only counted.
const troubleRests = 5 * time.Second

// note reports whether a failure is to be logged, and how many were not before it.
func (t *troubles) note(operation string, now time.Time) (log bool, silent int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, known := t.logged[operation]
	if age := now.Sub(last.at); known && age >= 0 && age < troubleRests {
		last.silent++
		t.logged[operation] = last
		return false, 0
	}
	if t.logged == nil {
		t.logged = map[string]trouble{}
	}
	t.logged[operation] = trouble{at: now}
	return true, last.silent
}

// storeFailed logs a store's error, whose text is not ours to show, and returns
// what to answer.
func (h *Handler) storeFailed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if log, silent := h.troubles.note(operation, h.now()); log {
		h.log.ErrorContext(ctx, "session store failed", "operation", operation, "error", err, "silent", silent)
	}
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", RetryAfter: retryAfter,
		Title: "Please try again in a moment", Description: "The application can't reach its store of sessions.",
	}
}
