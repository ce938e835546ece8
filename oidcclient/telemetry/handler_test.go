package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

func TestHandler(t *testing.T) {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for name, c := range map[string]struct {
		method, target string
		serve          http.HandlerFunc
		span, want     string
		status         codes.Code
		panics         bool
	}{
		"route":        {method: "GET", target: "/user/s3cr3t?code=s3cr3t", serve: answer(303), span: "GET /user/{id}", want: "http.request.method=GET,http.response.status_code=303,http.route=/user/{id},url.scheme=http"},
		"nothing sent": {method: "POST", target: "/user/s3cr3t", serve: func(http.ResponseWriter, *http.Request) {}, span: "POST /user/{id}", want: "http.request.method=POST,http.response.status_code=200,http.route=/user/{id},url.scheme=http"},
		"only a body":  {method: "GET", target: "/user/s3cr3t", serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("s3cr3t")); w.WriteHeader(500) }, span: "GET /user/{id}", want: "http.request.method=GET,http.response.status_code=200,http.route=/user/{id},url.scheme=http"},
		"early hints":  {method: "GET", target: "/user/s3cr3t", serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, span: "GET /user/{id}", want: "http.request.method=GET,http.response.status_code=404,http.route=/user/{id},url.scheme=http"},
		"flushed":      {method: "GET", target: "/user/s3cr3t", serve: func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, span: "GET /user/{id}", want: "http.request.method=GET,http.response.status_code=200,http.route=/user/{id},url.scheme=http"},
		"failed":       {method: "GET", target: "https://app.example/user/s3cr3t", serve: answer(503), span: "GET /user/{id}", want: "error.type=503,http.request.method=GET,http.response.status_code=503,http.route=/user/{id},url.scheme=https", status: codes.Error},
		"no route":     {method: "S3CR3T", target: "/s3cr3t", serve: answer(200), span: "HTTP", want: "http.request.method=_OTHER,http.response.status_code=404,url.scheme=http"},
		"panic":        {method: "GET", target: "/user/s3cr3t", serve: func(http.ResponseWriter, *http.Request) { panic("s3cr3t") }, span: "GET /user/{id}", want: "error.type=panic,http.request.method=GET,http.route=/user/{id},url.scheme=http", status: codes.Error, panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExported(t, nil)
			mux := http.NewServeMux()
			mux.Handle("/user/{id}", c.serve)
			r := httptest.NewRequest(c.method, c.target, nil)
			r.Header.Set("Traceparent", "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01")
			r.Header.Set("Cookie", "s3cr3t")
			serve := func() { e.Handler(mux).ServeHTTP(httptest.NewRecorder(), r) }
			if c.panics {
				assert.PanicsWithValue(t, "s3cr3t", serve)
			} else {
				serve()
			}
			require.Len(t, e.spans.GetSpans(), 1)
			span := e.spans.GetSpans()[0]
			set := attribute.NewSet(span.Attributes...)
			assert.Equal(t, c.want, set.Encoded(attribute.DefaultEncoder()))
			assert.Equal(t, map[string]uint64{c.want: 1}, e.durations("http.server.request.duration"))
			assert.Equal(t, c.span, span.Name)
			assert.Equal(t, c.status, span.Status.Code)
			assert.False(t, span.Parent.IsValid(), "a browser named the parent")
			assert.NotContains(t, e.text(), "s3cr3t")
			assert.NotContains(t, e.text(), "S3CR3T")
		})
	}
}

// A middleware of the application's own names the parent.
func TestHandlerBelowAnother(t *testing.T) {
	e := newExported(t, nil)
	ctx, outer := e.traces.Tracer("test").Start(t.Context(), "outer")
	var inside trace.SpanContext
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside = trace.SpanContextFromContext(r.Context())
		assert.NoError(t, http.NewResponseController(w).Flush())
	})
	e.Handler(next).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	require.Len(t, e.spans.GetSpans(), 1)
	assert.Equal(t, outer.SpanContext().SpanID(), e.spans.GetSpans()[0].Parent.SpanID())
	assert.Equal(t, inside.SpanID(), e.spans.GetSpans()[0].SpanContext.SpanID())
}
