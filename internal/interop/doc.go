// Package interop runs the library against OpenID providers that others wrote: the
// npm package oidc-provider and the Go modules github.com/zitadel/oidc and
// github.com/ory/fosite. It holds tests only, in a module of its own, so that no user
// of the library pays for the providers; fosite is in one more, because it needs
// older versions of what the other uses too.
//
// The tests start the providers themselves, on free ports of loopback, and fail
// where one can't be started. They need Node and, once, `npm ci` in oidcprovider.
package interop
