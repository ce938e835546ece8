package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// beyond mounts what is no login in this browser: tokens of the application
// itself, logins at a device or a phone, and the call of an API.
func (a *app) beyond() {
	a.route("POST", "/machine/{id}", a.login.SameSite(a.with(a.machine)))
	a.route("POST", "/device/{id}", a.login.SameSite(a.with(a.device)))
	a.route("POST", "/ciba/{id}", a.login.SameSite(a.with(a.backchannel)))
	a.route("GET", "/device/{id}/{handle}", a.with(a.decided))
	a.route("GET", "/ciba/{id}/{handle}", a.with(a.decided))
	a.route("POST", "/ciba-notification/{id}", a.with(a.notified))
	a.route("GET", "/resource/{id}", a.login.Attach(a.with(a.callAPI)))
}

// with finds the client of a route, and answers with the error of serve.
func (a *app) with(serve func(http.ResponseWriter, *http.Request, *oidcclient.Client) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := a.places.clients[r.PathValue("id")]
		if client == nil {
			a.fail(w, r, notFound("no such client"))
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if err := serve(w, r, client); err != nil {
			a.fail(w, r, problem(err))
		}
	})
}

// fail answers in JSON, as these routes do when all is well, but for a browser that
// wants a page.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		r = r.Clone(r.Context())
		r.Header.Set("Accept", "application/json")
	}
	a.login.Fail(w, r, err)
}

// problem says what is answered to an error of package grants; what weblogin knows
// stays as it is.
func problem(err error) error {
	switch {
	case errors.Is(err, grants.ErrExpired):
		return &weblogin.Problem{Status: http.StatusBadRequest, Code: "expired_token", Title: "The time for this login is over", Description: err.Error()}
	case errors.Is(err, grants.ErrCompleted):
		return notFound("this login was completed")
	case errors.Is(err, grants.ErrNotification):
		return &weblogin.Problem{Status: http.StatusUnauthorized, Code: "invalid_token", Title: "This is not the provider's", Description: err.Error(), Challenge: "Bearer"}
	}
	return err
}

func notFound(description string) *weblogin.Problem {
	return &weblogin.Problem{Status: http.StatusNotFound, Code: "not_found", Title: "There is nothing here", Description: description}
}

func badRequest(description string) *weblogin.Problem {
	return &weblogin.Problem{Status: http.StatusBadRequest, Code: "invalid_request", Title: "This request can't be answered", Description: description}
}

const maxForm = 16 << 10 // bytes

// readForm reads a form, or says why it can't be read: it is not to be taken for an empty
// one, which asks for something else.
func readForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if err == nil {
		err = r.ParseMultipartForm(maxForm)
	}
	var long *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, http.ErrNotMultipart):
		return nil
	case errors.As(err, &long):
		return &weblogin.Problem{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Title: "This request can't be answered", Description: "form is too long"}
	}
	return badRequest("form is malformed")
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser may be gone
}

// machine gets a token for the application itself: for the scopes of the form, or those
// of the configuration but for what is about people.
func (a *app) machine(w http.ResponseWriter, r *http.Request, client *oidcclient.Client) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	each := client.Defaults()
	want := grants.Request{Scopes: strings.Fields(r.FormValue("scope")), Resources: each.Resources, AuthorizationDetails: each.AuthorizationDetails}
	if len(want.Scopes) == 0 {
		want.Scopes = slices.DeleteFunc(each.Scopes, func(scope string) bool { return scope == "openid" || scope == "offline_access" })
	}
	token, err := grants.ClientCredentials(r.Context(), client, want)
	if err != nil {
		return err
	}
	var ends any
	if !token.Expiry.IsZero() {
		ends = token.Expiry.Unix()
	}
	scope, said := token.Extra("scope").(string)
	if !said {
		scope = strings.Join(want.Scopes, " ") // RFC 6749 §5.1
	}
	answer(w, http.StatusOK, map[string]any{"token_type": token.Type(), "scope": scope, "expires_at": ends})
	return nil
}

func (a *app) device(w http.ResponseWriter, r *http.Request, client *oidcclient.Client) error {
	var d *grants.Device
	handle, err := a.waiting.begin(func() (_ waits, err error) {
		if d, err = grants.BeginDevice(r.Context(), client, grants.DeviceRequest{}); err != nil {
			return waits{}, err
		}
		return waits{Waiting: d.Waiting, client: r.PathValue("id"), browser: nameBrowser(w, r)}, nil
	})
	if err != nil {
		return err
	}
	out := map[string]any{
		"handle": handle, "user_code": d.UserCode, "verification_uri": d.VerificationURI,
		"expires_in": secondsLeft(d.Waiting), "interval": int(d.Interval() / time.Second),
	}
	if d.VerificationURIComplete != "" {
		out["verification_uri_complete"] = d.VerificationURIComplete
	}
	answer(w, http.StatusOK, out)
	return nil
}

func secondsLeft(w *grants.Waiting) int {
	return int(time.Until(w.ExpiresAt()).Round(time.Second) / time.Second)
}

func (a *app) backchannel(w http.ResponseWriter, r *http.Request, client *oidcclient.Client) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	hint := r.FormValue("login_hint")
	if hint == "" && client.Defaults().LoginHint == "" {
		return badRequest("login_hint is missing")
	}
	id := r.PathValue("id")
	want := grants.BackchannelRequest{LoginHint: hint, BindingMessage: r.FormValue("binding_message"), Ping: a.places.pings[id]}
	var b *grants.Backchannel
	handle, err := a.waiting.begin(func() (_ waits, err error) {
		if b, err = grants.BeginBackchannel(r.Context(), client, want); err != nil {
			return waits{}, err
		}
		return waits{Waiting: b.Waiting, client: id, browser: nameBrowser(w, r), backchannel: b}, nil
	})
	if err != nil {
		return err
	}
	answer(w, http.StatusAccepted, map[string]any{"handle": handle, "expires_in": secondsLeft(b.Waiting), "interval": int(b.Interval() / time.Second)})
	return nil
}

// decided answers 202 until the person has decided, and begins the session then.
func (a *app) decided(w http.ResponseWriter, r *http.Request, _ *oidcclient.Client) error {
	id, handle := r.PathValue("id"), r.PathValue("handle")
	waits := a.waiting.get(id, handle, browserOf(r))
	if waits == nil {
		return notFound("no login of this browser waits under this handle")
	}
	session, err := waits.Poll(r.Context())
	if errors.Is(err, grants.ErrPending) {
		answer(w, http.StatusAccepted, map[string]any{"interval": int(waits.Interval() / time.Second)})
		return nil
	}
	if err != nil {
		return err
	}
	a.waiting.take(handle)
	if err := a.login.StartSession(w, r, id, session); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// notificationPatience is how long a notification waits for a login that is just being begun.
const notificationPatience = 3 * time.Second

// notified takes the provider's notification that somebody has decided.
func (a *app) notified(w http.ResponseWriter, r *http.Request, _ *oidcclient.Client) error {
	request, err := grants.ReadNotification(r)
	if err != nil {
		return badRequest(err.Error())
	}
	ctx, cancel := context.WithTimeout(r.Context(), notificationPatience)
	defer cancel()
	b := a.waiting.backchannel(ctx, r.PathValue("id"), request)
	if b == nil {
		return grants.ErrNotification
	}
	if err := b.Notified(r); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxAPIAnswer is how long an API's answer may be to be passed on, in bytes.
const maxAPIAnswer = 1 << 20

// callAPI calls the client's API with the session's access token, and passes its
// answer on. It needs no more of a session than that: a person need not be known.
func (a *app) callAPI(w http.ResponseWriter, r *http.Request, client *oidcclient.Client) error {
	id := r.PathValue("id")
	if a.places.apis[id] == "" {
		return notFound("this client has no resource in its configuration")
	}
	s, err := a.login.Session(r)
	if err != nil {
		return err
	}
	if s.Client != id {
		return &weblogin.Problem{Status: http.StatusForbidden, Code: "login_refused", Title: "This needs another login", Description: "the session is another client's"}
	}
	target, err := url.Parse(a.places.apis[id])
	if err != nil {
		return err
	}
	api := client.Transport(a.login.Tokens(s), target.Scheme+"://"+target.Host)
	body, status, kind, err := fetch(r.Context(), &http.Client{
		Timeout: 30 * time.Second, Transport: api,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // its answer, and no other's
	}, target.String())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser may be gone
	return nil
}

func fetch(ctx context.Context, client *http.Client, target string) (body []byte, status int, kind string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		var e *oidcclient.Error
		var p *weblogin.Problem
		if errors.As(err, &e) || errors.As(err, &p) { // no token to call it with
			return nil, 0, "", err
		}
		return nil, 0, "", apiFault("the API was not reached")
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 999 { // net/http reads what it panics at when it is to write it
		return nil, 0, "", apiFault("the API's status is none of an answer")
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAPIAnswer+1))
	switch {
	case err != nil:
		return nil, 0, "", apiFault("the API's answer broke off")
	case len(body) > maxAPIAnswer:
		return nil, 0, "", apiFault("the API's answer is too long")
	}
	return body, resp.StatusCode, resp.Header.Get("Content-Type"), nil
}

func apiFault(description string) *weblogin.Problem {
	return &weblogin.Problem{Status: http.StatusBadGateway, Code: "provider_error", Title: "The API did not answer as it should", Description: description}
}
