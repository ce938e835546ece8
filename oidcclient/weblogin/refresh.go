package weblogin

import (
	"context"
	"errors"
	"net/http"

	"github.com/rely-go/rely/oidcclient"
)

// refresh renews the tokens of the session. A form of a page names in return_to
// where the browser goes afterwards; without it the answer is the session's
// JSON.
func (h *Handler) refresh(w http.ResponseWriter, r *http.Request) {
	if err := h.crossOrigin.Check(r); err != nil {
		h.fail(w, r, "", crossSite())
		return
	}
	back, err := formReturnTo(w, r)
	if err != nil {
		h.fail(w, r, "", err)
		return
	}
	s, err := h.Session(r)
	if err == nil {
		s, err = h.refreshed(r.Context(), s.key)
	}
	if err != nil {
		if p := problemOf(err); p.Status == http.StatusUnauthorized && !errors.Is(err, errNoRefreshToken) {
			h.setCookie(w, h.sessionCookie(), "", http.SameSiteLaxMode)
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

// refreshed renews a session's tokens and stores them before anybody may use
// them. However many ask at once, the provider is asked once.
func (h *Handler) refreshed(ctx context.Context, key string) (*Session, error) {
	return h.turns.share(ctx, key, func(ctx context.Context) (*Session, error) {
		// Read again: what the request has seen may have been renewed since.
		s, err := h.load(ctx, key)
		if err != nil {
			return nil, err
		}
		if !s.Login.CanRefresh() {
			return nil, errors.Join(errNoRefreshToken, loginRequired("the provider gave no refresh token: log in again to renew the login"))
		}
		fresh, refusal := h.clients[s.Client].Refresh(ctx, s.Login)
		var e *oidcclient.Error
		if errors.As(refusal, &e) {
			if e.LoginAgain() {
				h.end(ctx, s, "refresh token refused")
				return nil, loginRequired("the login has ended at the provider")
			}
			// Tokens that came although the step failed replace the old ones,
			// which are used up.
			fresh = e.Session
		}
		if fresh == nil {
			return nil, refusal
		}
		s.Login = fresh
		s.ExpiresAt = h.idleEnd(s.EndsAt)
		if err := h.put(ctx, s); err != nil {
			if errors.Is(err, ErrNotFound) {
				return nil, ErrNoSession // ended meanwhile
			}
			return nil, err
		}
		if refusal != nil {
			return nil, refusal
		}
		h.log.InfoContext(ctx, "session refreshed", "client", s.Client)
		return s, nil
	})
}

// end removes a session from the store.
func (h *Handler) end(ctx context.Context, s *Session, reason string) {
	if err := h.sessions.Delete(ctx, s.key); err != nil {
		h.log.ErrorContext(ctx, "session not ended", "client", s.Client, "error", err)
		return
	}
	h.log.InfoContext(ctx, "session ended", "client", s.Client, "reason", reason)
}
