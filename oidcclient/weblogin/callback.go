package weblogin

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/rely-go/rely/oidcclient"
)

// Bounds of what a callback brings, in bytes.
const (
	maxCallbackQuery = 32 << 10
	maxForm          = 64 << 10
)

// callback is the redirect URI: it ends the login that this browser began.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	client := h.clients[id]
	if client == nil {
		h.fail(w, r, "", notFound())
		return
	}
	if r.Method == http.MethodGet && client.InFragment() && r.URL.RawQuery == "" {
		h.fragmentPage(w)
		return
	}
	values, err := callbackValues(w, r)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	read, err := client.ReadResponse(r.Context(), values)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	if len(read["state"]) != 1 {
		h.fail(w, r, id, refused("state", "state is missing or there twice"))
		return
	}
	l, err := h.waitingLogin(r, read.Get("state"))
	if err != nil {
		h.fail(w, r, id, refused("state", "no login with this state waits in this browser"))
		return
	}
	// Until the provider is known the login can't go wrong, only wait.
	if err := client.Ready(r.Context()); err != nil {
		h.fail(w, r, id, err)
		return
	}
	h.setCookie(w, l.cookie, "", http.SameSiteLaxMode)
	if err := h.complete(w, r, client, l, values); err != nil {
		if h.notAgain(w, r, l, err) {
			return
		}
		h.fail(w, r, id, err)
		return
	}
	http.Redirect(w, r, l.ReturnTo, http.StatusSeeOther)
}

// callbackValues reads the parameters of a callback from the place where its
// method has them.
func callbackValues(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return postedForm(w, r)
	}
	if len(r.URL.RawQuery) > maxCallbackQuery {
		return nil, &Problem{Status: http.StatusRequestURITooLong, Code: "login_refused", Check: "parameters", Title: "The login was not accepted", Description: "refused: parameters: query is too long"}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refused("parameters", "query is malformed")
	}
	return values, nil
}

// postedForm reads a form from a body, and nothing from the query.
func postedForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if !isForm(r) {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Code: "invalid_request", Title: "This request can't be answered", Description: "body is not application/x-www-form-urlencoded"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Title: "This request can't be answered", Description: "form is too long"}
		}
		return nil, badRequest("form is malformed")
	}
	return r.PostForm, nil
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// complete makes the checks that bind a callback to this browser, client and
// moment, lets the client do the rest, and begins the session.
func (h *Handler) complete(w http.ResponseWriter, r *http.Request, client *oidcclient.Client, l *waiting, values url.Values) error {
	switch {
	case l.Client != r.PathValue("id"):
		return refused("client", "login was begun with another client")
	case (l.pending.Posted() || l.pending.InFragment()) != (r.Method == http.MethodPost):
		return refused("response_mode", "answer came by another method than was asked for")
	}
	if err := h.once(r.Context(), l); err != nil {
		return err
	}
	before := h.presented(r)
	if before.key == "" {
		before.key = l.Session
	}
	present, err := h.goesOn(r.Context(), l, before)
	if err != nil {
		return err
	}
	login, err := client.Complete(r.Context(), l.pending, values)
	if err != nil {
		return err
	}
	if l.Same != "" && l.Same != samePerson(login) {
		return refused("person", "somebody else is logged in at the provider now")
	}
	if err := h.meets(l.Need, l.Client, login); err != nil {
		return err
	}
	asked := Login{Client: l.Client, Session: login}
	if l.Link {
		asked.LinkTo = present
	}
	if h.onLogin != nil {
		if err := h.onLogin(r.Context(), asked); err != nil {
			return err
		}
	}
	switch {
	case l.Link:
		err = h.moved(w, r, present.key, func(s *Session) { s.ExpiresAt = h.idleEnd(s.EndsAt) })
	case l.Same != "":
		// Nobody has to be there for it: it makes the session no longer.
		err = h.moved(w, r, present.key, func(s *Session) {
			s.Login, s.checks, s.markKeys = login, named(login.Checks()), nil
		})
	default:
		return h.started(w, r, asked, before.key)
	}
	if errors.Is(err, ErrNoSession) && l.Same != "" {
		return l.refused("the session that this login belongs to has ended")
	}
	if err == nil {
		h.log.InfoContext(r.Context(), map[bool]string{true: "login linked", false: "login finished"}[l.Link], "client", l.Client)
	}
	return err
}

// started begins the session of a completed login.
func (h *Handler) started(w http.ResponseWriter, r *http.Request, login Login, before string) error {
	now := h.now().Round(0)
	s := &Session{Client: login.Client, Login: login.Session, checks: named(login.Session.Checks()), StartedAt: now, EndsAt: now.Add(h.life)}
	s.ExpiresAt = h.idleEnd(s.EndsAt)
	if err := h.begin(w, r, s, before); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "login finished", "client", login.Client)
	return nil
}

// once refuses a login that was used. It is remembered before the code is sent,
// so that of two equal callbacks, on whichever replicas, one goes on.
func (h *Handler) once(ctx context.Context, l *waiting) error {
	first, err := h.replay.Once(ctx, digest("login", l.pending.State()), l.pending.ExpiresAt())
	if err != nil {
		return h.storeFailed(ctx, "once", err)
	}
	if !first {
		return refused("replay", "login was used before")
	}
	return nil
}

// goesOn returns the session that goes on with a login, because that is linked to it or
// only repeats it; nil for any other login. It has to be the one that the browser had
// when the login began, and still has.
func (h *Handler) goesOn(ctx context.Context, l *waiting, present presented) (*Session, error) {
	if !l.Link && l.Same == "" {
		return nil, nil
	}
	if present.key != l.Session {
		return nil, l.refused("the session that this login belongs to is not this browser's any more")
	}
	s, err := h.load(ctx, present)
	if errors.Is(err, ErrNoSession) {
		return nil, l.refused("the session that this login belongs to has ended")
	}
	return s, err
}

// refused is the error where no session goes on with a login.
func (l *waiting) refused(reason string) error {
	check := "link"
	if l.Same != "" {
		check = checkSession
	}
	return refused(check, reason)
}
