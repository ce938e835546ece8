package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/rely-go/rely/oidcclient/grants"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

const (
	maxWaiting = 10_000 // logins at a time
	maxOfOne   = 20     // of one browser
)

// waiting are the logins that people complete somewhere else, by handle. They are
// in this process's memory: an application on several machines would keep them
// where its sessions are.
type waiting struct {
	mu     sync.Mutex // guards what follows
	logins map[string]waits
	begun  int           // that are not yet among logins
	ended  chan struct{} // closed when one fewer is; nil when nobody waits for that
}

type waits struct {
	*grants.Waiting
	client      string
	browser     string // that began it
	since       time.Time
	backchannel *grants.Backchannel // nil at a device
	taken       bool                // it has become a session
}

// keptAfter is how long a login that is over is kept, to be told so.
const keptAfter = 10 * time.Minute

// begin keeps the login that start begins at the provider, where there is room: it is
// refused otherwise, because strangers could make room by pushing out the logins of
// people who are just deciding.
func (w *waiting) begin(start func() (waits, error)) (handle string, err error) {
	if !w.takePlace() {
		return "", &weblogin.Problem{
			Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", RetryAfter: time.Minute,
			Title: "Please try again in a moment", Description: "too many logins wait to be completed elsewhere",
		}
	}
	defer w.givePlace()
	login, err := start()
	if err != nil {
		return "", err
	}
	return w.add(login), nil
}

func (w *waiting) takePlace() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(keptAfter)
	if len(w.logins)+w.begun >= maxWaiting {
		w.forget(0)
	}
	if len(w.logins)+w.begun >= maxWaiting {
		return false
	}
	w.begun++
	return true
}

func (w *waiting) givePlace() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun--
	if w.ended != nil {
		close(w.ended)
		w.ended = nil
	}
}

// forget drops the logins that have been over for a while. The caller holds mu.
func (w *waiting) forget(while time.Duration) {
	for handle, kept := range w.logins {
		if time.Since(kept.ExpiresAt()) > while {
			delete(w.logins, handle)
		}
	}
}

// add keeps a login, in the place of its browser's oldest where that has too many.
func (w *waiting) add(login waits) (handle string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logins == nil {
		w.logins = map[string]waits{}
	}
	oldest, ofOne := "", 0
	for handle, kept := range w.logins {
		if kept.browser != login.browser {
			continue
		}
		if ofOne++; oldest == "" || kept.since.Before(w.logins[oldest].since) {
			oldest = handle
		}
	}
	if ofOne >= maxOfOne {
		delete(w.logins, oldest)
	}
	handle, login.since = rand.Text(), time.Now()
	w.logins[handle] = login
	return handle
}

// get returns the login with a handle to the browser that began it: another one would
// be logged in as whoever sent it there.
func (w *waiting) get(client, handle, browser string) *grants.Waiting {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept, ok := w.logins[handle]
	if !ok || kept.taken || kept.client != client || subtle.ConstantTimeCompare([]byte(kept.browser), []byte(browser)) != 1 {
		return nil
	}
	return kept.Waiting
}

// backchannel returns the login with a request's id, also one that has become a session.
// The provider may notify before its answer to the request was read here: so that is
// waited for where one is just being begun.
func (w *waiting) backchannel(ctx context.Context, client, request string) *grants.Backchannel {
	for {
		found, beginning := w.look(client, request)
		if found != nil || beginning == nil {
			return found
		}
		select {
		case <-beginning:
		case <-ctx.Done():
			return nil
		}
	}
}

// look returns the login that is there, else what is closed when one that is just being
// begun may be.
func (w *waiting) look(client, request string) (found *grants.Backchannel, beginning <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, kept := range w.logins {
		if kept.backchannel != nil && kept.client == client && kept.backchannel.ID() == request {
			return kept.backchannel, nil
		}
	}
	if w.begun == 0 {
		return nil, nil
	}
	if w.ended == nil {
		w.ended = make(chan struct{})
	}
	return nil, w.ended
}

// take gives a login up that has become a session. Of one in the back channel the
// notification may still come.
func (w *waiting) take(handle string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.logins[handle]
	if kept.taken = true; kept.backchannel == nil {
		delete(w.logins, handle)
		return
	}
	w.logins[handle] = kept
}

// waitingCookie names the browser that has begun logins elsewhere.
const waitingCookie = "__Host-waiting"

// maxName is longer than what nameBrowser gives, and short enough to be remembered.
const maxName = 64

// browserOf returns the name of a browser, "" where it has none.
func browserOf(r *http.Request) string {
	cookie, err := r.Cookie(waitingCookie)
	if err != nil || len(cookie.Value) > maxName {
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
