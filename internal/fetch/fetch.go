// Package fetch makes the HTTP requests whose answers decide about trust: bounded in
// bytes and time, without redirects and cookies, and with errors that hold no URL.
package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds on what others may answer and how long it may take.
const (
	MaxAnswer = 1 << 20          // bytes of any response body
	Timeout   = 15 * time.Second // for one request with its body
)

// ErrTooLarge is the error for an answer of more than MaxAnswer bytes.
var ErrTooLarge = errors.New("answer is larger than 1 MiB")

// NewClient returns a client that follows no redirect, because a redirect would take
// credentials or trust along to a place nobody configured. base is not changed; nil is
// a client of the default transport.
func NewClient(base *http.Client, cert *tls.Certificate, roots *x509.CertPool) (*http.Client, error) {
	client := http.Client{Timeout: Timeout}
	if base != nil {
		client = *base
	}
	if client.Timeout == 0 || client.Timeout > Timeout {
		client.Timeout = Timeout
	}
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if cert == nil && roots == nil {
		return &client, nil
	}
	transport, ok := client.Transport.(*http.Transport)
	if client.Transport == nil {
		transport, ok = http.DefaultTransport.(*http.Transport)
	}
	if !ok {
		return nil, errors.New("must have an *http.Transport when a client certificate or roots are configured")
	}
	transport = transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cert != nil {
		// Whatever CAs the server names: a self-signed certificate is of none.
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if roots != nil {
		transport.TLSClientConfig.RootCAs = roots
	}
	client.Transport = transport
	return &client, nil
}

// Answer is a response that was read whole and within bounds.
type Answer struct {
	Status    int         // of HTTP
	MediaType string      // without parameters, lower case
	Header    http.Header // as it came
	Body      []byte      // at most MaxAnswer bytes
}

// Do sends one request and reads its answer. Its error is ErrTooLarge, with an Answer
// that has nothing but Status, or that of a network, without the request's URL.
func Do(client *http.Client, req *http.Request) (*Answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if resp.ContentLength > 0 {
		// What it says is only a hint.
		body.Grow(int(min(resp.ContentLength, MaxAnswer)) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(io.LimitReader(resp.Body, MaxAnswer+1)); err != nil {
		return nil, err
	}
	if body.Len() > MaxAnswer {
		return &Answer{Status: resp.StatusCode}, ErrTooLarge
	}
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		mediaType = ""
	}
	return &Answer{Status: resp.StatusCode, MediaType: mediaType, Header: resp.Header, Body: body.Bytes()}, nil
}

// withoutURL drops the URL that net/http puts into its errors: a query may hold what
// must not be logged.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// IsJSON reports whether an answer says that it is JSON.
func (a *Answer) IsJSON() bool {
	return a.MediaType == "application/json" || strings.HasPrefix(a.MediaType, "application/") && strings.HasSuffix(a.MediaType, "+json")
}

// Unavailable reports whether the status says "not now" instead of "no".
func (a *Answer) Unavailable() bool {
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Get makes a GET without credentials.
func Get(ctx context.Context, target, accept string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	return req, nil
}
