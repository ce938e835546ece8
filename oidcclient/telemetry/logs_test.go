package telemetry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogsCounts(t *testing.T) {
	long := strings.Repeat("é", 60) // 120 bytes
	for name, c := range map[string]struct {
		log   func(*slog.Logger)
		want  map[string]int64
		ended map[string]int64
	}{
		"other message":    {log: func(l *slog.Logger) { l.Info("hello", "client", "op") }},
		"other attributes": {log: func(l *slog.Logger) { l.Info("login finished", "client", "op", "subject", "s3cr3t") }, want: map[string]int64{"rely.client=op,rely.event=login.finished": 1}},
		"span attributes":  {log: func(l *slog.Logger) { l.Info("login started", "client", "op", "link", true) }, want: map[string]int64{"rely.client=op,rely.event=login.started": 1}},
		"wrong kind":       {log: func(l *slog.Logger) { l.Info("login finished", "client", 7) }, want: map[string]int64{"rely.event=login.finished": 1}},
		"empty values":     {log: func(l *slog.Logger) { l.Warn("refresh refused", "client", "op", "code", "", "check", "nonce") }, want: map[string]int64{"rely.check=nonce,rely.client=op,rely.event=refresh.refused": 1}},
		"registered code":  {log: func(l *slog.Logger) { l.Warn("refresh refused", "code", "invalid_grant") }, want: map[string]int64{"rely.code=invalid_grant,rely.event=refresh.refused": 1}},
		"invented code":    {log: func(l *slog.Logger) { l.Warn("refresh refused", "code", "s3cr3t") }, want: map[string]int64{"rely.code=_OTHER,rely.event=refresh.refused": 1}},
		"error": {log: func(l *slog.Logger) {
			l.Warn("session store failed", "operation", "put", "error", errors.New("s3cr3t"))
		}, want: map[string]int64{"rely.event=store.failed,rely.operation=put": 1}},
		"long":                  {log: func(l *slog.Logger) { l.Info("login linked", "client", long) }, want: map[string]int64{"rely.client=" + long[:64] + ",rely.event=login.linked": 1}},
		"long, cut in a letter": {log: func(l *slog.Logger) { l.Info("login linked", "client", "x"+long) }, want: map[string]int64{"rely.client=x" + long[:62] + ",rely.event=login.linked": 1}},
		"no UTF-8":              {log: func(l *slog.Logger) { l.Info("login linked", "client", "a\xffb") }, want: map[string]int64{"rely.client=ab,rely.event=login.linked": 1}},
		"debug":                 {log: func(l *slog.Logger) { l.Debug("request refused", "code", "not_found") }, want: map[string]int64{"rely.code=not_found,rely.event=request.refused": 1}},
		"host of With":          {log: func(l *slog.Logger) { l.With("host", "op.example").Info("keys fetched", "keys", 2) }, want: map[string]int64{"rely.event=keys.fetched,rely.host=op.example": 1}},
		"With is not ours":      {log: func(l *slog.Logger) { l.With("client", "s3cr3t").WithGroup("g").Info("login linked") }, want: map[string]int64{"rely.event=login.linked": 1}},
		"below a group":         {log: func(l *slog.Logger) { l.WithGroup("g").With("host", "op.example").Info("keys not fetched") }, want: map[string]int64{"rely.event=keys.not_fetched,rely.host=op.example": 1}},
		"one session": {
			log:   func(l *slog.Logger) { l.Info("session ended", "client", "op", "reason", "logout") },
			want:  map[string]int64{"rely.client=op,rely.event=session.ended,rely.reason=logout": 1},
			ended: map[string]int64{"rely.client=op,rely.reason=logout": 1},
		},
		"sessions": {
			log:   func(l *slog.Logger) { l.Info("sessions ended", "client", "op", "reason", "logout", "count", 3) },
			want:  map[string]int64{"rely.client=op,rely.event=sessions.ended,rely.reason=logout": 1},
			ended: map[string]int64{"rely.client=op,rely.reason=logout": 3},
		},
		"no session": {
			log:  func(l *slog.Logger) { l.Info("sessions ended", "client", "op", "count", 0) },
			want: map[string]int64{"rely.client=op,rely.event=sessions.ended": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExported(t, nil)
			c.log(slog.New(e.Logs(nil)))
			assert.Equal(t, c.want, e.counts("rely.events"))
			assert.Equal(t, c.ended, e.counts("rely.sessions.ended"))
			assert.NotContains(t, e.text(), "s3cr3t")
		})
	}
}

// The span in the context learns what happened; a record without one is fine.
func TestLogsSpanEvents(t *testing.T) {
	e := newExported(t, nil)
	ctx, span := e.traces.Tracer("test").Start(t.Context(), "parent")
	logger := slog.New(e.Logs(nil))
	logger.WarnContext(ctx, "login refused", "client", "op", "status", 400, "code", "invalid_scope", "check", "", "error", "s3cr3t")
	logger.WarnContext(ctx, "something else")
	span.End()
	require.Len(t, e.spans.GetSpans(), 1)
	events := e.spans.GetSpans()[0].Events
	require.Len(t, events, 1)
	assert.Equal(t, "login.refused", events[0].Name)
	got := map[string]any{}
	for _, kv := range events[0].Attributes {
		got[string(kv.Key)] = kv.Value.AsInterface()
	}
	assert.Equal(t, map[string]any{"rely.client": "op", "rely.status": int64(400), "rely.code": "invalid_scope"}, got)
}

// What next receives is what it would receive without the handler.
func TestLogsPassesOn(t *testing.T) {
	e := newExported(t, nil)
	var out bytes.Buffer
	require.NoError(t, slogtest.TestHandler(e.Logs(slog.NewJSONHandler(&out, nil)), func() []map[string]any {
		var lines []map[string]any
		for scan := bufio.NewScanner(bytes.NewReader(out.Bytes())); scan.Scan(); {
			line := map[string]any{}
			require.NoError(t, json.Unmarshal(scan.Bytes(), &line))
			lines = append(lines, line)
		}
		return lines
	}))

	out.Reset()
	handler := e.Logs(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	slog.New(handler).Info("login finished", "client", "op")
	assert.Empty(t, out.String(), "next shows warnings only")
	assert.Len(t, e.counts("rely.events"), 1)
	assert.False(t, handler.Enabled(context.Background(), slog.LevelDebug-1))
}

// Every event that weblogin documents is recorded.
func TestEveryEventOfWeblogin(t *testing.T) {
	doc, err := os.ReadFile("../weblogin/doc.go")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(doc), "// # Events")
	require.True(t, found)
	lines := regexp.MustCompile(`(?m)^//\t(\S+(?: \S+)*?)(?:  +([a-z, ]+))?(?::.*)?$`).FindAllStringSubmatch(section, -1)
	require.Greater(t, len(lines), 10)
	for _, line := range lines {
		e := newExported(t, nil)
		slog.New(e.Logs(nil)).Info(line[1])
		assert.Len(t, e.counts("rely.events"), 1, line[1])
	}
	for _, message := range regexp.MustCompile(`"([a-z ]+)" \(`).FindAllStringSubmatch(section, -1) {
		e := newExported(t, nil)
		slog.New(e.Logs(nil)).Info(message[1])
		assert.Len(t, e.counts("rely.events"), 1, message[1])
	}
}
