package weblogin

import (
	"net/http"
	"strings"
)

// newRoutes lists the routes. A path that is there with another method is
// answered with 405, and every other path with 404.
func (h *Handler) newRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	for path, methods := range map[string]map[string]http.HandlerFunc{
		"/login/{id}":               {http.MethodGet: h.login, http.MethodPost: h.link},
		"/initiate/{id}":            {http.MethodGet: h.initiate, http.MethodPost: h.initiate},
		"/jwks/{id}":                {http.MethodGet: h.jwks},
		"/request/{id}/{handle}":    {http.MethodGet: h.hosted},
		"/callback/{id}":            {http.MethodGet: h.callback, http.MethodPost: h.callback},
		"/session-management/{id}":  {http.MethodGet: h.watch, http.MethodPost: h.changed},
		"/session":                  {http.MethodGet: h.session},
		"/refresh":                  {http.MethodPost: h.refresh},
		"/logout":                   {http.MethodPost: h.logout},
		"/backchannel-logout/{id}":  {http.MethodPost: h.backChannelLogout},
		"/frontchannel-logout/{id}": {http.MethodGet: h.frontChannelLogout},
	} {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if serve, ok := methods[method]; ok {
				mux.HandleFunc(method+" "+h.prefix+path, serve)
				allowed = append(allowed, method)
			}
		}
		mux.HandleFunc(h.prefix+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			h.fail(w, r, "", methodNotAllowed())
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, "", notFound()) })
	return mux
}

func methodNotAllowed() *Problem {
	return &Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Title: "This request can't be answered", Description: "the page is there for another method"}
}

func crossSite() *Problem {
	return &Problem{Status: http.StatusForbidden, Code: "cross_site", Title: "This came from another site", Description: "request was refused because another site's page sent it"}
}

// ServeHTTP serves the routes of the package comment.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ownHeaders(w.Header())
	h.routes.ServeHTTP(w, r)
}

// ownHeaders keeps our answers out of caches, frames and other sites' hands. The
// policy has no form-action: browsers apply it to the redirects that follow a
// form too, and logins and logouts lead to other sites.
func ownHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src "+pageHash()+"; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
}
