package weblogin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

const (
	// maxLogins may wait in one browser. Each takes 1 to 3 KiB of every request's
	// header.
	maxLogins = 5
	// maxCookie is what browsers take as name and value together (RFC 6265bis
	// §5.6); they drop a longer one in silence.
	maxCookie = 4096
	// maxLoginCookies are looked at; more are not ours.
	maxLoginCookies = 32

	purposeLogin = "weblogin login"
	loginVersion = 1
	loginDepth   = 4
)

// waiting is a login that waits for its callback, in a cookie of its own.
type waiting struct {
	pending *oidcclient.Pending
	waitingMeta
	cookie string // its name
}

// waitingMeta is what the cookie holds beside the sealed oidcclient.Pending.
type waitingMeta struct {
	Version  int       `json:"v"`
	Client   string    `json:"client"`
	ReturnTo string    `json:"return_to"`
	BegunAt  time.Time `json:"begun_at"`
	// Session is the key of the browser's session when the login began, if it
	// had one: a provider that posts its answer back makes the browser leave
	// the session's own cookie behind.
	Session string `json:"session,omitempty"`
	// Link says that the login is to be linked to that session.
	Link bool `json:"link,omitempty"`
	// Need is the key of the Requirement that the login is to meet, if any.
	Need string `json:"need,omitempty"`
	// Same is who has to be logged in, where a login is only repeated, or "".
	Same string `json:"same,omitempty"`
}

// loginCookie returns the name of the cookie of a login with this state, so that
// the callback finds it among several.
func (h *Handler) loginCookie(state string) string {
	sum := sha256.Sum256([]byte(state))
	return h.cookie + "login-" + hex.EncodeToString(sum[:16])
}

// keep puts a begun login into the browser's keeping, and drops what is there
// too many.
func (h *Handler) keep(w http.ResponseWriter, r *http.Request, l *waiting) error {
	l.Version, l.cookie = loginVersion, h.loginCookie(l.pending.State())
	value, err := h.sealLogin(l)
	if err == nil && len(l.cookie)+len(value) > maxCookie {
		// Rather come back to the start than not log in.
		l.ReturnTo = "/"
		value, err = h.sealLogin(l)
	}
	if err != nil {
		return err
	}
	if len(l.cookie)+len(value) > maxCookie {
		return errors.New("weblogin: login does not fit in a cookie")
	}
	for _, stale := range h.surplus(r) {
		h.setCookie(w, stale, "", http.SameSiteLaxMode)
	}
	site := http.SameSiteLaxMode
	if l.pending.Posted() {
		site = http.SameSiteNoneMode
	}
	h.setCookie(w, l.cookie, value, site)
	return nil
}

// sealLogin returns the cookie's value: two sealed texts, the second bound to
// the first and to the cookie's name.
func (h *Handler) sealLogin(l *waiting) (string, error) {
	pending, err := h.sealer.SealPending(l.pending)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(l.waitingMeta)
	if err != nil {
		return "", err
	}
	meta, err := h.sealer.Seal(purposeLogin, plain, []byte(l.cookie+sealSeparator+pending))
	return pending + sealSeparator + meta, err
}

// surplus names the login cookies that have to go to make room for one more:
// those that can't be opened or are over, and the oldest.
func (h *Handler) surplus(r *http.Request) []string {
	var gone []string
	var alive []*waiting
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, h.cookie+"login-") {
			continue
		}
		if len(alive)+len(gone) == maxLoginCookies {
			break
		}
		if l, err := h.openLogin(c); err == nil && h.now().Before(l.pending.ExpiresAt()) {
			alive = append(alive, l)
		} else {
			gone = append(gone, c.Name)
		}
	}
	slices.SortStableFunc(alive, func(a, b *waiting) int { return b.BegunAt.Compare(a.BegunAt) })
	for _, l := range alive[min(len(alive), maxLogins-1):] {
		gone = append(gone, l.cookie)
	}
	return gone
}

// waitingLogin finds the login that a callback with this state ends, in the
// browser that brings it.
func (h *Handler) waitingLogin(r *http.Request, state string) (*waiting, error) {
	cookies := r.CookiesNamed(h.loginCookie(state))
	if len(cookies) != 1 {
		return nil, oidcclient.ErrSealed
	}
	l, err := h.openLogin(cookies[0])
	if err != nil || l.pending.State() != state {
		return nil, oidcclient.ErrSealed
	}
	return l, nil
}

func (h *Handler) openLogin(c *http.Cookie) (*waiting, error) {
	pending, meta, ok := strings.Cut(c.Value, sealSeparator)
	if !ok {
		return nil, oidcclient.ErrSealed
	}
	plain, err := h.sealer.Open(purposeLogin, meta, []byte(c.Name+sealSeparator+pending))
	if err != nil {
		return nil, err
	}
	l := &waiting{cookie: c.Name}
	if err := strictjson.UnmarshalClosed(plain, &l.waitingMeta, loginDepth); err != nil || l.Version != loginVersion {
		return nil, oidcclient.ErrSealed
	}
	l.pending, err = h.sealer.OpenPending(pending)
	return l, err
}
