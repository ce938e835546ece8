package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/weblogin"
	"github.com/rely-go/rely/pseudonym"
)

// partner is the third party in the example of a pseudonym.
const partner = "https://partner.example"

// view is what the page shows.
type view struct {
	Providers []provider
	Problem   *weblogin.Problem

	// Nobody is logged in while Person is nil.
	Person *person
}

// provider is a place to log in.
type provider struct {
	ID, Title, Issuer string
	Deviations        []oidcclient.Deviation
}

// person is who is logged in, or somebody unknown who has granted access.
type person struct {
	Provider         provider
	Name             string // "" when no claim says it
	Issuer, Subject  string // "" and all that follows from it, where nobody is identified
	ACR              string
	AMR, Scopes      []string
	Checks           []check
	Legacy           bool // the identity is no ID token
	Claims, UserInfo []claim
	Sources          []claimSource
	SessionLeft      string
	TokenLeft        string
	TokenEnded       bool
	CanRefresh       bool
	Linked           []linked
	Partner          string
	Reversible       string
	OneWay           string

	WatchURL string   // of a frame that notices a logout at the provider, or ""
	FrameSrc []string // what the frame loads
}

type check struct {
	Name string
	Made bool
}

type claim struct{ Name, Value string }

// claimSource is what somebody else than the provider says.
type claimSource struct {
	Issuer string
	Claims []claim
}

// linked is one identity of the account.
type linked struct {
	Text, Issuer, Subject string
	Title                 string // of its provider
	Current               bool   // the one that is logged in
}

// home shows who can log in, or who is logged in.
func (a *app) home(w http.ResponseWriter, r *http.Request) {
	returned, err := a.login.LoggedOut(w, r)
	if returned {
		http.Redirect(w, r, "/", http.StatusSeeOther) // without the state
		return
	}
	if err != nil {
		a.login.Fail(w, r, &weblogin.Problem{Status: http.StatusBadRequest, Code: "invalid_request", Title: "This browser did not log out here", Description: "the page that sent it says so, and is not believed"})
		return
	}
	s, err := a.login.Session(r)
	if err != nil && !errors.Is(err, weblogin.ErrNoSession) {
		a.login.Fail(w, r, err)
		return
	}
	v := view{Providers: a.providers()}
	if s != nil {
		if v.Person, err = a.person(r, s); err != nil {
			a.login.Fail(w, r, err)
			return
		}
	}
	a.show(w, http.StatusOK, v)
}

// showProblem is the page for what can't be done, where [weblogin.Handler.Fail] found that
// a page is wanted.
func (a *app) showProblem(w http.ResponseWriter, _ *http.Request, p *weblogin.Problem) {
	a.show(w, p.Status, view{Problem: p})
}

func (a *app) show(w http.ResponseWriter, status int, v view) {
	var out bytes.Buffer
	if err := a.page.ExecuteTemplate(&out, "page.html", v); err != nil {
		a.log.Error("page failed", "error", err)
		http.Error(w, "the page can't be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	frames := ""
	if v.Person != nil && len(v.Person.FrameSrc) > 0 {
		frames = "; frame-src " + strings.Join(v.Person.FrameSrc, " ")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"+frames)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}

// providers lists the clients by name.
func (a *app) providers() []provider {
	var all []provider
	for _, id := range slices.Sorted(maps.Keys(a.places.clients)) {
		if a.places.clients[id].RedirectURI() == "" {
			continue // nobody logs in there in a browser
		}
		all = append(all, a.provider(id))
	}
	return all
}

// provider describes a client. Where several are of one kind, the kind's name is
// not enough to tell them apart.
func (a *app) provider(id string) provider {
	client := a.places.clients[id]
	title, kin := client.Profile().Title, 0
	for _, other := range a.places.clients {
		if other.Profile().Title == title {
			kin++
		}
	}
	if kin > 1 {
		title = id + " (" + title + ")"
	}
	return provider{ID: id, Title: title, Issuer: client.Issuer(), Deviations: client.Deviations()}
}

// person gathers what is known of a session.
func (a *app) person(r *http.Request, s *weblogin.Session) (*person, error) {
	now, login := time.Now(), s.Login
	p := &person{
		Provider: a.provider(s.Client), Issuer: login.Issuer(), Subject: login.Subject(), ACR: login.ACR(), AMR: login.AMR(),
		Scopes: login.Scopes(), Legacy: login.Legacy() != nil, SessionLeft: left(s.ExpiresAt, now), TokenLeft: left(login.Expiry(), now),
		TokenEnded: !login.Expiry().IsZero() && !login.Expiry().After(now), CanRefresh: login.CanRefresh(), Partner: partner,
	}
	if !login.Identified() {
		return p, nil
	}
	for _, outcome := range s.Checks() {
		p.Checks = append(p.Checks, check{outcome.Check.String(), outcome.Made})
	}
	var claims, userInfo map[string]json.RawMessage
	if err := errors.Join(login.Claims(&claims), login.UserInfoClaims(&userInfo)); err != nil {
		return nil, err
	}
	for _, from := range []map[string]json.RawMessage{userInfo, claims} {
		delete(from, "_claim_sources") // with access tokens in it; what is believed of it follows
	}
	p.Claims, p.UserInfo = table(claims), table(userInfo)
	for _, source := range login.ClaimSources() {
		p.Sources = append(p.Sources, claimSource{source.Issuer, table(source.Values)})
	}
	p.WatchURL, p.FrameSrc = a.login.WatchFrame(r.Context(), s)
	for _, from := range []map[string]json.RawMessage{userInfo, claims} {
		if p.Name == "" {
			p.Name = text(from["name"])
		}
	}
	var err error
	if p.Linked, err = a.linked(r, identity(s)); err != nil {
		return nil, err
	}
	if p.Reversible, err = a.maker.Reversible(identity(s), partner); err != nil {
		return nil, err
	}
	p.OneWay, err = a.maker.OneWay(identity(s), partner)
	return p, err
}

// linked lists the identities of the person's account.
func (a *app) linked(r *http.Request, current pseudonym.Identity) ([]linked, error) {
	ids, err := a.accounts.List(r.Context(), current)
	if err != nil {
		return nil, err
	}
	var out []linked
	for _, id := range ids {
		text, err := id.MarshalText()
		if err != nil {
			return nil, err
		}
		l := linked{Text: string(text), Issuer: id.Issuer, Subject: id.Subject, Current: id == current}
		for _, p := range a.providers() {
			if p.Issuer == id.Issuer {
				l.Title = p.Title
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// table lists claims by name, with dates made readable.
func table(claims map[string]json.RawMessage) []claim {
	var rows []claim
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		value := text(claims[name])
		switch name {
		case "exp", "iat", "nbf", "auth_time", "updated_at":
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				value += " (" + time.Unix(seconds, 0).UTC().Format(time.DateTime) + " UTC)"
			}
		}
		rows = append(rows, claim{name, value})
	}
	return rows
}

// text shows a string as it is, and any other JSON as it is written.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// LoginURL and LinkURL are where the page's links and forms lead.
func (p provider) LoginURL() string { return "/login/" + url.PathEscape(p.ID) }

// LinkURL starts a login to be linked to the account.
func (p provider) LinkURL() string { return p.LoginURL() + "?link=1" }
