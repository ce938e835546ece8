package oidcclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// AccessTokens gives the access token for calls to an API. A [*TokenSource] is
// one, and package weblogin's Handler.Tokens returns another.
type AccessTokens interface {
	// AccessToken returns an access token. refused, where it is not "", is one
	// that the API has refused: the answer is then another one, or an error. It
	// is safe for concurrent use.
	AccessToken(ctx context.Context, refused string) (string, error)
}

// A Transport is an [http.RoundTripper] that calls an API with an access token
// (RFC 6750 §2.1): it attaches the token, which is refreshed ahead of its end, and
// when the API answers 401 all the same, asks once more with a new one. It is
// safe for concurrent use.
//
// A request whose body can't be read again (it has no GetBody) is not repeated,
// and its 401 is returned as it is; so is the 401 when there is no other token.
type Transport struct {
	// Tokens gives the token. Required.
	Tokens AccessTokens
	// Origins are where the token may go, such as "https://api.example": scheme,
	// host and port, without a path. Required. A request to another origin is an
	// error, so that no redirect takes the token along.
	Origins []string
	// Base makes the requests; nil means http.DefaultTransport.
	Base http.RoundTripper
}

// maxDrained is how much of a refused answer is read to keep its connection.
const maxDrained = 64 << 10

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if resp == nil && req.Body != nil {
		_ = req.Body.Close() // a RoundTripper closes it; what was sent has done so
	}
	return resp, err
}

func (t *Transport) roundTrip(req *http.Request) (*http.Response, error) {
	if !t.allowed(req.URL) {
		return nil, errors.New("oidcclient: access token is not for " + origin(req.URL))
	}
	token, err := t.Tokens.AccessToken(req.Context(), "")
	if err != nil {
		return nil, fmt.Errorf("oidcclient: no access token: %w", err)
	}
	resp, err := t.send(req, req.Body, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	body, again := repeated(req)
	if !again {
		return resp, nil
	}
	other, err := t.Tokens.AccessToken(req.Context(), token)
	if err != nil || other == token {
		if body != nil {
			_ = body.Close() // was never read
		}
		return resp, nil
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained) // only for the connection's sake
	_ = resp.Body.Close()
	return t.send(req, body, other)
}

// repeated returns the body for a second request.
func repeated(req *http.Request) (io.ReadCloser, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req.Body, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	return body, err == nil
}

func (t *Transport) send(req *http.Request, body io.ReadCloser, token string) (*http.Response, error) {
	own := req.Clone(req.Context())
	own.Body = body
	own.Header.Set("Authorization", "Bearer "+token)
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	return base.RoundTrip(own)
}

func (t *Transport) allowed(u *url.URL) bool {
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return false
	}
	return slices.ContainsFunc(t.Origins, func(allowed string) bool {
		a, err := url.Parse(allowed)
		return err == nil && origin(a) == origin(u)
	})
}

// origin is scheme, host and port in one form (RFC 6454 §4, §6.1).
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
