package weblogin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// ErrNoSession is returned for a request whose browser is not logged in, or not
// any more.
var ErrNoSession = errors.New("weblogin: no session")

// A Session is a browser's login at this application. It is a copy: changing it
// changes nothing.
type Session struct {
	// Client is the key of the client in Config.Clients.
	Client string
	// Login is who the person is, and the tokens. Don't refresh it: what a
	// provider rotates has to be stored, as POST /refresh does.
	Login *oidcclient.Session
	// Checks is what was checked before the person was believed, without
	// personal data. It is empty for a legacy identity.
	Checks []idtoken.Outcome
	// StartedAt is when the login was completed.
	StartedAt time.Time
	// EndsAt is when the session ends in any case.
	EndsAt time.Time
	// ExpiresAt is when it ends if it is not used before.
	ExpiresAt time.Time

	key     string // of its record
	version int64
}

// ID names the session: unguessable, new with every login, and worth nothing as a
// cookie.
func (s *Session) ID() string { return s.key }

// sealedMeta is what a record holds beside the sealed oidcclient.Session.
type sealedMeta struct {
	Version   int           `json:"v"`
	Client    string        `json:"client"`
	StartedAt time.Time     `json:"started_at"`
	EndsAt    time.Time     `json:"ends_at"`
	Checks    []storedCheck `json:"checks,omitempty"`
}

type storedCheck struct {
	Name string `json:"name"`
	Made bool   `json:"made,omitempty"`
}

const (
	metaVersion    = 1
	metaDepth      = 4
	purposeSession = "weblogin session"
	// sealSeparator stands between two sealed texts; neither can hold it.
	sealSeparator = "~"
)

// Session returns the session of a request, or [ErrNoSession]; another error
// means that the store is out of order. It counts as use of the session.
func (h *Handler) Session(r *http.Request) (*Session, error) {
	if s, ok := r.Context().Value(sessionKey{}).(*Session); ok {
		return s, nil
	}
	s, err := h.load(r.Context(), h.presentedKey(r))
	if err != nil {
		return nil, err
	}
	h.extend(r.Context(), s)
	return s, nil
}

// sessionKey is the context key under which Require leaves the session that it
// has loaded.
type sessionKey struct{}

// presentedKey returns the key of the record that the request's cookie leads
// to, or "". A cookie that is there twice is not believed: one of them is not
// ours.
func (h *Handler) presentedKey(r *http.Request) string {
	cookies := r.CookiesNamed(h.sessionCookie())
	if len(cookies) != 1 || len(cookies[0].Value) != base64.RawURLEncoding.EncodedLen(sessionIDSize) {
		return ""
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(cookies[0].Value); err != nil {
		return ""
	}
	return recordKey(cookies[0].Value)
}

const sessionIDSize = 32 // bytes

func (h *Handler) sessionCookie() string { return h.cookie + "session" }

// newSessionID returns a cookie's value: 256 random bits.
func newSessionID() string {
	var id [sessionIDSize]byte
	rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// recordKey is what a store knows of a cookie's value: who reads the store can
// take over no session.
func recordKey(id string) string { return digest("session", id) }

// digest hashes parts, so that no two lists of parts have the same hash.
func digest(parts ...string) string {
	encoded, err := json.Marshal(parts)
	if err != nil {
		return "" // strings can always be encoded
	}
	sum := sha256.Sum256(encoded)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// load returns the live session with a key, or ErrNoSession.
func (h *Handler) load(ctx context.Context, key string) (*Session, error) {
	if key == "" {
		return nil, ErrNoSession
	}
	record, err := h.sessions.Load(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, h.storeFailed(ctx, "load", err)
	}
	s, err := h.open(record)
	if err != nil {
		h.log.WarnContext(ctx, "stored session can't be opened")
		return nil, ErrNoSession
	}
	// A store may be slow to drop what has expired.
	if now := h.now(); !now.Before(s.ExpiresAt) || !now.Before(s.EndsAt) || h.clients[s.Client] == nil {
		return nil, ErrNoSession
	}
	return s, nil
}

// open reads a record's sealed contents. They are bound to its key, so that a
// store can't give one person's session to another.
func (h *Handler) open(record Record) (*Session, error) {
	login, meta, ok := strings.Cut(record.Data, sealSeparator)
	if !ok {
		return nil, oidcclient.ErrSealed
	}
	plain, err := h.sealer.Open(purposeSession, meta, []byte(record.Key+sealSeparator+login))
	if err != nil {
		return nil, err
	}
	var m sealedMeta
	if err := strictjson.UnmarshalClosed(plain, &m, metaDepth); err != nil || m.Version != metaVersion {
		return nil, oidcclient.ErrSealed
	}
	s := &Session{
		Client: m.Client, StartedAt: m.StartedAt, EndsAt: m.EndsAt, Checks: outcomes(m.Checks),
		ExpiresAt: record.ExpiresAt, key: record.Key, version: record.Version,
	}
	if s.Login, err = h.sealer.OpenSession(login); err != nil {
		return nil, err
	}
	return s, nil
}

// put stores a session under its key and version.
func (h *Handler) put(ctx context.Context, s *Session) error {
	login, err := h.sealer.SealSession(s.Login)
	if err != nil {
		return h.storeFailed(ctx, "seal", err)
	}
	m := sealedMeta{Version: metaVersion, Client: s.Client, StartedAt: s.StartedAt, EndsAt: s.EndsAt}
	for _, outcome := range s.Checks {
		m.Checks = append(m.Checks, storedCheck{outcome.Check.String(), outcome.Made})
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return h.storeFailed(ctx, "seal", err)
	}
	meta, err := h.sealer.Seal(purposeSession, plain, []byte(s.key+sealSeparator+login))
	if err != nil {
		return h.storeFailed(ctx, "seal", err)
	}
	err = h.sessions.Put(ctx, Record{
		Key: s.key, Version: s.version, Data: login + sealSeparator + meta,
		Names: logoutNames(s), ExpiresAt: s.ExpiresAt,
	})
	switch {
	case err == nil:
		s.version++
		return nil
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict):
		return err
	}
	return h.storeFailed(ctx, "put", err)
}

// outcomes finds the checks by name: their numbers may differ between versions
// of this module.
func outcomes(stored []storedCheck) []idtoken.Outcome {
	var out []idtoken.Outcome
	for _, check := range idtoken.Checks() {
		for _, s := range stored {
			if s.Name == check.String() {
				out = append(out, idtoken.Outcome{Check: check, Made: s.Made})
			}
		}
	}
	return out
}

// extend notes that a session was used. A tenth of the idle timeout passes
// between two such notes, so that reading does not write every time.
func (h *Handler) extend(ctx context.Context, s *Session) {
	until := h.idleEnd(s.EndsAt)
	if until.Sub(s.ExpiresAt) < h.idle/10 {
		return
	}
	if err := h.sessions.Extend(ctx, s.key, until); err != nil {
		// The session is good now; it only ends earlier than it might.
		h.log.WarnContext(ctx, "session not extended", "error", err)
		return
	}
	s.ExpiresAt = until
}

func (h *Handler) idleEnd(endsAt time.Time) time.Time {
	until := h.now().Add(h.idle).Round(0)
	if until.After(endsAt) {
		return endsAt
	}
	return until
}

// begin makes a session of a login, ends the one before it, and hands the new
// cookie to the browser.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, s *Session, before string) error {
	id := newSessionID()
	s.key, s.version = recordKey(id), 0
	if err := h.put(r.Context(), s); err != nil {
		return err
	}
	if before != "" {
		if err := h.sessions.Delete(r.Context(), before); err != nil {
			// The browser forgets it now, and its idle timeout ends it.
			h.log.ErrorContext(r.Context(), "earlier session not ended", "error", err)
		}
	}
	h.setCookie(w, h.sessionCookie(), id, http.SameSiteLaxMode)
	return nil
}

// setCookie sets a cookie for as long as the browser runs. A value of "" removes
// it.
func (h *Handler) setCookie(w http.ResponseWriter, name, value string, site http.SameSite) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: site}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// storeFailed logs a store's error, whose text is not ours to show, and returns
// what to answer.
func (h *Handler) storeFailed(ctx context.Context, operation string, err error) error {
	h.log.ErrorContext(ctx, "session store failed", "operation", operation, "error", err)
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", RetryAfter: retryAfter,
		Title: "Please try again in a moment", Description: "The application can't reach its store of sessions.",
	}
}
