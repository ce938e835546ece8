package weblogin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// retryAfter is what is asked of a browser while a provider or a store is down.
const retryAfter = 5 * time.Second

// A Problem is what a person or a program is told when something can't be done.
// It can be shown: it holds no token, code, secret or text of a provider.
type Problem struct {
	// Status is the HTTP status.
	Status int
	// Code is the error in JSON: the provider's own registered code where it
	// refused, otherwise login_refused, login_required, insufficient_scope,
	// insufficient_user_authentication, provider_error, temporarily_unavailable,
	// invalid_request, not_found, method_not_allowed, cross_site or
	// internal_error.
	Code string
	// Title is one line for a person.
	Title string
	// Description is the error_description in JSON.
	Description string
	// Check names the check that refused, or is "".
	Check string
	// Client is the key of the client that it is about, or "".
	Client string
	// Challenge is the WWW-Authenticate header of an answer to a program (RFC 6750
	// §3, RFC 9470 §3), or "".
	Challenge string
	// RetryAfter, when not 0, is when to try again.
	RetryAfter time.Duration
}

// Error implements error.
func (p *Problem) Error() string { return "weblogin: " + p.Code + ": " + p.Description }

// refused makes the Problem of a check of this package.
func refused(check, reason string) *Problem {
	return &Problem{
		Status: http.StatusBadRequest, Code: "login_refused", Check: check,
		Title: "The login was not accepted", Description: "refused: " + check + ": " + reason,
	}
}

func badRequest(description string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: "invalid_request", Title: "This request can't be answered", Description: description}
}

func notFound() *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "not_found", Title: "There is nothing here", Description: "no such page or provider"}
}

func loginRequired(description string) *Problem {
	return &Problem{Status: http.StatusUnauthorized, Code: "login_required", Title: "Please log in", Description: description, Challenge: "Bearer"}
}

// problemOf says what to answer to an error.
func problemOf(err error) *Problem {
	var p *Problem
	var e *oidcclient.Error
	switch {
	case errors.As(err, &p):
		copied := *p
		return &copied
	case errors.Is(err, ErrNoSession):
		return loginRequired("there is no session")
	case errors.As(err, &e):
		return problemOfLogin(e)
	case errors.Is(err, ErrConflict):
		p := unavailable("the session was changed by somebody else at the same time")
		p.Title = "Please try again"
		return p
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unavailable("the request was ended before it was answered")
	}
	return &Problem{Status: http.StatusInternalServerError, Code: "internal_error", Title: "Something went wrong here", Description: "the application could not do this"}
}

func unavailable(description string) *Problem {
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", RetryAfter: retryAfter,
		Title: "The provider can't be reached just now", Description: description,
	}
}

// problemOfLogin follows the side on which an error lies. The texts of
// oidcclient's errors are made to be shown.
func problemOfLogin(e *oidcclient.Error) *Problem {
	text := strings.TrimPrefix(e.Error(), "oidcclient: ")
	switch e.Fault {
	case oidcclient.FaultOutage, oidcclient.FaultCanceled:
		return unavailable(text)
	case oidcclient.FaultProvider:
		return &Problem{Status: http.StatusBadGateway, Code: "provider_error", Check: e.Check, Title: "The provider did not answer as it should", Description: text}
	}
	p := &Problem{Status: http.StatusBadRequest, Code: "login_refused", Check: e.Check, Title: "The login was not accepted", Description: text}
	if e.Code != "" {
		p.Code = e.Code
	}
	if e.Code == "access_denied" {
		p.Status, p.Title = http.StatusForbidden, "The login was cancelled"
	}
	return p
}

// Fail answers a request with an error as this package's own routes do: with JSON where
// it asks for that, and with the page of Config.ErrorPage otherwise. A [*Problem], and an
// error of oidcclient, say themselves what is answered; of any other nothing is shown.
// It is for routes of the application's own around logins.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) {
	ownHeaders(w.Header())
	h.fail(w, r, "", err)
}

// SameSite lets only requests through to next that no page of another site has sent
// (see [http.CrossOriginProtection]); others are answered as by [Handler.Fail].
func (h *Handler) SameSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.crossOrigin.Check(r); err != nil {
			h.Fail(w, r, crossSite())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fail answers a request with an error: with JSON where it asks for that, and
// with a page otherwise.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, client string, err error) {
	p := h.refuse(w, r, client, err)
	switch {
	case wantsJSON(r):
		p.writeJSON(w)
	case h.errorPage != nil:
		h.errorPage(w, r, p)
	default:
		h.plainPage(w, p)
	}
}

// failJSON answers a program.
func (h *Handler) failJSON(w http.ResponseWriter, r *http.Request, client string, err error) {
	h.refuse(w, r, client, err).writeJSON(w)
}

// refuse logs an error, and returns what to say about it.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, client string, err error) *Problem {
	p := problemOf(err)
	if p.Client == "" {
		p.Client = client
	}
	attributes := []any{"client", p.Client, "status", p.Status, "code", p.Code, "check", p.Check}
	switch login := h.isLogin(r); {
	case p.Status == http.StatusInternalServerError:
		h.log.ErrorContext(r.Context(), "request failed", append(attributes, "error", err)...)
	case login && p.Client != "":
		h.log.WarnContext(r.Context(), "login refused", attributes...)
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusNotFound, p.Status == http.StatusMethodNotAllowed:
		h.log.DebugContext(r.Context(), "request refused", attributes...)
	default:
		h.log.WarnContext(r.Context(), "request refused", attributes...)
	}
	if p.Challenge != "" {
		w.Header().Set("WWW-Authenticate", p.Challenge)
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	return p
}

// isLogin reports whether a request begins or ends a login.
func (h *Handler) isLogin(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, h.prefix+"/login/") || strings.HasPrefix(r.URL.Path, h.prefix+"/callback/")
}

func (p *Problem) writeJSON(w http.ResponseWriter) {
	writeJSON(w, p.Status, map[string]string{"error": p.Code, "error_description": p.Description})
}

// wantsJSON reports whether a request asks for JSON in so many words: browsers
// don't.
func wantsJSON(r *http.Request) bool {
	for _, accept := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(accept, ",") {
			if kind, _, err := mime.ParseMediaType(part); err == nil && kind == "application/json" {
				return true
			}
		}
	}
	return false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the browser may be gone
}

const pageStyle = `:root{color-scheme:light dark;--ink:#1b2430;--paper:#fff;--accent:#0a56a5}
@media(prefers-color-scheme:dark){:root{--ink:#e9edf3;--paper:#141a22;--accent:#86bdf7}}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,sans-serif}
main{max-width:36rem;margin:12vh auto 0;padding:0 1.25rem}
h1{font-size:1.5rem;line-height:1.25}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code{overflow-wrap:anywhere}
`

const pageText = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title><style>{{.Style}}</style></head>
<body><main>
<h1>{{.Title}}</h1>
<p><code>{{.Description}}</code></p>
<p>{{with .LoginAgain}}<a href="{{.}}">Log in again</a> · {{end}}<a href="/">To the start</a></p>
</main></body>
</html>
`

// pageHash is the style's source in the Content-Security-Policy.
func pageHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// plainPage shows a problem to a person.
func (h *Handler) plainPage(w http.ResponseWriter, p *Problem) {
	data := struct {
		*Problem
		Style      template.CSS
		LoginAgain string
	}{p, pageStyle, ""}
	if h.clients[p.Client] != nil {
		data.LoginAgain = h.prefix + "/login/" + p.Client
	}
	page, err := template.New("problem").Parse(pageText)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_ = page.Execute(w, data) // the browser may be gone
}
