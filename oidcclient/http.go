package oidcclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds on what a provider may answer and how long it may take.
const (
	maxAnswer      = 1 << 20          // bytes of any response body
	requestTimeout = 15 * time.Second // for one request with its body
)

// newHTTPClient returns a client that follows no redirect, because a redirect
// would take credentials or trust along to a place nobody configured. base is
// not changed.
func newHTTPClient(base *http.Client, cert *tls.Certificate, roots *x509.CertPool) (*http.Client, error) {
	client := http.Client{Timeout: requestTimeout}
	if base != nil {
		client = *base
	}
	if client.Timeout == 0 || client.Timeout > requestTimeout {
		client.Timeout = requestTimeout
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

// answer is a response that was read whole and within bounds.
type answer struct {
	status    int
	mediaType string // without parameters, lower case
	header    http.Header
	body      []byte
}

// roundTrip sends one request and reads its answer.
func roundTrip(client *http.Client, step Step, req *http.Request) (*answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, outage(req.Context(), step, withoutURL(err))
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if resp.ContentLength > 0 {
		// What it says is only a hint.
		body.Grow(int(min(resp.ContentLength, maxAnswer)) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1)); err != nil {
		return nil, outage(req.Context(), step, err)
	}
	if body.Len() > maxAnswer {
		return nil, providerFault(step, resp.StatusCode, "answer is larger than 1 MiB")
	}
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		mediaType = ""
	}
	return &answer{status: resp.StatusCode, mediaType: mediaType, header: resp.Header, body: body.Bytes()}, nil
}

// withoutURL drops the URL that net/http puts into its errors: a query may
// hold what must not be logged.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (a *answer) isJSON() bool {
	return a.mediaType == "application/json" || strings.HasPrefix(a.mediaType, "application/") && strings.HasSuffix(a.mediaType, "+json")
}

// unavailable reports whether the status says "not now" instead of "no".
func (a *answer) unavailable() bool {
	switch a.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// getRequest makes a GET without credentials.
func getRequest(ctx context.Context, target, accept string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	return req, nil
}

// checkURL accepts absolute https URLs, and http where the host is loopback.
func checkURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("is not an absolute URL")
	case u.User != nil:
		return nil, errors.New("holds a user name or password")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, errors.New("has a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("is not https")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// checkEndpoint accepts a URL that a provider named. A public issuer can't
// send us to addresses inside our own network.
func checkEndpoint(raw string, issuer *url.URL) error {
	u, err := checkURL(raw)
	if err != nil {
		return err
	}
	if issuer == nil || isLoopback(issuer.Hostname()) {
		return nil
	}
	if host := u.Hostname(); isAddress(host) && host != issuer.Hostname() {
		return errors.New("is an address inside a network")
	}
	return nil
}

// isAddress reports whether a host is an IP address in any form that a resolver
// takes for one (127.1, 2130706433, 0x7f000001), or a name for this machine
// (RFC 6761 §6.3).
func isAddress(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil || last != "" && strings.Trim(last, "0123456789") == ""
}
