package oidctest

import (
	"crypto"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// A Step names one of the provider's endpoints, whatever its path.
type Step string

// The steps. A system has those that it published.
const (
	StepDiscovery Step = "discovery" // provider metadata
	StepWebFinger Step = "webfinger" // the issuer of an account
	StepRegister  Step = "register"  // client registration
	StepKeys      Step = "keys"      // the JWK Set
	StepTenant    Step = "tenant"    // BlockID: community_info/fetch
	StepDirectory Step = "directory" // BlockID: the service directory
	StepPush      Step = "push"      // pushed authorization requests
	StepAuthorize Step = "authorize" // the authorization endpoint
	StepLogin     Step = "login"     // the login page's form
	StepToken     Step = "token"     // the token endpoint
	StepUserInfo  Step = "userinfo"  // the userinfo endpoint
	// StepCheckSession is check_session_iframe.
	StepCheckSession Step = "check session"

	StepLogout Step = "logout" // the end_session_endpoint; logout tokens
)

// Recorded is one request that reached the provider.
type Recorded struct {
	// Step is the endpoint; empty when the path is none.
	Step Step
	// Method and Path are those of the request.
	Method, Path string
	// Header is a copy of the request's header, credentials included.
	Header http.Header
	// Query and Form are the decoded parameters of the URL and of the body.
	Query, Form url.Values
	// Body is the body as sent when it is not a form, at most 64 KiB.
	Body []byte
	// Time is the provider's clock.
	Time time.Time
}

// Issue is a token answer before it is signed and sent. A hook may change
// everything in it.
type Issue struct {
	// Step is StepToken, StepUserInfo (a signed or plain userinfo answer) or
	// StepLogout (a logout token).
	Step Step
	// Grant is the grant_type of the request, at StepToken.
	Grant string
	// Header and Claims are of the JWT. The alg in Header decides how it is
	// signed: HS256, HS384 and HS512 with Secret, RS, PS, ES256 and EdDSA with
	// Key, and any other, like "none", leaves the signature empty. A Claims map
	// without members issues no JWT at all. An unsigned userinfo answer has only
	// Claims.
	Header, Claims map[string]any
	// Key, when a hook sets it, signs instead of the provider's own key for the
	// alg: *rsa.PrivateKey, *ecdsa.PrivateKey of P-256 or ed25519.PrivateKey.
	Key crypto.Signer
	// Secret is the key for HS256, HS384 and HS512. Nil: the client secret.
	Secret []byte
	// Answer is the token endpoint's answer. The signed ID token is added after
	// the hook unless the hook has set id_token itself.
	Answer map[string]any
	// Rewrite, when a hook sets it, changes the signed JWT.
	Rewrite func(compact string) string
}

// Reply is a canned answer.
type Reply struct {
	// Times is how often it is given; 0 is once, a negative number for ever.
	Times int
	// Status is the HTTP status; 0 is 200.
	Status int
	// ContentType is the Content-Type header; empty is application/json.
	ContentType string
	// Header is added.
	Header http.Header
	// Body is the body.
	Body string
}

const maxRecorded = 1024

// hooks is what tests ask of the provider beyond its behaviour.
type hooks struct {
	onToken    func(*Issue)
	onCallback func(url.Values)
	replies    map[Step]*Reply
	down       bool
	login      string
	requests   []Recorded
	fault      fault
}

func newHooks() hooks { return hooks{replies: map[Step]*Reply{}} }

// OnToken calls f before every token answer, userinfo answer and logout token
// is signed. It runs in the goroutine of the request, one call at a time is not
// guaranteed. Nil ends it.
func (p *Provider) OnToken(f func(*Issue)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks.onToken = f
}

// OnCallback calls f with the parameters of every authorization response before
// the browser is sent back with them. Nil ends it.
func (p *Provider) OnCallback(f func(url.Values)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks.onCallback = f
}

// Answer makes the endpoint give a canned reply instead of its own for the next
// requests. It replaces an earlier one for the same step.
func (p *Provider) Answer(step Step, reply Reply) {
	if reply.Times == 0 {
		reply.Times = 1
	}
	if reply.Status == 0 {
		reply.Status = http.StatusOK
	}
	if reply.ContentType == "" {
		reply.ContentType = "application/json"
	}
	reply.Header = reply.Header.Clone()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks.replies[step] = &reply
}

// Down closes every connection without an answer while it is true, as a crashed
// provider does. For a provider that still answers, use Answer with 503.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks.down = down
}

// LoginAs chooses by Subject or Username who is approved without asking. An
// empty or unknown name means the first person.
func (p *Provider) LoginAs(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks.login = name
}

// Requests returns the latest requests, at most 1024, the oldest first.
func (p *Provider) Requests() []Recorded {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hooks.requests)
}

// Sent returns those of Requests that reached one endpoint.
func (p *Provider) Sent(step Step) []Recorded {
	return slices.DeleteFunc(p.Requests(), func(r Recorded) bool { return r.Step != step })
}

// nextReply takes a canned reply for the step, if there is one.
func (p *Provider) nextReply(step Step) (Reply, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reply, ok := p.hooks.replies[step]
	if !ok {
		return Reply{}, false
	}
	if reply.Times > 0 {
		reply.Times--
		if reply.Times == 0 {
			delete(p.hooks.replies, step)
		}
	}
	return *reply, true
}

// record keeps a request for Requests and reports whether the provider is down.
func (p *Provider) record(r Recorded) (down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.hooks.requests) >= maxRecorded {
		p.hooks.requests = slices.Delete(p.hooks.requests, 0, maxRecorded/8)
	}
	p.hooks.requests = append(p.hooks.requests, r)
	return p.hooks.down
}

func (p *Provider) tamper(issue *Issue) {
	p.mu.Lock()
	hook := p.hooks.onToken
	f := p.hooks.fault
	p.mu.Unlock()
	if f.issue != nil {
		f.issue(p, issue)
	}
	if hook != nil {
		hook(issue)
	}
}
