package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Bounds of what one record can put into a metric.
const (
	maxValue = 64 // bytes
	other    = "_OTHER"
)

// Logs returns a handler for the Logger of oidcclient.Config, weblogin.Config and
// idtoken's remote keys. It counts the events of the package comment, adds them to
// the span in the record's context, and passes every record on to next, where next
// is enabled for it; nil means nowhere.
//
// It wants records of every level, and takes any record for the library's that
// has the message of one: give it to the library, not to the whole application.
// Of attributes, a record's own count and the host that idtoken adds with
// Logger.With. Any other that is added so is the application's, and next's alone.
func (t *Telemetry) Logs(next slog.Handler) slog.Handler {
	if next == nil {
		next = slog.DiscardHandler
	}
	return &logs{telemetry: t, next: next}
}

type logs struct {
	telemetry *Telemetry
	next      slog.Handler
	host      slog.Attr // the last of that name that With added, in whichever group
}

// Enabled implements slog.Handler. Refused requests without a session are of
// level debug, and count whatever level next shows.
func (l *logs) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelDebug || l.next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (l *logs) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := &logs{l.telemetry, l.next.WithAttrs(attrs), l.host}
	for _, a := range attrs {
		if a.Key == "host" {
			with.host = a
		}
	}
	return with
}

// WithGroup implements slog.Handler. The groups are the application's: the
// library's attributes are known by their keys in any of them.
func (l *logs) WithGroup(name string) slog.Handler {
	return &logs{l.telemetry, l.next.WithGroup(name), l.host}
}

// Handle implements slog.Handler. Its error is next's.
func (l *logs) Handle(ctx context.Context, record slog.Record) error {
	if e, ok := l.telemetry.table[record.Message]; ok {
		l.telemetry.record(ctx, e, record, l.host)
	}
	if !l.next.Enabled(ctx, record.Level) {
		return nil
	}
	return l.next.Handle(ctx, record)
}

// record counts an event and adds it to the span in ctx.
func (t *Telemetry) record(ctx context.Context, e event, record slog.Record, host slog.Attr) {
	var room [8]attribute.KeyValue
	counted := append(room[:0], attribute.String("rely.event", e.name))
	var detail []attribute.KeyValue
	ended := int64(1)
	take := func(a slog.Attr) bool {
		value, ok := t.value(a)
		if !ok {
			return true
		}
		kv := attribute.KeyValue{Key: attribute.Key("rely." + a.Key), Value: value}
		if slices.Contains(e.metric, a.Key) {
			counted = append(counted, kv)
		} else if slices.Contains(e.span, a.Key) {
			detail = append(detail, kv)
			if a.Key == "count" {
				ended = value.AsInt64()
			}
		}
		return true
	}
	record.Attrs(take)
	if host.Key != "" {
		take(host)
	}
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		all := make([]attribute.KeyValue, 0, len(counted)+len(detail))
		all = append(append(all, counted[1:]...), detail...)
		span.AddEvent(e.name, trace.WithAttributes(all...))
	}
	// Before the other counter, whose NewSet sorts rely.event in among the rest.
	if e.sessions && ended > 0 && t.sessionsEnded.Enabled(ctx) {
		t.sessionsEnded.Add(ctx, ended, metric.WithAttributeSet(attribute.NewSet(counted[1:]...)))
	}
	if t.events.Enabled(ctx) {
		t.events.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(counted...)))
	}
}

// value returns what is recorded of an attribute. Empty strings are left out:
// they say that there is none.
func (t *Telemetry) value(a slog.Attr) (attribute.Value, bool) {
	v := a.Value.Resolve()
	if v.Kind() != attributeKind(a.Key) {
		return attribute.Value{}, false
	}
	switch v.Kind() {
	case slog.KindInt64:
		return attribute.Int64Value(v.Int64()), true
	case slog.KindBool:
		return attribute.BoolValue(v.Bool()), true
	}
	text := v.String()
	switch {
	case text == "":
		return attribute.Value{}, false
	case a.Key == "code" && !t.codes[text]:
		text = other
	}
	return attribute.StringValue(bounded(text)), true
}

// bounded cuts a value to maxValue bytes without breaking a character.
func bounded(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxValue)], "")
}
