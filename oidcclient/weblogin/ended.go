package weblogin

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// endedData stands in a record in the place of a session that lives in
	// cookies and has ended.
	endedData = "ended"
	// clockSkew is how far the clocks of two replicas may be apart, when one of
	// them begins a session and the other ends the person's sessions.
	clockSkew = 2 * time.Second
	// maxTries bounds how often a record is replaced that others replace too.
	maxTries = 10
)

// logoutNames are what a session is found by when the provider ends it: its sid
// and its subject, each at its client and issuer. They are hashes, so that a
// store doesn't show who is logged in; a subject that can be guessed can be
// found again.
func logoutNames(s *Session) []string {
	if !s.Login.Identified() {
		return nil
	}
	client, issuer, subject, sid := s.Client, s.Login.Issuer(), s.Login.Subject(), s.Login.SessionID()
	if sid == "" {
		return []string{subjectName(client, issuer, subject), unnamedName(client, issuer, subject)}
	}
	return []string{subjectName(client, issuer, subject), sidName(client, issuer, sid)}
}

func subjectName(client, issuer, subject string) string {
	return digest("sub", client, issuer, subject)
}

// unnamedName is of sessions that the provider gave no sid: a logout token that names one
// of the person's sessions may be about any of them.
func unnamedName(client, issuer, subject string) string {
	return digest("sub without sid", client, issuer, subject)
}

func sidName(client, issuer, sid string) string { return digest("sid", client, issuer, sid) }

// markKey is the key of the record that says when the sessions of a name were
// ended: those in cookies can't be deleted.
func markKey(name string) string { return digest("ended", name) }

// marks are the keys of the marks that end a session, in the order of its names.
func (s *Session) marks() []string {
	if s.markKeys == nil {
		for _, name := range logoutNames(s) {
			s.markKeys = append(s.markKeys, markKey(name))
		}
	}
	return s.markKeys
}

// endNamed ends the sessions of one client with this sid, this subject, or both
// where neither is "", and then those of the subject that have no sid too. It returns
// how many of them were in the store.
func (h *Handler) endNamed(ctx context.Context, client, issuer, sid, subject string) (int, error) {
	unnamed := 0
	if sid != "" && subject != "" {
		var err error
		if unnamed, err = h.endWith(ctx, unnamedName(client, issuer, subject)); err != nil {
			return 0, err
		}
	}
	var names []string
	if sid != "" {
		names = append(names, sidName(client, issuer, sid))
	}
	if subject != "" {
		names = append(names, subjectName(client, issuer, subject))
	}
	named, err := h.endWith(ctx, names...)
	return unnamed + named, err
}

// endWith ends the sessions that have all of these names.
func (h *Handler) endWith(ctx context.Context, names ...string) (int, error) {
	if h.inCookies && len(names) > 0 {
		// First, so that none enters the store afterwards. The first name is the
		// narrower one, and the last the one that has to fit too.
		mark := strconv.FormatInt(h.now().UnixNano(), 10) + " " + markKey(names[len(names)-1])
		if err := h.markEnded(ctx, markKey(names[0]), mark); err != nil {
			return 0, err
		}
	}
	count, err := h.sessions.DeleteNamed(ctx, names...)
	if err != nil {
		return 0, h.storeFailed(ctx, "delete", err)
	}
	return count, nil
}

// markEnded replaces a record by a mark, whoever has its lease. It never deletes it
// first: a version that began anew would let a holder of the old one replace the mark.
func (h *Handler) markEnded(ctx context.Context, key, mark string) error {
	r := h.mark(key, mark)
	for try := 0; ; try++ {
		err := h.sessions.Put(ctx, r)
		if err == nil {
			return nil
		}
		if try == maxTries || !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound) {
			return h.storeFailed(ctx, "put", err)
		}
		there, err := h.sessions.Load(ctx, key)
		if err != nil {
			return h.storeFailed(ctx, "load", err)
		}
		r.Version = 0
		for _, record := range there {
			r.Version = record.Version
		}
	}
}

// mark is a record that lives as long as any session.
func (h *Handler) mark(key, data string) Record {
	return Record{Key: key, Data: data, ExpiresAt: h.now().Add(h.life + clockSkew)}
}

// startAfterMarks dates a session that begins now behind the marks that are there
// already: they are about earlier ones.
func (h *Handler) startAfterMarks(ctx context.Context, s *Session) error {
	records, err := h.sessions.Load(ctx, s.marks()...)
	if err != nil {
		return h.storeFailed(ctx, "load", err)
	}
	for _, record := range records {
		if at, _, err := readMark(record); err == nil && !s.StartedAt.After(at) {
			s.StartedAt = at.Add(1)
		}
	}
	return nil
}

// readMark returns until when sessions were begun that a mark ends, and the key
// of the mark that has to fit too.
func readMark(record Record) (until time.Time, also string, err error) {
	when, also, _ := strings.Cut(record.Data, " ")
	at, err := strconv.ParseInt(when, 10, 64)
	return time.Unix(0, at).Add(clockSkew), also, err
}

// ended reports whether one of the marks among records ends a session. A mark
// that can't be read does.
func ended(s *Session, records []Record) bool {
	for _, record := range records {
		if !slices.Contains(s.marks(), record.Key) {
			continue
		}
		until, also, err := readMark(record)
		if err != nil || slices.Contains(s.marks(), also) && !s.StartedAt.After(until) {
			return true
		}
	}
	return false
}
