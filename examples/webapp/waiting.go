package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/rely-go/rely/oidcclient/grants"
)

// maxWaiting logins may wait at a time.
const maxWaiting = 1000

// waiting are the logins that people complete somewhere else, by handle. They are
// in this process's memory: an application on several machines would keep them
// where its sessions are.
type waiting struct {
	mu     sync.Mutex // guards logins
	logins map[string]waits
}

type waits struct {
	*grants.Waiting
	client      string
	browser     string              // that began it
	backchannel *grants.Backchannel // nil at a device
}

// keptAfter is how long a login that is over is kept, to be told so.
const keptAfter = 10 * time.Minute

// add keeps a login, and drops those that have been over for a while, or what ends first
// when there are too many.
func (w *waiting) add(login waits) (handle string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logins == nil {
		w.logins = map[string]waits{}
	}
	first := ""
	for handle, kept := range w.logins {
		if time.Since(kept.ExpiresAt()) > keptAfter {
			delete(w.logins, handle)
		} else if first == "" || kept.ExpiresAt().Before(w.logins[first].ExpiresAt()) {
			first = handle
		}
	}
	if len(w.logins) >= maxWaiting {
		delete(w.logins, first)
	}
	handle = rand.Text()
	w.logins[handle] = login
	return handle
}

// get returns the login with a handle to the browser that began it: another one would
// be logged in as whoever sent it there.
func (w *waiting) get(client, handle, browser string) *grants.Waiting {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept, ok := w.logins[handle]
	if !ok || kept.client != client || subtle.ConstantTimeCompare([]byte(kept.browser), []byte(browser)) != 1 {
		return nil
	}
	return kept.Waiting
}

func (w *waiting) backchannel(client, request string) *grants.Backchannel {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, kept := range w.logins {
		if kept.backchannel != nil && kept.client == client && kept.backchannel.ID() == request {
			return kept.backchannel
		}
	}
	return nil
}

func (w *waiting) drop(handle string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.logins, handle)
}

// waitingCookie names the browser that has begun logins elsewhere.
const waitingCookie = "__Host-waiting"

// browserOf returns the name of a browser, "" where it has none.
func browserOf(r *http.Request) string {
	cookie, err := r.Cookie(waitingCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// nameBrowser returns the name of a browser, and gives it one first where it has none.
func nameBrowser(w http.ResponseWriter, r *http.Request) string {
	if name := browserOf(r); name != "" {
		return name
	}
	name := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: waitingCookie, Value: name, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return name
}
