package weblogin

import (
	"net/http"

	"github.com/rely-go/rely/oidcclient"
)

// login starts a login and sends the browser to the provider.
func (h *Handler) login(w http.ResponseWriter, r *http.Request) {
	h.start(w, r, false)
}

// link starts a login whose identity is to be linked to the present session's
// account. It is a POST of our own pages, and not a GET: another site that had
// logged the browser in at a provider as somebody else could otherwise make it
// link that stranger to this person's account.
func (h *Handler) link(w http.ResponseWriter, r *http.Request) {
	if err := h.crossOrigin.Check(r); err != nil {
		h.fail(w, r, r.PathValue("id"), crossSite())
		return
	}
	if r.URL.Query().Get("link") != "1" {
		h.fail(w, r, r.PathValue("id"), badRequest("a login is started by GET, and one to be linked by POST with link=1"))
		return
	}
	h.start(w, r, true)
}

func (h *Handler) start(w http.ResponseWriter, r *http.Request, link bool) {
	id := r.PathValue("id")
	client := h.clients[id]
	if client == nil {
		h.fail(w, r, "", notFound())
		return
	}
	query := r.URL.Query()
	if query.Get("link") != "" && !link {
		w.Header().Set("Allow", http.MethodPost)
		h.fail(w, r, id, methodNotAllowed())
		return
	}
	need := query.Get("need")
	options, err := h.optionsFor(need)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	if link {
		if err := h.linkable(r); err != nil {
			h.fail(w, r, id, err)
			return
		}
	}
	meta := waitingMeta{Client: id, ReturnTo: returnTo(query.Get("return_to")), Session: h.presented(r).key, Link: link, Need: need}
	h.send(w, r, meta, options)
}

// send begins a login and sends the browser to the provider.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, meta waitingMeta, options oidcclient.BeginOptions) {
	client := h.clients[meta.Client]
	if client.ByReference() {
		options.Reference = h.reference(meta.Client)
	}
	authorization, pending, err := client.Begin(r.Context(), options)
	if err != nil {
		h.fail(w, r, meta.Client, err)
		return
	}
	meta.BegunAt = h.now().Round(0)
	if err := h.keep(w, r, &waiting{pending: pending, waitingMeta: meta}); err != nil {
		h.fail(w, r, meta.Client, err)
		return
	}
	h.log.InfoContext(r.Context(), "login started", "client", meta.Client, "link", meta.Link)
	authorization.ServeHTTP(w, r)
}

// linkable reports whether there is a session to link to. One that lives in
// cookies enters the store: a provider that posts its answer makes the browser
// leave them behind.
func (h *Handler) linkable(r *http.Request) error {
	s, err := h.current(r)
	if err == nil && s.inCookie {
		err = h.enter(r.Context(), s)
	}
	return err
}
