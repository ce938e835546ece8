// Package weblogin serves logins over net/http: the routes that send a browser
// to its provider and take it back, sessions, refresh, and logout from either
// side, on as many machines as share a store. An application mounts one handler:
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
//	GET, POST /initiate/{id}        starts one that another site asks for, at the provider iss
//	GET, POST /callback/{id}        the redirect URI
//	GET  /jwks/{id}                 the client's public keys
//	GET  /request/{id}/{handle}     a request object, for clients that send them by reference
//	GET  /session-management/{id}   a page for a hidden frame, that notices a logout at the provider
//	POST /session-management/{id}   what that page does then: it logs in again, without asking
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
// return_to is a path of this origin; anything else is taken as "/". The page at
// post_logout_redirect_uri asks [Handler.LoggedOut] whether the browser comes from
// a logout that it began here, and a load balancer asks [Handler.ServeReady].
//
// # Pages and APIs
//
// [Handler.Require] lets through who has a session, and, where a [Requirement]
// says so, granted scopes, a least authentication context class, or a recent
// authentication. It sends a browser to log in once more with what is missing, and
// answers a program with a challenge (RFC 6750, RFC 9470). [Handler.Attach] lets
// everybody through. [Handler.Tokens] gives the session's access token, renewed
// ahead of its end, to an [oidcclient.Transport].
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
// under its hash has no session. With Config.SessionsInCookies it is the session
// itself, sealed, in up to four cookies.
//
// # Stores
//
// Sessions live in a [SessionStore] and used logins in a [ReplayStore]. Without
// any they are kept in memory, by one process. A store on an engine that several
// processes share makes a login that began on one end on another, and lets one
// refresh for all: who renews a session's tokens holds a lease of it, and what is
// stored late is refused by the record's version. A store sees sealed contents and
// hashes only. SESSIONS.md has the table of what happens when a process ends, or
// the store goes away, at each point.
//
// Rotated tokens that were received are stored before anybody may use them, if
// need be for two minutes after the browser is gone: an application that stops
// calls [Handler.Shutdown] after its server's.
//
// # Events
//
// Config.Logger receives these records, and none holds a token, code, secret or
// personal data. error is an error of this module, or of a store, of which one
// failure in five seconds is recorded for an operation, with how many were not
// (silent).
//
//	login started               client, link
//	login finished              client
//	login linked                client
//	login refused               client, status, code, check
//	request refused             client, status, code, check
//	request failed              client, status, code, check, error
//	session refreshed           client
//	refresh refused             client, code, check: the session ends
//	refresh failed              client, status, code, check, error: the session goes on
//	userinfo not renewed        client, error: the session goes on with what was known
//	session ended               client, reason: logout, changed at the provider
//	sessions ended              client, reason, count
//	provider's logout not reached  client
//	session store failed        operation, error, silent
//	tokens not stored           client: rotated tokens are lost
//	session cookie not renewed  error
//	stored session can't be opened
//
// The clients' own are "provider found" (issuer, client_id), "provider not found"
// (issuer, client_id, error, cause), "keys fetched" (host, keys), "keys not fetched"
// (host, reason), "client not completed" (issuer, error), "claim source not believed"
// (client_id, error) and "claim sources not read" (client_id), by the Logger of their
// configuration. Module
// oidcclient/telemetry makes metrics and span events of all of them.
package weblogin
