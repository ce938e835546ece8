package telemetry_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/rely-go/rely/oidcclient/telemetry"
)

// measured is a Telemetry that records all and exports nothing.
func measured(b *testing.B) *telemetry.Telemetry {
	b.Helper()
	t, err := telemetry.New(telemetry.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample())),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	})
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// unset is a Telemetry of an application that has no OpenTelemetry.
func unset(b *testing.B) *telemetry.Telemetry {
	b.Helper()
	t, err := telemetry.New(telemetry.Config{})
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func BenchmarkHandler(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /session", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for name, h := range map[string]http.Handler{"without": mux, "unset": unset(b).Handler(mux), "with": measured(b).Handler(mux)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r, w := httptest.NewRequest(http.MethodGet, "/session", nil), httptest.NewRecorder()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

func BenchmarkLogs(b *testing.B) {
	for name, h := range map[string]slog.Handler{"without": slog.DiscardHandler, "unset": unset(b).Logs(nil), "with": measured(b).Logs(nil)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			logger, ctx := slog.New(h), context.Background()
			for b.Loop() {
				logger.InfoContext(ctx, "login finished", "client", "acme")
			}
		})
	}
}
