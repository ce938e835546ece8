package weblogin

import (
	"net/http"
	"net/url"
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
	values, err := h.initiateValues(w, r)
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
		h.initiateByGet(w, r, values)
		return
	}
	meta := waitingMeta{Client: id, ReturnTo: h.ownPath(values.Get("target_link_uri")), Session: h.presented(r).key}
	h.send(w, r, meta, oidcclient.BeginOptions{LoginHint: values.Get("login_hint")})
}

const (
	purposeInitiate = "weblogin initiate"
	// postedParam holds what another site has posted, sealed: a hint may say who somebody
	// is, and has no place in an address.
	postedParam = "posted"
	maxPosted   = 4 << 10 // bytes of it
)

// initiateValues reads what another site asks for, also where initiateByGet has passed it
// on.
func (h *Handler) initiateValues(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	values, err := callbackValues(w, r)
	if err != nil || r.Method == http.MethodPost || !values.Has(postedParam) {
		return values, err
	}
	posted, err := h.sealer.Open(purposeInitiate, values.Get(postedParam), []byte(r.URL.Path))
	if err != nil {
		return nil, badRequest("what was posted can't be opened")
	}
	return url.ParseQuery(string(posted))
}

// initiateByGet sends the browser once more, by GET.
func (h *Handler) initiateByGet(w http.ResponseWriter, r *http.Request, values url.Values) {
	text := values.Encode()
	if len(text) > maxPosted {
		h.fail(w, r, r.PathValue("id"), badRequest("what was posted is too long"))
		return
	}
	sealed, err := h.sealer.Seal(purposeInitiate, []byte(text), []byte(r.URL.Path))
	if err != nil {
		h.fail(w, r, r.PathValue("id"), err)
		return
	}
	http.Redirect(w, r, r.URL.Path+"?"+url.Values{postedParam: {sealed}}.Encode(), http.StatusSeeOther)
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
	return h.started(w, r, completed, h.presented(r).key)
}
