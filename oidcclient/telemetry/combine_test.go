package telemetry_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
	"github.com/rely-go/rely/oidcclient/telemetry"
)

// Roots go below Transport, as its comment says, because the client refuses them
// beside it.
func TestTransportWithRoots(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	e := newExported(t, nil)
	config := oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: server.URL, ClientID: "c", ClientSecret: "s", RedirectURI: "https://app.example/callback/op",
		HTTPClient: &http.Client{Transport: e.Transport(nil)}, RootCAs: roots,
	}
	_, err := oidcclient.New(config)
	require.ErrorContains(t, err, "must have an *http.Transport")

	below := http.DefaultTransport.(*http.Transport).Clone()
	below.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	config.HTTPClient, config.RootCAs = &http.Client{Transport: e.Transport(below)}, nil
	t.Cleanup(config.HTTPClient.CloseIdleConnections)
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	require.Error(t, client.Ready(t.Context()))
	counted := e.durations("http.client.request.duration")
	require.Len(t, counted, 1)
	for attributes := range counted {
		assert.Contains(t, attributes, "http.response.status_code=418", "the provider's certificate was not believed")
	}
}

// Without providers of its own, it records by the global ones.
func TestGlobalProviders(t *testing.T) {
	before := otel.GetTracerProvider()
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	spans := tracetest.NewInMemoryExporter()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	global, err := telemetry.New(telemetry.Config{})
	require.NoError(t, err)
	global.Handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	require.Len(t, spans.GetSpans(), 1)
	assert.Equal(t, "GET", spans.GetSpans()[0].Name)
	assert.Equal(t, "github.com/rely-go/rely/oidcclient/telemetry", spans.GetSpans()[0].InstrumentationScope.Name)
}
