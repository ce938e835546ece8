package weblogin

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
)

// logout ends the session here first, and then sends the browser to end it at
// the provider (OpenID Connect RP-Initiated Logout §2).
func (h *Handler) logout(w http.ResponseWriter, r *http.Request) {
	if err := h.crossOrigin.Check(r); err != nil {
		h.fail(w, r, "", crossSite())
		return
	}
	s, err := h.load(r.Context(), h.presented(r))
	if err != nil && !errors.Is(err, ErrNoSession) {
		h.fail(w, r, "", err)
		return
	}
	next := "/"
	if s != nil {
		if err := h.remove(r.Context(), s, 0); err != nil && !errors.Is(err, ErrNotFound) {
			h.fail(w, r, s.Client, err)
			return
		}
		h.log.InfoContext(r.Context(), "session ended", "client", s.Client, "reason", "logout")
		state := newRandom()
		ctx, cancel := context.WithTimeout(r.Context(), logoutPatience)
		defer cancel()
		elsewhere, err := h.clients[s.Client].LogoutURL(ctx, s.Login, state)
		if err != nil {
			h.log.WarnContext(r.Context(), "provider's logout not reached", "client", s.Client)
		}
		if elsewhere != "" {
			next = elsewhere
			h.setCookie(w, h.logoutCookie(), state, http.SameSiteLaxMode)
		}
	}
	h.forget(w, r)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// logoutPatience is how long a logout waits for metadata of the provider that have yet to
// be discovered.
const logoutPatience = 3 * time.Second

func (h *Handler) logoutCookie() string { return h.cookie + "logout" }

// LoggedOut reports whether a request brings the browser back from the logout at
// its provider that it began here, for the page at post_logout_redirect_uri. The
// error is a [*Problem] for a request whose state is not that of a logout which
// this browser began (OpenID Connect RP-Initiated Logout §3); it is no reason to
// believe anything. A request without state is an ordinary one.
func (h *Handler) LoggedOut(w http.ResponseWriter, r *http.Request) (bool, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	state := query["state"]
	if len(state) == 0 {
		return false, nil
	}
	cookies := r.CookiesNamed(h.logoutCookie())
	if err != nil || len(state) != 1 || len(cookies) != 1 || subtle.ConstantTimeCompare([]byte(state[0]), []byte(cookies[0].Value)) != 1 {
		return false, badRequest("refused: state: no logout with this state was begun in this browser")
	}
	h.setCookie(w, h.logoutCookie(), "", http.SameSiteLaxMode)
	return true, nil
}

// backChannelLogout takes a logout token (OpenID Connect Back-Channel Logout
// §2.5 to §2.8). The provider sends it, not the browser: there is no cookie.
func (h *Handler) backChannelLogout(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	ended, err := h.endByToken(w, r, id)
	if err != nil {
		h.failJSON(w, r, id, err)
		return
	}
	h.log.InfoContext(r.Context(), "sessions ended", "client", id, "reason", "back-channel logout", "count", ended)
	w.WriteHeader(http.StatusOK)
}

func (h *Handler) endByToken(w http.ResponseWriter, r *http.Request, id string) (int, error) {
	client := h.clients[id]
	if client == nil {
		return 0, notFound()
	}
	form, err := postedForm(w, r)
	if err != nil || len(form["logout_token"]) != 1 {
		return 0, badRequest("logout_token is missing, there twice, or not in a form")
	}
	token, err := client.VerifyLogoutToken(r.Context(), form.Get("logout_token"))
	if err != nil {
		return 0, logoutRefused(err)
	}
	var ended int
	err = h.onceDone(r.Context(), digest("logout", id, token.Issuer(), token.JWTID()), token, func() (err error) {
		ended, err = h.endNamed(r.Context(), id, token.Issuer(), token.SessionID(), token.Subject())
		return err
	})
	return ended, err
}

const (
	logoutBegun = "begun"
	logoutDone  = "done"
	// logoutLeeway covers the clock tolerance with which a token that is just
	// over is still believed.
	logoutLeeway = 5 * time.Minute
)

// onceDone does what a logout token asks for, unless it was done before: a
// replica that dies in the middle leaves a record that says begun and not done,
// so that the provider's next attempt is no replay.
func (h *Handler) onceDone(ctx context.Context, key string, token *idtoken.LogoutToken, work func() error) error {
	begun := Record{Key: key, Data: logoutBegun, ExpiresAt: token.Expiry().Add(logoutLeeway)}
	if err := h.sessions.Put(ctx, begun); err != nil && !errors.Is(err, ErrConflict) {
		return h.storeFailed(ctx, "put", err)
	}
	holder := newRandom()
	record, err := h.sessions.Lease(ctx, key, holder, leaseLasts)
	switch {
	case errors.Is(err, ErrLeased):
		return unavailable("the same logout token is just being handled")
	case err != nil:
		return h.storeFailed(ctx, "lease", err)
	}
	if record.Data != logoutDone {
		if err = work(); err == nil {
			record.Data = logoutDone
			if err = h.sessions.Put(ctx, record); err == nil {
				return nil
			}
			err = h.storeFailed(ctx, "put", err)
		}
	} else {
		err = badRequest("refused: jti: logout token was used before")
	}
	if failed := h.sessions.Release(ctx, key, holder); failed != nil {
		_ = h.storeFailed(ctx, "release", failed) // it ends by itself
	}
	return err
}

// logoutRefused gives a logout token that is not believed the error of §2.8. A
// provider whose keys can't be had stays 503, so that it tries again.
func logoutRefused(err error) error {
	p := problemOf(err)
	var e *oidcclient.Error
	if errors.As(err, &e) && e.Fault == oidcclient.FaultAnswer {
		p.Status, p.Code = http.StatusBadRequest, "invalid_request"
	}
	return p
}
