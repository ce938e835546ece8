package weblogin

import (
	"errors"
	"net/http"

	"github.com/rely-go/rely/oidcclient"
)

// logout ends the session here first, and then sends the browser to end it at
// the provider (OpenID Connect RP-Initiated Logout §2). What comes back from
// there needs no state: it carries nothing and changes nothing.
func (h *Handler) logout(w http.ResponseWriter, r *http.Request) {
	if err := h.crossOrigin.Check(r); err != nil {
		h.fail(w, r, "", crossSite())
		return
	}
	s, err := h.load(r.Context(), h.presentedKey(r))
	if err != nil && !errors.Is(err, ErrNoSession) {
		h.fail(w, r, "", err)
		return
	}
	next := "/"
	if s != nil {
		if err := h.sessions.Delete(r.Context(), s.key); err != nil {
			h.fail(w, r, s.Client, h.storeFailed(r.Context(), "delete", err))
			return
		}
		h.log.InfoContext(r.Context(), "session ended", "client", s.Client, "reason", "logout")
		elsewhere, err := h.clients[s.Client].LogoutURL(r.Context(), s.Login, "")
		if err != nil {
			h.log.WarnContext(r.Context(), "provider's logout not reached", "client", s.Client)
		}
		if elsewhere != "" {
			next = elsewhere
		}
	}
	h.setCookie(w, h.sessionCookie(), "", http.SameSiteLaxMode)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// logoutNames are what a session is found by when the provider ends it: its sid
// and its subject, each at its client and issuer. They are hashes, so that a
// store doesn't show who is logged in; a subject that can be guessed can be
// found again.
func logoutNames(s *Session) []string {
	names := []string{subjectName(s.Client, s.Login.Issuer(), s.Login.Subject())}
	if sid := s.Login.SessionID(); sid != "" {
		names = append(names, sidName(s.Client, s.Login.Issuer(), sid))
	}
	return names
}

func subjectName(client, issuer, subject string) string {
	return digest("sub", client, issuer, subject)
}

func sidName(client, issuer, sid string) string { return digest("sid", client, issuer, sid) }

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
	// Remembered first: a token that a store's failure leaves without effect is
	// refused if it comes again, and the provider has to make a new one.
	first, err := h.replay.Once(r.Context(), digest("logout", id, token.Issuer(), token.JWTID()), token.Expiry())
	if err != nil {
		return 0, h.storeFailed(r.Context(), "once", err)
	}
	if !first {
		return 0, badRequest("refused: jti: logout token was used before")
	}
	var names []string
	if sid := token.SessionID(); sid != "" {
		names = append(names, sidName(id, token.Issuer(), sid))
	}
	if subject := token.Subject(); subject != "" {
		names = append(names, subjectName(id, token.Issuer(), subject))
	}
	ended, err := h.sessions.DeleteNamed(r.Context(), names...)
	if err != nil {
		return 0, h.storeFailed(r.Context(), "delete", err)
	}
	return ended, nil
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

// frontChannelLogout is loaded by the provider in a frame (OpenID Connect
// Front-Channel Logout §3). Browsers send no cookie of ours there, so iss and
// sid have to name the session, both of them.
func (h *Handler) frontChannelLogout(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	client := h.clients[id]
	if client == nil {
		h.fail(w, r, "", notFound())
		return
	}
	query := r.URL.Query()
	issuer, sid := query["iss"], query["sid"]
	if len(issuer) != 1 || len(sid) != 1 || sid[0] == "" {
		h.fail(w, r, id, badRequest("iss and sid have to be there, once each"))
		return
	}
	if issuer[0] != client.Issuer() {
		h.fail(w, r, id, badRequest("refused: iss: it is not this provider's"))
		return
	}
	ended, err := h.sessions.DeleteNamed(r.Context(), sidName(id, issuer[0], sid[0]))
	if err != nil {
		h.fail(w, r, id, h.storeFailed(r.Context(), "delete", err))
		return
	}
	h.log.InfoContext(r.Context(), "sessions ended", "client", id, "reason", "front-channel logout", "count", ended)
	header := w.Header()
	header.Del("X-Frame-Options")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'")
	header.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte("<!doctype html><title>Logged out</title>\n")) // the browser may be gone
}
