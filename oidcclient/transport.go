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
	"time"

	"github.com/rely-go/rely/internal/fetch"
)

// AccessTokens gives the access token for calls to an API. A [*TokenSource] is
// one, and package weblogin's Handler.Tokens returns another.
type AccessTokens interface {
	// AccessToken returns an access token. refused, where it is not "", is the value
	// of one that the API has refused: the answer is then another one, or an error. It
	// is safe for concurrent use.
	AccessToken(ctx context.Context, refused string) (AccessToken, error)
}

// A Transport is an [http.RoundTripper] that calls an API with an access token
// (RFC 6750 §2.1): it attaches the token, which is refreshed ahead of its end, and
// when the API answers 401 all the same, asks once more with a new one. A token that
// is bound to a key is sent with a proof (RFC 9449 §7.1), and once more with the
// nonce that the API asks for. It is safe for concurrent use; don't copy it.
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

	nonces nonces
	shared *nonces          // instead, or nil
	now    func() time.Time // nil: time.Now
}

// Transport returns a Transport for an API of this client's: one that presents the
// client's certificate, where there is one, so that tokens which are bound to it
// are accepted (RFC 8705 §3), trusts the same roots, and shares the nonces of DPoP
// with all others of the client.
func (c *Client) Transport(tokens AccessTokens, origins ...string) *Transport {
	return &Transport{Tokens: tokens, Origins: origins, Base: c.http.Transport, shared: &c.nonces, now: c.now}
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
	switch {
	case t.Tokens == nil:
		return nil, errors.New("oidcclient: Transport has no Tokens")
	case len(t.Origins) == 0:
		return nil, errors.New("oidcclient: Transport has no Origins, and its token goes nowhere")
	case !t.allowed(req.URL):
		return nil, errors.New("oidcclient: access token is not for " + origin(req.URL) + ", which is none of Origins")
	}
	token, err := t.Tokens.AccessToken(req.Context(), "")
	if err != nil {
		return nil, fmt.Errorf("oidcclient: no access token: %w", err)
	}
	resp, err := t.send(req, req.Body, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || wantsNonceAtAPI(resp.StatusCode, resp.Header) {
		return resp, err
	}
	body, again := repeated(req)
	if !again {
		return resp, nil
	}
	other, err := t.Tokens.AccessToken(req.Context(), token.Value)
	if err != nil || other.Value == token.Value {
		if body != nil {
			_ = body.Close() // was never read
		}
		return resp, nil
	}
	drop(resp)
	return t.send(req, body, other)
}

// send sends a request with one token: twice, where the API asks for a proof with its
// nonce, which says nothing about the token (RFC 9449 §9).
func (t *Transport) send(req *http.Request, body io.ReadCloser, token AccessToken) (*http.Response, error) {
	if token.ProofKey == nil {
		return t.sendOnce(req, body, token, "")
	}
	known := t.shared
	if known == nil {
		known = &t.nonces
	}
	nonce := known.of(req.URL)
	resp, err := t.sendOnce(req, body, token, nonce)
	if err != nil {
		return nil, err
	}
	given := known.learn(req.URL, resp.Header)
	if given == "" || given == nonce || !wantsNonceAtAPI(resp.StatusCode, resp.Header) {
		return resp, nil
	}
	if body, again := repeated(req); again {
		drop(resp)
		if resp, err = t.sendOnce(req, body, token, given); err == nil {
			known.learn(req.URL, resp.Header)
		}
	}
	return resp, err
}

// drop ends a response that is not passed on.
func drop(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained) // only for the connection's sake
	_ = resp.Body.Close()
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

func (t *Transport) sendOnce(req *http.Request, body io.ReadCloser, token AccessToken, nonce string) (*http.Response, error) {
	own := req.Clone(req.Context())
	own.Body = body
	now := time.Now
	if t.now != nil {
		now = t.now
	}
	if err := token.authorize(req.Context(), own, nonce, now()); err != nil {
		if body != nil {
			_ = body.Close()
		}
		return nil, fmt.Errorf("oidcclient: request can't be authorized: %w", err)
	}
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	return base.RoundTrip(own)
}

func (t *Transport) allowed(u *url.URL) bool {
	if u.Scheme != "https" && (u.Scheme != "http" || !fetch.IsLoopback(u.Hostname())) {
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
