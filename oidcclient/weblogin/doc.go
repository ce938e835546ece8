// Package weblogin serves logins over net/http: the routes that send a browser
// to its provider and take it back, a session in a cookie, refresh, and logout
// from either side. An application mounts one handler:
//
//	login, err := weblogin.New(weblogin.Config{
//		Clients: map[string]*oidcclient.Client{"acme": client},
//		BaseURL: "https://app.example",
//	})
//	mux.Handle("/", login)
//	mux.Handle("/account", login.Require(weblogin.Requirement{}, account))
//
// # Routes
//
// All lie under the path of BaseURL; {id} is a key of Clients.
//
//	GET  /login/{id}                starts a login; return_to is where to go afterwards
//	POST /login/{id}?link=1         starts one to be linked to the present session
//	GET, POST /callback/{id}        the redirect URI
//	GET  /session                   the session as JSON, or 401
//	POST /refresh                   renews the tokens, and answers the same JSON
//	POST /logout                    ends the session here and at the provider
//	POST /backchannel-logout/{id}   takes logout tokens
//	GET  /frontchannel-logout/{id}  is loaded by the provider in a frame
//
// The JSON has the members client, issuer, subject, claims, userinfo (empty
// without one), acr, amr, scope, and expires_at: when the access token ends, in
// whole seconds since 1970, or null when the provider did not say.
//
// return_to is a path of this origin; anything else is taken as "/".
//
// # Errors
//
// A refused login is 400, or 403 when the person said no; a provider that
// answers nonsense is 502; one that can't be reached is 503 with Retry-After,
// and loses nothing. A browser gets a page, and a request with
// Accept: application/json gets {"error":…,"error_description":…}. Both name the
// check that failed, and hold no token, code, secret or text of the provider.
//
// # Cookies
//
// All cookies are Secure, HttpOnly, SameSite=Lax and have the prefix __Host-, so
// that neither a script nor another host can set or read them; browsers accept
// Secure cookies from loopback addresses over plain http too.
//
// Each login has a cookie of its own, sealed, which is good for one callback of
// the client it was begun with: logins in several tabs end in any order, and at
// most five wait in one browser. Only for a client whose provider posts the
// answer back is that cookie SameSite=None, because a browser would not send it
// with a post from another site otherwise.
//
// The session's cookie is 256 random bits, and new with every login. It is not
// sealed: there is nothing in it to hide, and a server that holds no record
// under its hash has no session.
//
// # Stores
//
// Sessions live in a [SessionStore] and used logins in a [ReplayStore]. Without
// any they are kept in memory, by one process. A store on an engine that several
// processes share makes a login that began on one end on another. A store sees
// sealed contents and hashes only.
package weblogin
