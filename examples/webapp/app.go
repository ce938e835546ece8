package main

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/rely-go/rely/oidcclient/weblogin"
	"github.com/rely-go/rely/pseudonym"
)

//go:embed page
var pages embed.FS

// app is the application.
type app struct {
	places   *places
	login    *weblogin.Handler
	accounts pseudonym.Accounts // in memory: who has linked what
	maker    *pseudonym.Maker   // of pseudonyms for third parties
	page     *template.Template
	log      *slog.Logger
	routes   *http.ServeMux
	waiting  waiting
}

// ServeHTTP implements http.Handler.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.routes.ServeHTTP(w, r) }

// finish waits until tokens that have come are stored.
func (a *app) finish() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return a.login.Shutdown(ctx)
}

// newApp mounts the application's own pages and the logins.
func newApp(p *places, s store, log *slog.Logger) (*app, error) {
	a := &app{places: p, accounts: pseudonym.Accounts{Store: &pseudonym.MemoryStore{}}, log: log}
	var err error
	if a.page, err = template.ParseFS(pages, "page/*.html"); err != nil {
		return nil, err
	}
	// An application keeps this key for as long as it keeps its pseudonyms.
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the program instead
	if a.maker, err = pseudonym.NewMaker(pseudonym.Key{ID: "demo", Secret: secret}); err != nil {
		return nil, err
	}
	a.login, err = weblogin.New(weblogin.Config{
		Clients: p.clients, BaseURL: p.baseURL, OnLogin: a.link, ErrorPage: a.showProblem, Logger: log,
		Sessions: s.sessions, Sealer: s.sealer,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.login)
	for path, entity := range p.entities {
		mux.Handle("GET "+path, entity)
	}
	a.routes = mux
	a.route("GET", "/{$}", a.login.Attach(http.HandlerFunc(a.home)))
	a.route("GET", "/style.css", asset("page/style.css", "text/css; charset=utf-8"))
	a.route("GET", "/icon.svg", asset("page/icon.svg", "image/svg+xml"))
	a.route("GET", "/readyz", http.HandlerFunc(a.login.ServeReady))
	a.route("GET", "/healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }))
	a.route("POST", "/unlink", a.login.SameSite(a.login.Require(weblogin.Requirement{}, http.HandlerFunc(a.unlink))))
	a.beyond()
	return a, nil
}

// route mounts what answers a method of a path; with any other one, the path is there and
// says so.
func (a *app) route(method, path string, serve http.Handler) {
	a.routes.Handle(method+" "+path, serve)
	a.routes.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", method)
		a.fail(w, r, &weblogin.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Title: "This request can't be answered", Description: "the page is there for " + method})
	})
}

func asset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.ServeFileFS(w, r, pages, name)
	}
}

func identity(s *weblogin.Session) pseudonym.Identity {
	return pseudonym.Identity{Issuer: s.Login.Issuer(), Subject: s.Login.Subject()}
}

// link joins a login to the account of the session in which the person asked
// for that.
func (a *app) link(ctx context.Context, login weblogin.Login) error {
	if login.LinkTo == nil {
		return nil
	}
	if !login.Session.Identified() {
		return conflict("What was granted there says nothing about who you are")
	}
	_, err := a.accounts.Link(ctx,
		pseudonym.Proof{Identity: identity(login.LinkTo), BrowserSession: login.LinkTo.ID(), At: login.LinkTo.StartedAt},
		pseudonym.Proof{
			Identity:       pseudonym.Identity{Issuer: login.Session.Issuer(), Subject: login.Session.Subject()},
			BrowserSession: login.LinkTo.ID(), At: login.Session.StartedAt(),
		})
	switch {
	case errors.Is(err, pseudonym.ErrLinkedElsewhere):
		return conflict("This login belongs to another account")
	case errors.Is(err, pseudonym.ErrProof):
		return conflict("Both logins have to be new, and of two identities: log out, log in again, and link within ten minutes")
	}
	return err
}

// unlink takes an identity out of the account.
func (a *app) unlink(w http.ResponseWriter, r *http.Request) {
	s, err := a.login.Session(r)
	if err != nil {
		a.login.Fail(w, r, err)
		return
	}
	if err := readForm(w, r); err != nil {
		a.login.Fail(w, r, err)
		return
	}
	id, err := pseudonym.ParseIdentity(r.PostFormValue("identity"))
	if err == nil {
		err = a.accounts.Unlink(r.Context(), identity(s), id)
	}
	if err != nil {
		a.login.Fail(w, r, conflict("This login can't be unlinked"))
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func conflict(title string) *weblogin.Problem {
	return &weblogin.Problem{Status: http.StatusConflict, Code: "conflict", Title: title, Description: "nothing was changed"}
}

// left says how long it is until a moment.
func left(until, now time.Time) string {
	d := until.Sub(now).Round(time.Minute)
	switch {
	case until.IsZero():
		return "not said by the provider"
	case !until.After(now):
		return "ended"
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute")
	}
	return plural(int(d/time.Hour), "hour") + " " + plural(int(d%time.Hour/time.Minute), "minute")
}
