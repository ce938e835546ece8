package weblogin

import (
	"net/http"
	"sync"
	"time"
)

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
	expected, err := issuerOf(r, client)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	if issuer[0] != expected {
		h.fail(w, r, id, badRequest("refused: iss: it is not this provider's"))
		return
	}
	if h.inCookies && !h.strangers.allow(h.now(), h.life+clockSkew) {
		h.fail(w, r, id, unavailable("too many front-channel logouts are remembered already"))
		return
	}
	ended, err := h.endNamed(r.Context(), id, issuer[0], sid[0], "")
	if err != nil {
		h.fail(w, r, id, err)
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

// How many marks of front-channel logouts a process makes that are alive at a time: a tenth
// of what a Memory holds, and in a store with more room what takes some hundred megabytes.
const (
	maxStrangers       = maxSessions / 10
	maxStrangersStored = 500_000
)

// strangers bounds what front-channel logouts leave in the store. Anybody can make them
// up, and no cookie or token tells who did: so they may keep each other out, but not
// the sessions.
type strangers struct {
	most int

	mu    sync.Mutex // guards until
	until []time.Time
}

// allow reports whether one more mark may be made, which lasts that long.
func (s *strangers) allow(now time.Time, lasts time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.until) > 0 && !now.Before(s.until[0]) {
		s.until = s.until[1:]
	}
	if len(s.until) >= s.most {
		return false
	}
	s.until = append(s.until, now.Add(lasts))
	return true
}
