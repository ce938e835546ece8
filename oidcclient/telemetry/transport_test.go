package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"

	"github.com/rely-go/rely/oidcclient/telemetry"
)

// roundTrip is a RoundTripper that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// torn is a body that breaks off.
type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, context.DeadlineExceeded }
func (torn) Close() error             { return nil }

func TestTransport(t *testing.T) {
	const secret = "s3cr3t"
	answer := func(status int, body io.ReadCloser, err error) roundTrip {
		return func(*http.Request) (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Location": {secret}}, Body: body}, nil
		}
	}
	page := func() io.ReadCloser { return io.NopCloser(strings.NewReader(secret)) }
	for name, c := range map[string]struct {
		method, url string
		next        roundTrip
		want        string // attributes
		span        string
		status      codes.Code
	}{
		"200":      {"GET", "https://op.example/a?code=s3cr3t", answer(200, page(), nil), "http.request.method=GET,http.response.status_code=200,server.address=op.example,server.port=443", "GET", codes.Unset},
		"no body":  {"POST", "https://s3cr3t:s3cr3t@op.example:8443/s3cr3t", answer(204, http.NoBody, nil), "http.request.method=POST,http.response.status_code=204,server.address=op.example,server.port=8443", "POST", codes.Unset},
		"400":      {"POST", "http://op.example/", answer(400, page(), nil), "error.type=400,http.request.method=POST,http.response.status_code=400,server.address=op.example,server.port=80", "POST", codes.Error},
		"strange":  {"S3CR3T", "https://op.example/", answer(200, page(), nil), "http.request.method=_OTHER,http.response.status_code=200,server.address=op.example,server.port=443", "HTTP", codes.Unset},
		"refused":  {"GET", "https://op.example/", answer(0, nil, errors.New(secret)), "error.type=*errors.errorString,http.request.method=GET,server.address=op.example,server.port=443", "GET", codes.Error},
		"canceled": {"GET", "https://op.example/", answer(0, nil, context.Canceled), "error.type=canceled,http.request.method=GET,server.address=op.example,server.port=443", "GET", codes.Error},
		"torn":     {"GET", "https://op.example/", answer(200, torn{}, nil), "error.type=timeout,http.request.method=GET,http.response.status_code=200,server.address=op.example,server.port=443", "GET", codes.Error},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExported(t, nil)
			ctx, parent := e.traces.Tracer("test").Start(t.Context(), "parent")
			req, err := http.NewRequestWithContext(ctx, c.method, c.url, strings.NewReader(secret))
			require.NoError(t, err)
			req.Header.Set("Authorization", secret)
			got, err := e.Transport(c.next).RoundTrip(req)
			if err == nil {
				_, _ = io.Copy(io.Discard, got.Body) // torn fails here
				require.NoError(t, got.Body.Close())
			}
			spans := e.spans.GetSpans()
			require.Len(t, spans, 1)
			set := attribute.NewSet(spans[0].Attributes...)
			assert.Equal(t, c.want, set.Encoded(attribute.DefaultEncoder()))
			assert.Equal(t, c.span, spans[0].Name)
			assert.Equal(t, c.status, spans[0].Status.Code)
			assert.Equal(t, parent.SpanContext().SpanID(), spans[0].Parent.SpanID())
			assert.Equal(t, map[string]uint64{c.want: 1}, e.durations("http.client.request.duration"))
			assert.NotContains(t, strings.ToLower(e.text()), secret)
		})
	}
}

// A provider learns nothing of traces, unless it is told to.
func TestPropagation(t *testing.T) {
	for name, propagator := range map[string]propagation.TextMapPropagator{"none": nil, "trace context": propagation.TraceContext{}} {
		t.Run(name, func(t *testing.T) {
			e := newExported(t, func(c *telemetry.Config) { c.Propagator = propagator })
			var got string
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Traceparent") }))
			t.Cleanup(server.Close)
			client := &http.Client{Transport: e.Transport(nil)}
			t.Cleanup(client.CloseIdleConnections)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			require.NoError(t, err)
			answer, err := client.Do(req)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			assert.Empty(t, req.Header, "the caller's headers were changed")
			if propagator == nil {
				assert.Empty(t, got)
				return
			}
			require.Len(t, e.spans.GetSpans(), 1)
			assert.Contains(t, got, e.spans.GetSpans()[0].SpanContext.SpanID().String())
		})
	}
}
