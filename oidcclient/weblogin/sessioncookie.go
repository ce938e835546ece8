package weblogin

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/rely-go/rely/oidcclient"
)

const (
	// maxParts is how many cookies one session may take. With their names they
	// are 16 KiB of every request, and more is more than servers take.
	maxParts = 4
	// partSize is what fits into one beside its name (maxCookie).
	partSize = 3900
)

var errCookieSize = errors.New("weblogin: session does not fit in cookies, and needs a store")

// presented is what a request's cookies say of its session: the key of its
// record, and the session itself where it lives in them.
type presented struct {
	key    string // "": there is none
	sealed *Session
}

func (h *Handler) sessionCookie() string { return h.cookie + "session" }

// partCookie names the cookie of a part; the first one's is that of the session.
func (h *Handler) partCookie(i int) string {
	if i == 0 {
		return h.sessionCookie()
	}
	return h.sessionCookie() + "-" + strconv.Itoa(i)
}

// presented reads the session's cookie. One that is there twice is not believed:
// one of them is not ours.
func (h *Handler) presented(r *http.Request) presented {
	cookies := r.CookiesNamed(h.sessionCookie())
	if len(cookies) != 1 {
		return presented{}
	}
	value := cookies[0].Value
	if h.inCookies {
		s, err := h.openCookie(r, value)
		if err != nil {
			return presented{}
		}
		return presented{key: s.key, sealed: s}
	}
	if len(value) != base64.RawURLEncoding.EncodedLen(randomSize) {
		return presented{}
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(value); err != nil {
		return presented{}
	}
	return presented{key: recordKey(value)}
}

// recordKey is what a store knows of a cookie's value: who reads the store can
// take over no session.
func recordKey(id string) string { return digest("session", id) }

// openCookie opens a session that lives in its cookies: the number of parts, a
// point, and the sealed text cut up.
func (h *Handler) openCookie(r *http.Request, first string) (*Session, error) {
	if len(first) < 2 || first[0] < '1' || first[0] > '0'+maxParts || first[1] != '.' {
		return nil, oidcclient.ErrSealed
	}
	text := first[2:]
	for i := 1; i < int(first[0]-'0'); i++ {
		cookies := r.CookiesNamed(h.partCookie(i))
		if len(cookies) != 1 {
			return nil, oidcclient.ErrSealed
		}
		text += cookies[0].Value
	}
	s, err := h.openSession(text, h.sessionCookie())
	if err != nil {
		return nil, err
	}
	s.inCookie = true
	return s, nil
}

// hand gives the browser its session: the session itself where it lives in
// cookies, and otherwise the id of its record.
func (h *Handler) hand(w http.ResponseWriter, s *Session, id string) error {
	if !h.inCookies {
		h.setCookie(w, h.sessionCookie(), id, http.SameSiteLaxMode)
		return nil
	}
	text, err := h.sealSession(s, h.sessionCookie())
	if err != nil {
		return err
	}
	parts := (len(text) + partSize - 1) / partSize
	if parts > maxParts {
		return errCookieSize
	}
	prefix := strconv.Itoa(parts) + "."
	for i := range parts {
		part := text[:min(partSize, len(text))]
		text = strings.TrimPrefix(text, part)
		h.setCookie(w, h.partCookie(i), prefix+part, http.SameSiteLaxMode)
		prefix = ""
	}
	return nil
}

// remember renews the cookies of a session that has changed since they were set.
func (h *Handler) remember(w http.ResponseWriter, s *Session) error {
	if !h.inCookies || !s.stale {
		return nil
	}
	err := h.hand(w, s, "")
	if errors.Is(err, errCookieSize) && !s.inCookie {
		return nil // it has grown, but its record has it, and the cookies that are there name that
	}
	return err
}

// forget removes the session's cookies.
func (h *Handler) forget(w http.ResponseWriter, r *http.Request) {
	for i := range maxParts {
		if i == 0 || len(r.CookiesNamed(h.partCookie(i))) > 0 {
			h.setCookie(w, h.partCookie(i), "", http.SameSiteLaxMode)
		}
	}
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
