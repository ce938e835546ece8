package conformance

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Step names an endpoint of an [OP].
type Step string

// The endpoints that every OP has.
const (
	Discovery  Step = "discovery"   // the metadata
	JWKS       Step = "jwks"        // the key set
	Authorize  Step = "authorize"   // the authorization endpoint
	Token      Step = "token"       // the token endpoint
	UserInfo   Step = "userinfo"    // the userinfo endpoint
	Register   Step = "register"    // the registration endpoint
	WebFinger  Step = "webfinger"   // at the root of the host
	EndSession Step = "end_session" // the end_session_endpoint
	Accounts   Step = "accounts"    // an API that takes access tokens
	Elsewhere  Step = "elsewhere"   // a path that is no endpoint
)

// A Call is a request that reached an OP.
type Call struct {
	// Step is the endpoint.
	Step Step
	// Method, Path and Header are those of the request.
	Method, Path string
	Header       http.Header
	// Query and Form are the parameters of the URL and of a posted form.
	Query, Form url.Values
	// Body is the body as it was sent.
	Body []byte
	// Request is the request itself, its body read.
	Request *http.Request
}

// Param returns a parameter of the query or of the posted form.
func (c *Call) Param(name string) string {
	if value := c.Form.Get(name); value != "" {
		return value
	}
	return c.Query.Get(name)
}

// An Answer is what an endpoint is about to answer.
type Answer struct {
	// Status is the HTTP status.
	Status int
	// Header is added to the answer's own.
	Header http.Header
	// Members are a JSON object, the answer unless Text or To is given.
	Members map[string]any
	// Text is a whole body of the media type Type.
	Text, Type string
	// To is where a browser is sent with Params, in the response mode Mode: query,
	// fragment or form_post.
	To, Mode string
	Params   url.Values
}

// object is an answer of 200 with a JSON object.
func object(members map[string]any) *Answer {
	return &Answer{Status: http.StatusOK, Members: members}
}

// refusal is an error answer (RFC 6749 §5.2).
func refusal(status int, code string) *Answer {
	return &Answer{Status: status, Members: map[string]any{"error": code}}
}

// endpoint is one path of an OP below its issuer.
type endpoint struct {
	step   Step
	path   string
	member string // its name in the metadata, or ""
	serve  func(*OP, *Call) *Answer
}

// An OP is an OpenID provider for one client that plays a part: each of its answers
// can be changed by [OP.Change] and each of its tokens by [OP.ChangeJWT], and it
// remembers what it was called with. Change its fields before the first call.
type OP struct {
	// URL is the origin, and Issuer a path below it.
	URL, Issuer string
	// Account is the one that WebFinger knows, "" where it knows none.
	Account string
	// Client is the one client.
	Client Client
	// Alg signs ID tokens; RS256 unless changed.
	Alg string
	// Keys are published, and those with a private part sign.
	Keys []Key
	// Now is the time of everything.
	Now time.Time
	// ForgetsPKCE takes codes without asking who proves their challenge.
	ForgetsPKCE bool
	// Authenticate judges a call of the client's; unless changed it demands
	// client_secret_basic.
	Authenticate func(*OP, *Call) bool

	server    *httptest.Server
	serving   sync.Mutex // one answer at a time; guards grants and issued
	grants    map[string]*Grant
	issued    map[string]bool // the ID tokens
	mu        sync.Mutex      // guards what follows
	endpoints []endpoint
	changes   map[Step][]func(*Call, *Answer)
	jwts      map[Kind][]func(*JWT)
	calls     []*Call
}

// A Client is what an OP knows about its client.
type Client struct {
	// ID and Secret are its credentials; RedirectURI is its one redirect URI.
	ID, Secret, RedirectURI string
	// PostLogoutRedirectURI is where a browser may be sent after a logout.
	PostLogoutRedirectURI string
	// RequestURIs are where its request objects are, as it has registered them: those that
	// end with a slash stand for all that is below.
	RequestURIs []string
	// RequestAlg is the one alg of its request objects, where it has registered one.
	RequestAlg string
}

// A Grant is what somebody agreed to at the authorization endpoint.
type Grant struct {
	// Params are those of the authorization request.
	Params url.Values
	// Subject and SessionID are of the ID tokens.
	Subject, SessionID string
	// AuthTime is when the person authenticated.
	AuthTime time.Time
	// Polls are how many token requests are answered authorization_pending before the
	// person of a backchannel request agrees.
	Polls int
}

// New starts an OP, behind TLS that takes client certificates if secure. Close it.
func New(secure bool) *OP {
	op := &OP{
		// Characters for which the form encoding of Basic matters (RFC 6749 §2.3.1).
		Client:       Client{ID: "rp:conformance +%/1", Secret: "a secret+of:32%/ or more characters &=", RedirectURI: "https://rp.example/callback"},
		Alg:          "RS256",
		Keys:         slices.Clone(usualKeys()),
		Now:          time.Date(2026, 5, 17, 9, 0, 0, 0, time.UTC),
		Authenticate: secretBasic,
		grants:       map[string]*Grant{},
		issued:       map[string]bool{},
		changes:      map[Step][]func(*Call, *Answer){},
		jwts:         map[Kind][]func(*JWT){},
	}
	op.Handle(Discovery, "/.well-known/openid-configuration", "", (*OP).discovery)
	op.Handle(JWKS, "/jwks", "jwks_uri", (*OP).jwks)
	op.Handle(Authorize, "/authorize", "authorization_endpoint", (*OP).authorize)
	op.Handle(Token, "/token", "token_endpoint", (*OP).token)
	op.Handle(UserInfo, "/userinfo", "userinfo_endpoint", (*OP).userinfo)
	op.Handle(Register, "/register", "registration_endpoint", (*OP).register)
	op.Handle(EndSession, "/end_session", "end_session_endpoint", (*OP).endSession)
	op.Handle(Accounts, "/accounts", "", (*OP).accounts)
	op.server = httptest.NewUnstartedServer(http.HandlerFunc(op.serve))
	if secure {
		op.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert, Certificates: []tls.Certificate{serverCertificate()}}
		op.server.StartTLS()
	} else {
		op.server.Start()
	}
	op.URL = op.server.URL
	op.Issuer = op.URL + "/a/rp"
	return op
}

// Close ends the listener.
func (op *OP) Close() { op.server.Close() }

// Secure reports whether it is behind TLS.
func (op *OP) Secure() bool { return op.server.TLS != nil }

// HTTPClient returns a client that believes the OP's certificate.
func (op *OP) HTTPClient() *http.Client { return op.server.Client() }

// Handle adds an endpoint below the issuer, or replaces the one of the same step.
// member is its name in the metadata, or "".
func (op *OP) Handle(step Step, path, member string, serve func(*OP, *Call) *Answer) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.endpoints = slices.DeleteFunc(op.endpoints, func(e endpoint) bool { return e.step == step })
	op.endpoints = append(op.endpoints, endpoint{step, path, member, serve})
}

// Change lets f see and change every answer of one endpoint before it is sent.
func (op *OP) Change(step Step, f func(*Call, *Answer)) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.changes[step] = append(op.changes[step], f)
}

// Calls returns the requests that reached the given endpoints, or all of them.
func (op *OP) Calls(steps ...Step) []*Call {
	op.mu.Lock()
	defer op.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(op.calls), func(c *Call) bool {
		return len(steps) > 0 && !slices.Contains(steps, c.Step)
	})
}

func (op *OP) serve(w http.ResponseWriter, r *http.Request) {
	op.serving.Lock()
	defer op.serving.Unlock()
	e, changes, call := op.observe(r)
	answer := refusal(http.StatusBadRequest, "invalid_request")
	if !call.Query.Has("access_token") { // which is never there (RFC 9700 §4.3.2)
		answer = e.serve(op, call)
	}
	for _, change := range changes {
		change(call, answer)
	}
	answer.write(w)
}

// observe finds the endpoint of a request and remembers the call.
func (op *OP) observe(r *http.Request) (endpoint, []func(*Call, *Answer), *Call) {
	call := &Call{Step: Elsewhere, Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Query: r.URL.Query(), Form: url.Values{}, Request: r}
	call.Body, _ = io.ReadAll(http.MaxBytesReader(nil, r.Body, 1<<20)) // a body that breaks off is none
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		call.Form, _ = url.ParseQuery(string(call.Body))
	}
	found := endpoint{Elsewhere, "", "", func(*OP, *Call) *Answer { return refusal(http.StatusNotFound, "not_found") }}
	op.mu.Lock()
	defer op.mu.Unlock()
	if r.URL.Path == "/.well-known/webfinger" {
		found = endpoint{WebFinger, "", "", (*OP).webFinger}
	}
	base := strings.TrimPrefix(op.Issuer, op.URL)
	for _, e := range op.endpoints {
		// The metadata of OAuth are at the root (RFC 8414 §3.1).
		if r.URL.Path == base+e.path || e.step == Discovery && r.URL.Path == "/.well-known/oauth-authorization-server"+base {
			found = e
		}
	}
	call.Step = found.step
	op.calls = append(op.calls, call)
	return found, slices.Clone(op.changes[call.Step]), call
}

// write sends an answer. Who asked may be gone.
func (a *Answer) write(w http.ResponseWriter) {
	body, kind := []byte(a.Text), a.Type
	switch {
	case a.To != "" && a.Mode == "form_post":
		body, kind = formPage(a.To, a.Params), "text/html; charset=utf-8"
		a.Status = http.StatusOK
	case a.To != "":
		separator := map[string]string{"fragment": "#", "query": "?"}[a.Mode]
		w.Header().Set("Location", a.To+separator+a.Params.Encode())
		a.Status = http.StatusSeeOther
	case a.Text == "":
		body, _ = json.Marshal(a.Members) // made of what can be encoded
		kind = "application/json"
	}
	w.Header().Set("Cache-Control", "no-store")
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	_, _ = io.Copy(w, bytes.NewReader(body))
}
