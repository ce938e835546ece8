// Package oidcclient logs people in through OpenID Connect providers.
//
// One login is a value that moves through four steps:
//
//	Begin → (browser) → Complete → Session → Refresh
//
// [New] checks a [Config] and makes a [Client]. [Client.Begin] returns where to
// send the browser and a [Pending], which stays with that browser: in a cookie
// sealed by a [Sealer], or in a row that such a cookie names. [Client.Complete]
// takes the Pending and the parameters that the browser brought back, exchanges
// the code with the client's one authentication method, judges the ID token by
// every check of package idtoken, and returns a [Session]: who the person is,
// and the tokens for calling APIs. [Client.Refresh] makes a new Session of an
// old one. Package weblogin does all of this for net/http.
//
// What differs between providers is a [Profile], which is data. Package profiles
// has those of iSHARE, BankID, BlockID, Umbrella Faces, and the generic one for
// every provider that keeps to OpenID Connect Core.
//
// # Strictness
//
// The zero value of every field is the strictest. PKCE with S256, a state and a
// nonce are sent with every login; one authentication method is used and none
// is tried; no redirect is followed; every answer is bounded in size and time
// and read strictly. A profile that has to be laxer lists why ([Deviation]).
//
// # Contexts
//
// Contexts cancel and carry deadlines, nothing else. What callers share, as the
// search for a provider's metadata and keys, does not end with the context of
// the caller who happened to come first.
//
// # Secrets
//
// Configurations, logins and sessions print as [redacted] under every verb, in
// log/slog and in JSON. Errors hold no token, code, secret or text of a
// provider's.
package oidcclient
