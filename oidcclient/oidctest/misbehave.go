package oidctest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
)

// A Misbehaviour is one way in which a provider, or somebody in its place, does
// wrong, with the place where a relying party has to notice. [Misbehaviours]
// lists them; [Provider.Misbehave] switches one on. The zero value is none.
//
// Each is noticed by a relying party that logs in, asks for userinfo and
// refreshes, in this order, and that has asked this provider nothing before: the
// first error must be the one stated. They fit the Generic system.
type Misbehaviour struct {
	// Name is unique in the list and fits a subtest.
	Name string
	// About says what the provider does, in one sentence.
	About string
	// Class is the number of the attack's class in SECURITY-TESTS.md, like "T51".
	Class string
	// Step is the step of the relying party that must fail, named as oidcclient
	// names its steps: "discovery", "callback", "code exchange", "identity",
	// "userinfo" or "refresh".
	Step string
	// Check is the check that must refuse, as oidcclient names it: "iss",
	// "nonce", "userinfo sub". Empty: the answer is none, and no check is asked.
	Check string
	// Outage says that the failure must count as one that may pass.
	Outage bool

	fault fault
}

// Elsewhere is the path of the place, on another host name, to which the
// redirects of [Misbehaviours] lead. A request with this path in
// [Provider.Requests] is one that followed.
const Elsewhere = "/elsewhere"

// fault is what a misbehaviour changes. Nil functions change nothing.
type fault struct {
	issue    func(*Provider, *Issue)
	callback func(url.Values)
	step     Step   // of answer
	grant    string // limits answer to one grant_type
	answer   func(p *Provider, w http.ResponseWriter, r *http.Request, honest *heldAnswer)
}

// Misbehave switches a misbehaviour on in place of the one before; the zero
// Misbehaviour switches it off. Hooks and canned answers stay as they are: a
// canned answer goes first, a hook sees what the misbehaviour has changed.
func (p *Provider) Misbehave(m Misbehaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks.fault = m.fault
}

func (p *Provider) fault() fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hooks.fault
}

// misanswer gives a misbehaving answer and reports whether there was one to give.
func (p *Provider) misanswer(e endpoint, w http.ResponseWriter, r *http.Request) bool {
	f := p.fault()
	if f.answer == nil || f.step != e.step || f.grant != "" && f.grant != grantOf(r) {
		return false
	}
	honest := &heldAnswer{header: w.Header().Clone(), status: http.StatusOK}
	e.serve(p, honest, r)
	f.answer(p, w, r, honest)
	return true
}

// grantOf reads the grant_type of a posted form and leaves the body to be read.
func grantOf(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	values, bad := url.ParseQuery(string(body))
	if err != nil || bad != nil {
		return ""
	}
	return values.Get("grant_type")
}

// heldAnswer keeps the honest answer back so that a fault can spoil it.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

// send gives the answer with another body.
func (h *heldAnswer) send(w http.ResponseWriter, body []byte) {
	for name, values := range h.header {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(h.status)
	_, _ = w.Write(body) // the client may be gone
}
