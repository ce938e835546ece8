package weblogin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// The page that an application puts into a hidden frame of its own pages, so that a
// logout at the provider is noticed while a page is open (OpenID Connect Session
// Management §3). It asks the provider's frame every five seconds, which answers
// without a request to anybody. When that says "changed", the person is logged in
// there no more, or as somebody else, or only anew: so the page logs in once more, with
// prompt=none, and the session goes on if it is the same person and ends otherwise.

// watchScript asks the provider's frame, believes its origin only, and asks no more
// after an error, which would come again.
const watchScript = `(function(){var d=document.currentScript.dataset,f=document.getElementById("op"),t;` +
	`function ask(){f.contentWindow.postMessage(d.message,d.origin)}` +
	`f.addEventListener("load",function(){clearInterval(t);ask();t=setInterval(ask,5000)});` +
	`addEventListener("message",function(e){if(e.source!==f.contentWindow||e.origin!==d.origin)return;` +
	`if(e.data==="changed"||e.data==="error")clearInterval(t);` +
	`if(e.data==="changed")document.forms[0].submit()})})()`

// endedScript tells the page around it, which is of the same origin or hears nothing.
const endedScript = `if(parent!==window)parent.postMessage("session ended",location.origin)`

func scriptHash(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// framedHeaders lets a page of ours be in a frame of our own pages.
func framedHeaders(w http.ResponseWriter, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; "+policy+"; base-uri 'none'; frame-ancestors 'self'")
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
}

// watch is the page.
func (h *Handler) watch(w http.ResponseWriter, r *http.Request) {
	s, err := h.watched(r)
	if errors.Is(err, ErrNoSession) && !wantsJSON(r) {
		framedHeaders(w, "script-src "+scriptHash(endedScript))
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>No session</title>\n<script>%s</script>\n</html>\n", endedScript) // the browser may be gone
		return
	}
	if err != nil {
		h.fail(w, r, r.PathValue("id"), err)
		return
	}
	frame, err := h.clients[s.Client].CheckSessionIframe(r.Context())
	if err != nil {
		h.fail(w, r, s.Client, err)
		return
	}
	origin, ok := originOf(frame)
	if !ok || s.Login.SessionState() == "" {
		h.fail(w, r, s.Client, notFound())
		return
	}
	framedHeaders(w, "script-src "+scriptHash(watchScript)+"; frame-src "+origin)
	_, _ = fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Watching the login</title>
<iframe id="op" title="provider" src="%s" hidden></iframe>
<form method="post"></form>
<script data-message="%s" data-origin="%s">%s</script>
</html>
`, html.EscapeString(frame), html.EscapeString(s.Login.ClientID()+" "+s.Login.SessionState()), origin, watchScript) // the browser may be gone
}

// WatchFrame returns the URL of the page that notices a logout at the provider, to be put
// into a hidden frame of the application's pages, and what the frame-src of their
// Content-Security-Policy has to allow for it: the page itself and the provider, where
// the frame goes to log in again. "" when the provider has nothing to watch.
func (h *Handler) WatchFrame(ctx context.Context, s *Session) (page string, frameSrc []string) {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	provider, err := h.clients[s.Client].ProviderMetadata(ctx)
	if err != nil || s.Login.SessionState() == "" {
		return "", nil
	}
	watched, ok := originOf(provider.CheckSessionIframe)
	login, okLogin := originOf(provider.AuthorizationEndpoint)
	if !ok || !okLogin {
		return "", nil
	}
	frameSrc = []string{"'self'", watched}
	if login != watched {
		frameSrc = append(frameSrc, login)
	}
	return h.prefix + "/session-management/" + url.PathEscape(s.Client), frameSrc
}

// watchPatience is how long a page waits for metadata of the provider that have yet to be
// discovered. It is a page of somebody who is logged in, whatever the provider does.
const watchPatience = time.Second

// watched returns the session that the page is about.
func (h *Handler) watched(r *http.Request) (*Session, error) {
	id := r.PathValue("id")
	if h.clients[id] == nil {
		return nil, notFound()
	}
	s, err := h.load(r.Context(), h.presented(r)) // which is no use of it: nobody may be there
	if err == nil && s.Client != id {
		err = ErrNoSession
	}
	return s, err
}

// originOf returns the origin of a URL as browsers write it.
func originOf(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.Trim(strings.ToLower(u.Host), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return "", false // in a policy another character would be another word
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	return u.Scheme + "://" + host, true
}

// changed logs in once more without asking anybody (OpenID Connect Session Management
// §3).
func (h *Handler) changed(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := h.crossOrigin.Check(r); err != nil {
		h.fail(w, r, id, crossSite())
		return
	}
	s, err := h.watched(r)
	if err == nil && s.inCookie {
		err = h.enter(r.Context(), s)
	}
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	options := oidcclient.BeginOptions{Prompt: []string{"none"}}
	if raw := s.Login.IDToken().Raw(); raw != "" && !h.clients[id].ByReference() { // whose address has no place for it
		options.Params = url.Values{"id_token_hint": {raw}}
	}
	h.send(w, r, waitingMeta{
		Client: id, ReturnTo: h.prefix + "/session-management/" + url.PathEscape(id), Session: s.key, Same: samePerson(s.Login),
	}, options)
}

func samePerson(login *oidcclient.Session) string {
	return digest("person", login.Issuer(), login.Subject())
}

// checkSession is what is refused where the session that goes on with a login is there no
// more.
const checkSession = "session"

// notAgain ends the session whose login could not be repeated because of the person,
// and reports whether it did. A provider that is down ends nothing.
func (h *Handler) notAgain(w http.ResponseWriter, r *http.Request, l *waiting, failure error) bool {
	if l.Same == "" {
		return false
	}
	var refused *oidcclient.Error
	var problem *Problem
	switch {
	case errors.As(failure, &problem) && problem.Check == checkSession:
		http.Redirect(w, r, l.ReturnTo, http.StatusSeeOther) // nothing is left to end
		return true
	case problem != nil && problem.Check == "person":
	case errors.As(failure, &refused) && refused.Fault == oidcclient.FaultAnswer:
	default:
		return false
	}
	err := h.remove(r.Context(), &Session{Client: l.Client, key: l.Session}, 0)
	if err != nil && !errors.Is(err, ErrNotFound) {
		h.fail(w, r, l.Client, err)
		return true
	}
	h.log.InfoContext(r.Context(), "session ended", "client", l.Client, "reason", "changed at the provider")
	h.forget(w, r)
	http.Redirect(w, r, l.ReturnTo, http.StatusSeeOther)
	return true
}
