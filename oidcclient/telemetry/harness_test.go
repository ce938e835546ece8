package telemetry_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/telemetry"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// exported is what a Telemetry recorded.
type exported struct {
	t      testing.TB
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	traces *sdktrace.TracerProvider
	*telemetry.Telemetry
}

func newExported(t testing.TB, change func(*telemetry.Config)) *exported {
	t.Helper()
	e := &exported{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	e.traces = sdktrace.NewTracerProvider(sdktrace.WithSyncer(e.spans))
	config := telemetry.Config{
		TracerProvider: e.traces,
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(e.reader)),
	}
	if change != nil {
		change(&config)
	}
	var err error
	e.Telemetry, err = telemetry.New(config)
	require.NoError(t, err)
	return e
}

func (e *exported) metrics() map[string]metricdata.Aggregation {
	e.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(e.t, e.reader.Collect(context.Background(), &all))
	out := map[string]metricdata.Aggregation{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			out[m.Name] = m.Data
		}
	}
	return out
}

// counts returns a counter's values by their attributes, as "key=value,…"; nil
// when nothing was counted.
func (e *exported) counts(name string) map[string]int64 {
	e.t.Helper()
	sum, ok := e.metrics()[name].(metricdata.Sum[int64])
	if !ok {
		return nil
	}
	out := map[string]int64{}
	for _, point := range sum.DataPoints {
		out[point.Attributes.Encoded(attribute.DefaultEncoder())] = point.Value
	}
	return out
}

// durations returns how many durations a histogram has by their attributes.
func (e *exported) durations(name string) map[string]uint64 {
	e.t.Helper()
	out := map[string]uint64{}
	histogram, ok := e.metrics()[name].(metricdata.Histogram[float64])
	if !ok {
		return out
	}
	for _, point := range histogram.DataPoints {
		out[point.Attributes.Encoded(attribute.DefaultEncoder())] = point.Count
	}
	return out
}

// named returns the spans of a name.
func (e *exported) named(name string) []tracetest.SpanStub {
	var out []tracetest.SpanStub
	for _, s := range e.spans.GetSpans() {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// below returns the spans whose parent is s.
func (e *exported) below(s tracetest.SpanStub) []tracetest.SpanStub {
	var out []tracetest.SpanStub
	for _, child := range e.spans.GetSpans() {
		if child.Parent.SpanID() == s.SpanContext.SpanID() {
			out = append(out, child)
		}
	}
	return out
}

func eventNames(s tracetest.SpanStub) []string {
	var out []string
	for _, e := range s.Events {
		out = append(out, e.Name)
	}
	return out
}

// text is everything that was exported.
func (e *exported) text() string {
	e.t.Helper()
	var out strings.Builder
	for _, s := range e.spans.GetSpans() {
		encoded, err := json.Marshal([]any{s.Name, s.Attributes, s.Events, s.Links, s.Status, s.SpanContext, s.Resource.Attributes()})
		require.NoError(e.t, err)
		out.Write(encoded)
	}
	for name, data := range e.metrics() {
		encoded, err := json.Marshal(data)
		require.NoError(e.t, err)
		out.WriteString(name)
		out.Write(encoded)
	}
	return out.String()
}

// site is an application with telemetry on everything.
type site struct {
	*exported
	url     string
	op      *oidctest.Provider
	secrets map[string]string // by what they are
	cookies map[string]string
	client  *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{exported: newExported(t, nil), secrets: map[string]string{}, cookies: map[string]string{}}
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	var err error
	s.op, err = oidctest.New(oidctest.Config{
		RedirectURIs: []string{s.url + "/callback/op"}, PostLogoutRedirectURIs: []string{s.url + "/"},
		BackChannelLogoutURI: s.url + "/backchannel-logout/op",
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.op.Close()) })
	logger := slog.New(s.Logs(nil))
	config, err := relying.Config(s.op)
	require.NoError(t, err)
	config.HTTPClient, config.Logger, config.PostLogoutRedirectURI = &http.Client{Transport: s.Transport(nil)}, logger, s.url+"/"
	s.secrets["client secret"] = config.ClientSecret
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	login, err := weblogin.New(weblogin.Config{
		BaseURL: s.url, Clients: map[string]*oidcclient.Client{"op": client}, Logger: logger,
		OnLogin: func(_ context.Context, l weblogin.Login) error {
			s.secrets["access token"], s.secrets["refresh token"] = l.Session.Token().AccessToken, l.Session.Token().RefreshToken
			return nil
		},
	})
	require.NoError(t, err)
	server.Config.Handler = s.Handler(login)
	server.Start()
	t.Cleanup(server.Close)
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// ask makes a request as the browser.
func (s *site) ask(method, path string) (answer *http.Response, text string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, nil)
	require.NoError(s.t, err)
	req.Header.Set("Accept", "application/json")
	for name, value := range s.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err = s.client.Do(req)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		s.cookies[c.Name] = c.Value
		if len(c.Value) > 8 {
			s.secrets["cookie "+c.Value[:8]] = c.Value
		}
	}
	body, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer, string(body)
}

// login logs in and returns the path of its callback.
func (s *site) login() string {
	s.t.Helper()
	answer, text := s.ask(http.MethodGet, "/login/op")
	begun, err := answer.Location()
	require.NoError(s.t, err, text)
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		s.secrets[name+" sent"] = begun.Query().Get(name)
	}
	back, err := relying.Browse(context.Background(), s.url+"/callback/op", &oidcclient.Authorization{Method: http.MethodGet, URL: begun.String()})
	require.NoError(s.t, err)
	for _, name := range []string{"code", "state"} {
		s.secrets[name+" returned"] = back.Get(name)
	}
	callback := "/callback/op?" + back.Encode()
	answer, text = s.ask(http.MethodGet, callback)
	require.Equal(s.t, http.StatusSeeOther, answer.StatusCode, text)
	return callback
}

// person learns who is logged in, and returns the subject.
func (s *site) person() string {
	s.t.Helper()
	_, text := s.ask(http.MethodGet, "/session")
	var session struct {
		Subject  string
		Claims   map[string]any
		UserInfo map[string]any
	}
	require.NoError(s.t, json.Unmarshal([]byte(text), &session))
	require.NotEmpty(s.t, session.Subject, text)
	s.secrets["subject"] = session.Subject
	for _, claims := range []map[string]any{session.Claims, session.UserInfo} {
		for name, value := range claims {
			// Who the two parties are is recorded.
			if claim, ok := value.(string); ok && len(claim) > 1 && name != "iss" && name != "aud" && name != "azp" {
				s.secrets["claim "+name] = claim
			}
		}
	}
	return session.Subject
}

// learn takes what the provider was sent as secrets.
func (s *site) learn(from url.Values) {
	for _, name := range []string{"code", "code_verifier", "refresh_token", "client_secret", "client_assertion"} {
		if value := from.Get(name); value != "" {
			s.secrets["sent "+name+" "+value[:min(4, len(value))]] = value
		}
	}
}
