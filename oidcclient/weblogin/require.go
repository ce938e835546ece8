package weblogin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// A Requirement is what a page asks of a session. The zero value asks for one in which
// a person is identified, and nothing more.
type Requirement struct {
	// Scopes have to be granted, all of them.
	Scopes []string
	// MinACR is the least authentication context class, in the order of the
	// client's profile; "" means any.
	MinACR string
	// MaxAge is how long ago the person may have authenticated at the provider;
	// 0 means any time. Whole seconds.
	MaxAge time.Duration
}

// needs are the requirements of pages, by the key under which a login cookie and
// a URL name them: so nobody can ask for a login with terms of their own.
type needs struct {
	mu    sync.RWMutex
	known map[string]Requirement
}

func (n *needs) add(need Requirement) (key string) {
	if len(need.Scopes) == 0 && need.MinACR == "" && need.MaxAge == 0 {
		return ""
	}
	encoded, err := json.Marshal(need)
	if err != nil {
		return "" // strings and a number can always be encoded
	}
	sum := sha256.Sum256(encoded)
	key = base64.RawURLEncoding.EncodeToString(sum[:9])
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[string]Requirement{}
	}
	need.Scopes = slices.Clone(need.Scopes)
	n.known[key] = need
	return key
}

func (n *needs) get(key string) (Requirement, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	need, ok := n.known[key]
	return need, ok || key == ""
}

// Require lets only requests through to next whose session meets need, and in
// which [Handler.Session] then returns it. A browser that reads a page is sent to
// log in, with what the page asks for (step-up), and comes back to it. Any other
// request is answered with a challenge: 401, with insufficient_user_authentication
// and what is asked for where the session is there but its authentication is too
// weak or too old (RFC 9470 §3), or 403 with insufficient_scope (RFC 6750 §3.1). A
// session that identifies nobody ([oidcclient.IdentifyNobody]) is answered with 403 too:
// it is good for [Handler.Tokens].
//
// A login that was begun for a page and does not meet what the page asks for is
// refused, so that nobody goes round in circles.
func (h *Handler) Require(need Requirement, next http.Handler) http.Handler {
	key := h.needs.add(need)
	return h.Attach(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.current(r)
		if err == nil {
			err = h.unmet(need, h.clients[s.Client], s.Login)
		}
		if err == nil {
			next.ServeHTTP(w, r)
			return
		}
		if p := problemOf(err); p.Challenge != "" && reads(r) && !wantsJSON(r) {
			h.sendToLogin(w, r, s, key)
			return
		}
		ownHeaders(w.Header())
		h.fail(w, r, "", err)
	}))
}

// Attach lets every request through to next, with its session where there is
// one: [Handler.Session] then returns it, or why there is none.
func (h *Handler) Attach(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.current(r)
		if err == nil {
			if err = h.remember(w, s); err != nil {
				h.log.ErrorContext(r.Context(), "session cookie not renewed", "error", err)
				err = nil
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, found{s, err})))
	})
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// sendToLogin sends a browser to the login that would do: of the same client
// where there is a session already.
func (h *Handler) sendToLogin(w http.ResponseWriter, r *http.Request, s *Session, need string) {
	target, query := h.loginPath, url.Values{"return_to": {r.URL.RequestURI()}}
	if s != nil {
		target = h.prefix + "/login/" + s.Client
	}
	if need != "" {
		query.Set("need", need)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target+"?"+query.Encode(), http.StatusSeeOther)
}

// unmet says what of a requirement a login does not meet, as a *Problem.
func (h *Handler) unmet(need Requirement, client *oidcclient.Client, login *oidcclient.Session) error {
	if !login.Identified() {
		return &Problem{
			Status: http.StatusForbidden, Code: "login_refused", Check: "subject", Title: "This needs a login",
			Description: "refused: subject: the session says nothing about who the person is",
		}
	}
	var missing []string
	granted := login.Scopes()
	for _, scope := range need.Scopes {
		if !slices.Contains(granted, scope) {
			missing = append(missing, scope)
		}
	}
	if len(missing) > 0 {
		return &Problem{
			Status: http.StatusForbidden, Code: "insufficient_scope", Title: "This needs another permission",
			Description: "scope is missing: " + strings.Join(missing, " "),
			Challenge:   `Bearer error="insufficient_scope", scope=` + strconv.Quote(strings.Join(need.Scopes, " ")),
		}
	}
	weak := need.MinACR != "" && !client.MeetsACR(need.MinACR, login.ACR())
	at, known := login.AuthenticatedAt()
	old := need.MaxAge > 0 && (!known || h.now().Sub(at) > need.MaxAge)
	if !weak && !old {
		return nil
	}
	challenge := `Bearer error="insufficient_user_authentication"`
	if need.MinACR != "" {
		challenge += `, acr_values=` + strconv.Quote(need.MinACR)
	}
	if need.MaxAge > 0 {
		challenge += `, max_age="` + strconv.FormatInt(int64(need.MaxAge/time.Second), 10) + `"`
	}
	return &Problem{
		Status: http.StatusUnauthorized, Code: "insufficient_user_authentication", Title: "Please log in once more",
		Description: "a stronger or newer authentication is needed", Challenge: challenge,
	}
}

// optionsFor returns what a login has to ask for to meet the requirement with
// this key.
func (h *Handler) optionsFor(key string) (oidcclient.BeginOptions, error) {
	need, ok := h.needs.get(key)
	if !ok {
		return oidcclient.BeginOptions{}, badRequest("need is none of this application's")
	}
	options := oidcclient.BeginOptions{MinACR: need.MinACR, Scopes: need.Scopes}
	if need.MinACR != "" {
		options.ACRValues = []string{need.MinACR}
	}
	if need.MaxAge > 0 {
		options.MaxAge = &need.MaxAge
	}
	return options, nil
}

// meets refuses a completed login that was begun for a page and would be turned
// away there again.
func (h *Handler) meets(key string, client string, login *oidcclient.Session) error {
	need, ok := h.needs.get(key)
	if !ok || key == "" {
		return nil // the page is gone, with what it asked for; or asked for nothing
	}
	err := h.unmet(need, h.clients[client], login)
	var p *Problem
	if errors.As(err, &p) {
		p.Status, p.Challenge = http.StatusForbidden, ""
	}
	return err
}
