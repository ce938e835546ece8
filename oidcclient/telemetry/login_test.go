package telemetry_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// A whole life of sessions is told, each request to the provider below the request
// that caused it, and nothing secret or personal with it.
func TestWholeLogin(t *testing.T) {
	s := newSite(t)
	callback := s.login()
	subject := s.person()
	answer, text := s.ask(http.MethodPost, "/refresh")
	require.Equal(t, http.StatusOK, answer.StatusCode, text)
	answer, _ = s.ask(http.MethodPost, "/logout")
	end, err := answer.Location()
	require.NoError(t, err)
	s.secrets["id_token_hint"], s.secrets["logout state"] = end.Query().Get("id_token_hint"), end.Query().Get("state")
	answer, _ = s.ask(http.MethodGet, callback) // once more: refused
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
	s.ask(http.MethodGet, "/session") // without one
	s.ask(http.MethodGet, "/nothing/"+url.PathEscape(subject))
	s.login()
	status, err := s.op.BackChannelLogout(t.Context(), subject, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	for _, request := range s.op.Sent(oidctest.StepToken) {
		s.learn(request.Form)
	}

	assert.Equal(t, map[string]int64{
		"rely.client=op,rely.event=login.started":                                          2,
		"rely.client=op,rely.event=login.finished":                                         2,
		"rely.client=op,rely.event=session.refreshed":                                      1,
		"rely.client=op,rely.event=session.ended,rely.reason=logout":                       1,
		"rely.client=op,rely.event=sessions.ended,rely.reason=back-channel logout":         1,
		"rely.check=state,rely.client=op,rely.code=login_refused,rely.event=login.refused": 1,
		"rely.code=login_required,rely.event=request.refused":                              1,
		"rely.code=not_found,rely.event=request.refused":                                   1,
		"rely.event=provider.found,rely.issuer=" + escaped(s.op.Client().Issuer):           1,
		"rely.event=keys.fetched,rely.host=" + escaped(hostOf(t, s.op.Client().Issuer)):    1,
	}, s.counts("rely.events"))
	assert.Equal(t, map[string]int64{
		"rely.client=op,rely.reason=logout":              1,
		"rely.client=op,rely.reason=back-channel logout": 1,
	}, s.counts("rely.sessions.ended"))
	s.assertSpans(t)
	s.assertSilent(t)
}

func (s *site) assertSpans(t *testing.T) {
	t.Helper()
	for name, want := range map[string]struct {
		events []string
		below  []string
	}{
		"GET /login/{id}":               {[]string{"provider.found", "login.started"}, []string{"GET"}},
		"GET /callback/{id}":            {[]string{"login.finished"}, []string{"POST"}},
		"POST /refresh":                 {[]string{"session.refreshed"}, []string{"POST"}},
		"POST /logout":                  {[]string{"session.ended"}, nil},
		"POST /backchannel-logout/{id}": {[]string{"sessions.ended"}, nil},
		"GET /":                         {[]string{"request.refused"}, nil},
	} {
		spans := s.named(name)
		if !assert.NotEmpty(t, spans, name) {
			continue
		}
		assert.False(t, spans[0].Parent.IsValid(), name)
		assert.Equal(t, trace.SpanKindServer, spans[0].SpanKind, name)
		assert.Equal(t, codes.Unset, spans[0].Status.Code, name)
		assert.Subset(t, eventNames(spans[0]), want.events, name)
		var methods []string
		for _, child := range s.below(spans[0]) {
			assert.Equal(t, trace.SpanKindClient, child.SpanKind, name)
			assert.Equal(t, spans[0].SpanContext.TraceID(), child.SpanContext.TraceID(), name)
			methods = append(methods, child.Name)
		}
		assert.Subset(t, methods, want.below, name)
		if want.below == nil {
			assert.Empty(t, methods, name)
		}
	}
	routes := s.durations("http.server.request.duration")
	assert.EqualValues(t, 2, routes["http.request.method=GET,http.response.status_code=303,http.route=/login/{id},url.scheme=http"], "%v", routes)
	assert.EqualValues(t, 1, routes["http.request.method=GET,http.response.status_code=400,http.route=/callback/{id},url.scheme=http"], "%v", routes)
	var sent uint64
	for _, n := range s.durations("http.client.request.duration") {
		sent += n
	}
	assert.EqualValues(t, len(s.named("POST"))+len(s.named("GET")), sent)
}

func (s *site) assertSilent(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"access token", "refresh token", "client secret", "state sent", "nonce sent", "code_challenge sent",
		"code returned", "state returned", "subject", "id_token_hint", "logout state",
	} {
		require.NotEmpty(t, s.secrets[name], name)
	}
	require.Greater(t, len(s.secrets), 20, "claims, cookies and forms are missing")
	text := s.text()
	for name, secret := range s.secrets {
		found := strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret))
		assert.False(t, found, name)
	}
	for _, part := range []string{"eyJ", "?", "Bearer", "/callback/op", "id_token"} {
		assert.False(t, strings.Contains(text, part), part) // text is long
	}
}

func hostOf(t *testing.T, issuer string) string {
	t.Helper()
	u, err := url.Parse(issuer)
	require.NoError(t, err)
	return u.Host
}

// escaped is a value as attribute.DefaultEncoder writes it.
func escaped(value string) string {
	encoder := attribute.DefaultEncoder()
	set := attribute.NewSet(attribute.String("k", value))
	return set.Encoded(encoder)[len("k="):]
}
