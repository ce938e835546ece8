package weblogin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

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
	// provider rotates has to be stored, as POST /refresh and [Handler.Tokens]
	// do.
	Login *oidcclient.Session
	// StartedAt is when the login was completed.
	StartedAt time.Time
	// EndsAt is when the session ends in any case.
	EndsAt time.Time
	// ExpiresAt is when it ends if it is not used before.
	ExpiresAt time.Time

	key       string // of its record
	version   int64  // of its record
	refreshes int64  // how often the tokens were renewed
	checks    string
	markKeys  []string // see marks
	inCookie  bool     // as far as is known it has no record
	stale     bool     // its cookie is no longer what it was made of
}

// ID names the session: unguessable, new with every login, and worth nothing as a
// cookie.
func (s *Session) ID() string { return s.key }

// Session returns the session of a request, or [ErrNoSession]; another error
// means that the store is out of order. Behind [Handler.Require] and
// [Handler.Attach] it returns what they have found. Elsewhere it looks itself,
// which counts as use of a session in a store, but not of one in a cookie: that
// would need an answer to put it into.
func (h *Handler) Session(r *http.Request) (*Session, error) {
	s, err := h.current(r)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// sessionKey is the context key under which Require and Attach leave what they
// have found.
type sessionKey struct{}

// found is a session, or why there is none.
type found struct {
	session *Session
	err     error
}

func (h *Handler) current(r *http.Request) (*Session, error) {
	if f, ok := r.Context().Value(sessionKey{}).(found); ok {
		return f.session, f.err
	}
	s, err := h.load(r.Context(), h.presented(r))
	if err != nil {
		return nil, err
	}
	h.extend(r.Context(), s)
	return s, nil
}

// digest hashes parts, so that no two lists of parts have the same hash.
func digest(parts ...string) string {
	encoded, err := json.Marshal(parts)
	if err != nil {
		return "" // strings can always be encoded
	}
	sum := sha256.Sum256(encoded)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const randomSize = 32 // bytes

// newRandom returns 256 random bits as text.
func newRandom() string {
	var id [randomSize]byte
	rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(id[:])
}
