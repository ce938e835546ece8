package weblogin

import (
	"net/http"
	"strings"

	"github.com/rely-go/rely/oidcclient"
)

// initiate starts a login that another site asks for (OpenID Connect Core §4): iss
// has to be the client's provider, login_hint is passed on, and target_link_uri is
// where to go afterwards, under the rule of return_to.
func (h *Handler) initiate(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	client := h.clients[id]
	if client == nil {
		h.fail(w, r, "", notFound())
		return
	}
	values, err := callbackValues(w, r)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	for _, name := range []string{"iss", "login_hint", "target_link_uri"} {
		if len(values[name]) > 1 {
			h.fail(w, r, id, badRequest(name+" is there twice"))
			return
		}
	}
	issuer, err := issuerOf(r, client)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	if values.Get("iss") != issuer {
		h.fail(w, r, id, badRequest("refused: iss: it is not this provider's"))
		return
	}
	if r.Method == http.MethodPost && h.crossOrigin.Check(r) != nil {
		// The browser leaves its cookies behind here, but not there: those of logins that
		// wait would be counted by nobody, and pile up.
		http.Redirect(w, r, r.URL.Path+"?"+values.Encode(), http.StatusSeeOther)
		return
	}
	meta := waitingMeta{Client: id, ReturnTo: h.ownPath(values.Get("target_link_uri")), Session: h.presented(r).key}
	h.send(w, r, meta, oidcclient.BeginOptions{LoginHint: values.Get("login_hint")})
}

// issuerOf returns the issuer of a client, also of one that has yet to find it.
func issuerOf(r *http.Request, client *oidcclient.Client) (string, error) {
	if issuer := client.Issuer(); issuer != "" {
		return issuer, nil
	}
	err := client.Ready(r.Context())
	return client.Issuer(), err
}

// ownPath returns the path of an absolute URL of this application, or what is one
// already.
func (h *Handler) ownPath(target string) string {
	origin := h.base.Scheme + "://" + h.base.Host
	if rest, ok := strings.CutPrefix(target, origin); ok && (rest == "" || strings.HasPrefix(rest, "/")) {
		target = rest
	}
	return returnTo(target)
}

// jwks publishes the client's keys, for a provider that fetches them.
func (h *Handler) jwks(w http.ResponseWriter, r *http.Request) {
	client := h.clients[r.PathValue("id")]
	if client == nil {
		h.fail(w, r, "", notFound())
		return
	}
	set, err := client.PublicJWKS()
	if err != nil {
		h.fail(w, r, r.PathValue("id"), err)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(set) // the provider may be gone
}

// StartSession begins the session of a login that was completed without this
// package's callback, such as one of package grants, and ends the one before it.
// OnLogin is asked as about any other. The error is what OnLogin or the store
// says.
func (h *Handler) StartSession(w http.ResponseWriter, r *http.Request, client string, login *oidcclient.Session) error {
	c := h.clients[client]
	if c == nil || login == nil || login.ClientID() != c.ClientID() || login.Issuer() != c.Issuer() {
		return badRequest("login is not one of this client")
	}
	completed := Login{Client: client, Session: login}
	if h.onLogin != nil {
		if err := h.onLogin(r.Context(), completed); err != nil {
			return err
		}
	}
	return h.started(w, r, completed, nil, h.presented(r).key)
}
