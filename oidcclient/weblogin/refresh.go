package weblogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// refreshPatience is how long a browser waits for its tokens. The refresh itself
// goes on.
const refreshPatience = 20 * time.Second

// refresh renews the tokens of the session. A form of a page names in return_to
// where the browser goes afterwards; without it the answer is the session's
// JSON.
func (h *Handler) refresh(w http.ResponseWriter, r *http.Request) {
	came := h.now()
	if err := h.crossOrigin.Check(r); err != nil {
		h.fail(w, r, "", crossSite())
		return
	}
	back, err := formReturnTo(w, r)
	if err != nil {
		h.fail(w, r, "", err)
		return
	}
	s, err := h.current(r)
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), refreshPatience)
		defer cancel()
		s, err = h.refreshed(ctx, s, came)
	}
	if err == nil {
		err = h.remember(w, s)
	}
	if err != nil {
		if p := problemOf(err); p.Status == http.StatusUnauthorized && !errors.Is(err, errNoRefreshToken) {
			h.forget(w, r)
		}
		h.fail(w, r, "", err)
		return
	}
	if back != "" {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	h.writeSession(w, r, s)
}

// formReturnTo reads return_to from the body of a page's form; "" when there is
// none.
func formReturnTo(w http.ResponseWriter, r *http.Request) (string, error) {
	if !isForm(r) {
		return "", nil
	}
	form, err := postedForm(w, r)
	if err != nil || !form.Has("return_to") {
		return "", err
	}
	return returnTo(form.Get("return_to")), nil
}

// errNoRefreshToken keeps the session: it is as good as it was.
var errNoRefreshToken = errors.New("weblogin: session has no refresh token")

// refreshed returns a session whose tokens are newer than those of the given
// one. However many ask at once, here and on other replicas, the provider is
// asked once, and the new tokens are stored before anybody gets them.
func (h *Handler) refreshed(ctx context.Context, seen *Session, came time.Time) (*Session, error) {
	s, err := h.turns.share(ctx, seen.key, came, func(ctx context.Context) (*Session, error) {
		defer func() {
			if p := recover(); p != nil { // a store's or a transport's
				h.log.ErrorContext(ctx, "refresh failed", "client", seen.Client, "error", fmt.Sprintf("panic of type %T", p))
				panic(p) // turns ends it
			}
		}()
		return h.renewTokens(ctx, seen)
	})
	if err != nil {
		return nil, err
	}
	copied := *s
	copied.stale = true // newer than its cookie
	return &copied, nil
}

// renewTokens makes the refresh. Every line that changes something may be the
// last that this process gets to: SESSIONS.md says what happens then.
func (h *Handler) renewTokens(ctx context.Context, seen *Session) (*Session, error) {
	s, err := h.leased(ctx, seen)
	if err != nil {
		return nil, err
	}
	if s = newer(s, seen); s.refreshes > seen.refreshes { // somebody else has done it
		h.release(ctx, s)
		return s, nil
	}
	if !s.Login.CanRefresh() {
		h.release(ctx, s)
		return nil, errors.Join(errNoRefreshToken, loginRequired("the provider gave no refresh token: log in again to renew the login"))
	}
	fresh, refusal := h.askProvider(ctx, s)
	var e *oidcclient.Error
	if errors.As(refusal, &e) {
		if e.LoginAgain() {
			return h.refusedAtProvider(ctx, s, e)
		}
		// Tokens that came although the step failed replace the old ones, which
		// are used up.
		fresh = e.Session
	}
	if fresh == nil {
		h.release(ctx, s)
		h.refreshFailed(ctx, s, refusal)
		return nil, refusal
	}
	s.Login, s.refreshes, s.ExpiresAt = fresh, s.refreshes+1, h.idleEnd(s.EndsAt)
	s.markKeys = nil // its sid may be another one
	s, err = h.keepTokens(ctx, s)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		h.refreshFailed(ctx, s, refusal)
		return nil, refusal
	}
	h.log.InfoContext(ctx, "session refreshed", "client", s.Client)
	return h.withUserInfo(ctx, s), nil
}

// withUserInfo asks for userinfo again where the login had it, with tokens that are
// stored already. What can't be had, or is about somebody else, leaves what was known.
func (h *Handler) withUserInfo(ctx context.Context, s *Session) *Session {
	if !s.Login.HasUserInfo() {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	renewed := *s
	var err error
	if renewed.Login, err = h.clients[s.Client].UserInfo(ctx, s.Login); err == nil {
		err = h.put(ctx, &renewed)
	}
	if err != nil {
		h.log.WarnContext(ctx, "userinfo not renewed", "client", s.Client, "error", err)
		return s
	}
	return &renewed
}

// refreshFailed notes a refresh after which the session goes on.
func (h *Handler) refreshFailed(ctx context.Context, s *Session, refusal error) {
	p := problemOf(refusal)
	h.log.WarnContext(ctx, "refresh failed", "client", s.Client, "status", p.Status, "code", p.Code, "check", p.Check, "error", refusal)
}

// askProvider makes the token request, holding the lease meanwhile.
func (h *Handler) askProvider(ctx context.Context, s *Session) (*oidcclient.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	defer h.hold(ctx, s)()
	return h.clients[s.Client].Refresh(ctx, s.Login)
}

// refusedAtProvider ends a session whose refresh token is dead, unless somebody
// else has got further with it: then the lease was over before the provider
// answered.
func (h *Handler) refusedAtProvider(ctx context.Context, s *Session, e *oidcclient.Error) (*Session, error) {
	h.log.WarnContext(ctx, "refresh refused", "client", s.Client, "code", e.Code, "check", e.Check)
	err := h.remove(ctx, s, s.version)
	if errors.Is(err, ErrConflict) {
		now, err := h.leased(ctx, s)
		if err != nil {
			return nil, err
		}
		h.release(ctx, now)
		if now.refreshes > s.refreshes {
			return now, nil
		}
		return nil, ErrConflict
	}
	if err == nil {
		h.log.InfoContext(ctx, "session ended", "client", s.Client, "reason", "refresh refused")
	}
	if e.Check != "" {
		return nil, loginRequired("refused: " + e.Check + ": what the provider renewed is not this login")
	}
	return nil, loginRequired("the login has ended at the provider")
}

// keepTokens stores rotated tokens, whatever the store does meanwhile: the old
// ones are used up, and nobody else has the new ones.
func (h *Handler) keepTokens(ctx context.Context, s *Session) (*Session, error) {
	var pause pause
	for {
		err := h.put(ctx, s)
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, ErrNotFound):
			return nil, ErrNoSession // ended meanwhile
		case errors.Is(err, ErrConflict):
			// An earlier attempt took effect and its answer was lost, or the
			// lease ran out. What counts is what is there now, under a new lease.
			now, err := h.leased(ctx, s)
			if errors.Is(err, ErrNoSession) {
				return nil, err
			}
			if err == nil && now.refreshes >= s.refreshes {
				h.release(ctx, now)
				return now, nil
			}
			if err == nil {
				s.version = now.version
				continue
			}
		}
		if pause.wait(ctx) != nil {
			h.log.ErrorContext(ctx, "tokens not stored", "client", s.Client)
			return nil, err
		}
	}
}

// Shutdown waits until rotated tokens that this process has received are
// stored. Call it after the server's own Shutdown, with a context that bounds
// the waiting.
func (h *Handler) Shutdown(ctx context.Context) error { return h.turns.wait(ctx) }
