package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Transport returns a RoundTripper that sends requests by next and makes a client
// span and a duration of each, which last until the answer's body is read or
// closed. nil means http.DefaultTransport. It is for the HTTPClient of
// oidcclient.Config, and fits below an oidcclient.Transport as well:
//
//	config.HTTPClient = &http.Client{Transport: t.Transport(nil)}
//
// A client with ClientCertificate or RootCAs refuses it, because it has to set
// both in an *http.Transport of its own. RootCAs can be left out, and given to the
// transport below this one:
//
//	below := http.DefaultTransport.(*http.Transport).Clone()
//	below.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
//	config.HTTPClient = &http.Client{Transport: t.Transport(below)}
//
// A certificate can be given that way too where it is only for the connection. The
// methods tls_client_auth and self_signed_tls_client_auth demand
// ClientCertificate, and then the requests of that client go without Transport:
// their events and the handler's spans remain.
func (t *Telemetry) Transport(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{t, next}
}

type transport struct {
	telemetry *Telemetry
	next      http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	attributes := clientAttributes(req)
	name := attributes[0].Value.AsString()
	if name == other {
		name = "HTTP"
	}
	ctx, span := t.telemetry.tracer.Start(req.Context(), name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	x := &exchange{telemetry: t.telemetry, ctx: ctx, span: span, began: began, attributes: attributes}
	sent := req.WithContext(ctx)
	if p := t.telemetry.propagator; p != nil {
		sent = req.Clone(ctx) // the caller's headers are the caller's
		p.Inject(ctx, propagation.HeaderCarrier(sent.Header))
	}
	answer, err := t.next.RoundTrip(sent)
	if err != nil {
		x.end(0, err)
		return answer, err
	}
	_, upgraded := answer.Body.(io.ReadWriteCloser)
	if answer.Body == nil || answer.Body == http.NoBody || upgraded {
		x.end(answer.StatusCode, nil)
		return answer, nil
	}
	answer.Body = &body{ReadCloser: answer.Body, exchange: x, status: answer.StatusCode}
	return answer, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// clientAttributes says where a request goes. Paths are left out with queries:
// they are a provider's own, and those of an API may name persons.
func clientAttributes(req *http.Request) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, 5) // room for the outcome
	out = append(out, semconv.HTTPRequestMethodKey.String(method(req.Method)), semconv.ServerAddress(bounded(req.URL.Hostname())))
	port, err := strconv.Atoi(req.URL.Port())
	if err != nil {
		port = 443
		if req.URL.Scheme == "http" {
			port = 80
		}
	}
	return append(out, semconv.ServerPort(port))
}

// method returns a method as the conventions want it: only known ones.
func method(m string) string {
	switch m {
	case "":
		return http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	}
	return other
}

// exchange is one request with its answer.
type exchange struct {
	telemetry  *Telemetry
	ctx        context.Context
	span       trace.Span
	began      time.Time
	attributes []attribute.KeyValue
	once       sync.Once
}

// end records how an exchange ended. The text of an error stays out: it may be
// anybody's.
func (x *exchange) end(status int, err error) {
	x.once.Do(func() {
		known := len(x.attributes)
		if status != 0 {
			x.attributes = append(x.attributes, semconv.HTTPResponseStatusCode(status))
		}
		if kind := errorType(status, err); kind != "" {
			x.attributes = append(x.attributes, semconv.ErrorTypeKey.String(kind))
			x.span.SetStatus(codes.Error, "")
		}
		x.span.SetAttributes(x.attributes[known:]...)
		x.telemetry.clientDuration.Record(x.ctx, time.Since(x.began).Seconds(), metric.WithAttributeSet(attribute.NewSet(x.attributes...)))
		x.span.End()
	})
}

// errorType is error.type: few values, "" for success.
func errorType(status int, err error) string {
	var slow net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &slow) && slow.Timeout():
		return "timeout"
	case err != nil:
		return fmt.Sprintf("%T", err)
	case status >= http.StatusBadRequest:
		return strconv.Itoa(status)
	}
	return ""
}

// body ends an exchange when it is read or closed.
type body struct {
	io.ReadCloser
	exchange *exchange
	status   int
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.exchange.end(b.status, nil)
	case err != nil:
		b.exchange.end(b.status, err)
	}
	return n, err
}

// Close implements io.Closer. What is closed unread counts as answered.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.exchange.end(b.status, nil)
	return err
}
