package weblogin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

const (
	// readyTimeout bounds one look at everything.
	readyTimeout = 5 * time.Second
	// readyLasts is how long its result is given to all who ask.
	readyLasts = time.Second
)

// Readiness is what [Handler.Ready] has found.
type Readiness struct {
	// Ready says that nothing is missing.
	Ready bool `json:"ready"`
	// Providers holds "ready" for each client in Config.Clients, or what is
	// missing.
	Providers map[string]string `json:"providers"`
	// Store is "ready", or "not reached".
	Store string `json:"store"`
}

// readiness keeps a result for a moment: anybody may ask.
type readiness struct {
	mu   sync.Mutex // guards what follows, and lets one look at a time
	last Readiness
	at   time.Time
}

// Ready looks whether people can log in: the metadata and keys of each provider
// are there, or can be fetched now, and the store answers. It takes at most five
// seconds, and its result is that of everybody who asks within one.
func (h *Handler) Ready(ctx context.Context) Readiness {
	h.readiness.mu.Lock()
	defer h.readiness.mu.Unlock()
	if age := h.now().Sub(h.readiness.at); h.readiness.at.IsZero() || age < 0 || age >= readyLasts {
		h.readiness.last, h.readiness.at = h.look(context.WithoutCancel(ctx)), h.now()
	}
	return h.readiness.last
}

func (h *Handler) look(ctx context.Context) Readiness {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	out := Readiness{Ready: true, Providers: map[string]string{}, Store: "ready"}
	var mu sync.Mutex // guards out
	var wait sync.WaitGroup
	for id, client := range h.clients {
		wait.Go(func() {
			state := stateOf(client.Ready(ctx))
			mu.Lock()
			defer mu.Unlock()
			out.Providers[id] = state
			out.Ready = out.Ready && state == "ready"
		})
	}
	if _, err := h.sessions.Load(ctx, digest("ready")); err != nil {
		_ = h.storeFailed(ctx, "ready", err)
		mu.Lock()
		out.Ready, out.Store = false, "not reached"
		mu.Unlock()
	}
	wait.Wait()
	return out
}

func stateOf(err error) string {
	if err == nil {
		return "ready"
	}
	if e, ok := errors.AsType[*oidcclient.Error](err); ok {
		return e.Error()
	}
	return "not ready"
}

// ServeReady answers a load balancer: 200 or, with Retry-After, 503, and a
// [Readiness] as JSON that names what is not ready.
func (h *Handler) ServeReady(w http.ResponseWriter, r *http.Request) {
	ownHeaders(w.Header())
	found, status := h.Ready(r.Context()), http.StatusOK
	if !found.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	writeJSON(w, status, found)
}
