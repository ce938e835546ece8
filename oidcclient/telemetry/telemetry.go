package telemetry

import (
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package as the origin of what it records.
const scope = "github.com/rely-go/rely/oidcclient/telemetry"

// Config says where traces and metrics go. Its zero value means otel's global
// providers, and nothing sent to third parties.
type Config struct {
	// TracerProvider receives the spans; nil means otel's global one, also where
	// that is set after New.
	TracerProvider trace.TracerProvider

	// MeterProvider receives the metrics; nil means otel's global one, also where
	// that is set after New.
	MeterProvider metric.MeterProvider

	// Propagator, when not nil, writes the trace context, and whatever else it
	// propagates, into the headers of the requests that go through Transport. Nil
	// means none: a provider is a third party that can do nothing with our trace
	// ids, could link requests by them that nothing else links, and would receive
	// the application's baggage. Set it where the provider reports to the same
	// place as the application.
	Propagator propagation.TextMapPropagator
}

// Telemetry turns what the library tells anyhow into spans and metrics. It is
// safe for concurrent use, starts no goroutine, and needs no closing.
type Telemetry struct {
	tracer         trace.Tracer
	propagator     propagation.TextMapPropagator
	table          map[string]event
	codes          map[string]bool
	events         metric.Int64Counter
	sessionsEnded  metric.Int64Counter
	clientDuration metric.Float64Histogram
	serverDuration metric.Float64Histogram
}

// New makes the instruments of the package comment. An error is the
// MeterProvider's.
func New(config Config) (*Telemetry, error) {
	if config.TracerProvider == nil {
		config.TracerProvider = otel.GetTracerProvider()
	}
	if config.MeterProvider == nil {
		config.MeterProvider = otel.GetMeterProvider()
	}
	t := &Telemetry{
		tracer: config.TracerProvider.Tracer(scope), propagator: config.Propagator,
		table: events(), codes: registeredCodes(),
	}
	if err := t.setInstruments(config.MeterProvider.Meter(scope)); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return t, nil
}

func (t *Telemetry) setInstruments(meter metric.Meter) error {
	var err error
	if t.events, err = meter.Int64Counter("rely.events", metric.WithUnit("{event}"),
		metric.WithDescription("What happened to logins, sessions and keys.")); err != nil {
		return err
	}
	if t.sessionsEnded, err = meter.Int64Counter("rely.sessions.ended", metric.WithUnit("{session}"),
		metric.WithDescription("Sessions that ended before their time.")); err != nil {
		return err
	}
	// The bounds that the semantic conventions ask for.
	bounds := metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
	if t.clientDuration, err = meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"), bounds,
		metric.WithDescription("Duration of HTTP client requests.")); err != nil {
		return err
	}
	t.serverDuration, err = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"), bounds,
		metric.WithDescription("Duration of HTTP server requests."))
	return err
}
