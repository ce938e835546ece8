package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Handler returns a handler that serves by next, a weblogin.Handler or whatever
// has it inside, and makes a server span and a duration of each request. They are
// named after the route, as [http.Request.Pattern] has it once next returns, and
// not after the path; the query, in which codes and states come, is recorded
// nowhere, nor are headers, bodies and addresses.
//
// A span is the child of the one in the request's context, if there is one.
// Headers don't name a parent: browsers send what they like. An application that
// has a middleware of its own for spans puts it around this one, or leaves this
// one out.
func (t *Telemetry) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &served{telemetry: t, began: time.Now(), method: method(r.Method), scheme: "http"}
		if r.TLS != nil {
			x.scheme = "https"
		}
		x.ctx, x.span = t.tracer.Start(r.Context(), x.spanName(""), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(x.method), semconv.URLScheme(x.scheme)))
		x.writer = &writer{ResponseWriter: w}
		x.request = r.WithContext(x.ctx) // routers write the pattern into it
		defer x.end()
		next.ServeHTTP(x.writer, x.request)
		x.returned = true
	})
}

// served is one request that is being answered.
type served struct {
	telemetry      *Telemetry
	ctx            context.Context
	span           trace.Span
	began          time.Time
	method, scheme string
	writer         *writer
	request        *http.Request
	returned       bool // and did not panic
}

func (x *served) spanName(route string) string {
	name := x.method
	if name == other {
		name = "HTTP"
	}
	if route == "" {
		return name
	}
	return name + " " + route
}

// end records how a request was answered. A panic goes on to the server.
func (x *served) end() {
	attributes := make([]attribute.KeyValue, 0, 5)
	if route := routeOf(x.request.Pattern); route != "" {
		x.span.SetName(x.spanName(route))
		attributes = append(attributes, semconv.HTTPRoute(route))
	}
	status := x.writer.status
	if status == 0 && x.returned {
		status = http.StatusOK
	}
	if status != 0 {
		attributes = append(attributes, semconv.HTTPResponseStatusCode(status))
	}
	kind := ""
	switch {
	case !x.returned:
		kind = "panic"
	case status >= http.StatusInternalServerError:
		kind = strconv.Itoa(status)
	}
	if kind != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(kind))
		x.span.SetStatus(codes.Error, "")
	}
	x.span.SetAttributes(attributes...)
	attributes = append(attributes, semconv.HTTPRequestMethodKey.String(x.method), semconv.URLScheme(x.scheme))
	x.telemetry.serverDuration.Record(x.ctx, time.Since(x.began).Seconds(), metric.WithAttributeSet(attribute.NewSet(attributes...)))
	x.span.End()
}

// routeOf drops method and host from a pattern of http.ServeMux.
func routeOf(pattern string) string {
	if slash := strings.IndexByte(pattern, '/'); slash >= 0 {
		return pattern[slash:]
	}
	return ""
}

// writer remembers the status of an answer.
type writer struct {
	http.ResponseWriter
	status int
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	// 1xx are followed by another, except for the change of protocols.
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Flush is for those who ask a ResponseWriter for it without a controller.
func (w *writer) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // has no error to return
}
