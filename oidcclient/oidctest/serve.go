package oidctest

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxBody     = 256 << 10
	maxKeptBody = 64 << 10
	formType    = "application/x-www-form-urlencoded"
)

// handler serves one of the listeners.
func (p *Provider) handler(apart bool) http.Handler {
	routes := map[string]endpoint{}
	for _, e := range p.desc.endpoints {
		if e.apart == apart {
			routes[p.path(e.path)] = e
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, known := routes[r.URL.Path]
		if !p.observe(w, r, e.step) {
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case !known && p.desc.missing != nil && !apart:
			p.desc.missing(w, r)
		case !known:
			http.NotFound(w, r)
		case !slices.Contains(e.methods, r.Method):
			w.Header().Set("Allow", strings.Join(e.methods, ", "))
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		default:
			p.serveStep(e, w, r)
		}
	})
}

func (p *Provider) serveStep(e endpoint, w http.ResponseWriter, r *http.Request) {
	reply, ok := p.nextReply(e.step)
	if !ok {
		if !p.misanswer(e, w, r) {
			e.serve(p, w, r)
		}
		return
	}
	for name, values := range reply.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", reply.ContentType)
	w.WriteHeader(reply.Status)
	_, _ = io.WriteString(w, reply.Body) // the client may be gone
}

// observe reads and records the request. It reports false when the provider is
// down and has closed the connection.
func (p *Provider) observe(w http.ResponseWriter, r *http.Request, step Step) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request is too large", http.StatusRequestEntityTooLarge)
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	recorded := Recorded{
		Step: step, Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(),
		Query: r.URL.Query(), Form: url.Values{}, Time: p.now(),
	}
	if isForm(r) {
		if form, err := url.ParseQuery(string(body)); err == nil {
			recorded.Form = form
		}
	} else {
		recorded.Body = body[:min(len(body), maxKeptBody)]
	}
	if !p.record(recorded) {
		return true
	}
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close() // nothing to say to it
		}
	}
	return false
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == formType
}

// once flattens parameters, of which each may occur once (RFC 6749 §3.1, §3.2).
func once(values url.Values) (map[string]string, *refusal) {
	out := map[string]string{}
	for name, v := range values {
		if len(v) != 1 {
			return nil, refuse("invalid_request", "a parameter occurs twice")
		}
		if v[0] != "" { // an empty value is no value (RFC 6749 §3.1)
			out[name] = v[0]
		}
	}
	return out, nil
}

// form reads the parameters of a posted form; those of a back-channel request
// may not be in the URL.
func form(r *http.Request) (map[string]string, *refusal) {
	if !isForm(r) {
		return nil, refuse("invalid_request", "Content-Type is not "+formType)
	}
	if r.URL.RawQuery != "" {
		return nil, refuse("invalid_request", "parameters belong into the body")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, refuse("invalid_request", "body can't be read")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse("invalid_request", "body is no form")
	}
	return once(values)
}

// writeJSON answers an object with its members in order.
func writeJSON(w http.ResponseWriter, status int, contentType string, m map[string]any, order []string) {
	body, err := encodeObject(m, order)
	if err != nil {
		http.Error(w, "answer can't be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

func writeMembers(w http.ResponseWriter, status int, members []member) {
	m, order := map[string]any{}, []string{}
	for _, one := range members {
		m[one.name] = one.value
		order = append(order, one.name)
	}
	writeJSON(w, status, "application/json", m, order)
}

// path puts the tenant into a path.
func (p *Provider) path(path string) string {
	return strings.ReplaceAll(path, "{community}", p.community())
}

// endpointURL returns where a step is; "" when the system has none.
func (p *Provider) endpointURL(step Step) string {
	for _, e := range p.desc.endpoints {
		if e.step == step && e.apart {
			return p.userInfoBase + p.path(e.path)
		}
		if e.step == step {
			return p.base + p.path(e.path)
		}
	}
	return ""
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", p.desc.metadata(p), []string{"issuer"})
}

func (p *Provider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Del("Pragma")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(p.JWKS()) // the client may be gone
}
