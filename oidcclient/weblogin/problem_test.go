package weblogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

func TestProblemOfEachError(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{&oidcclient.Error{Fault: oidcclient.FaultAnswer, Check: "nonce"}, 400, "login_refused"},
		{&oidcclient.Error{Fault: oidcclient.FaultAnswer, Code: "login_required"}, 400, "login_required"},
		{&oidcclient.Error{Fault: oidcclient.FaultAnswer, Code: "access_denied"}, 403, "access_denied"},
		{&oidcclient.Error{Fault: oidcclient.FaultProvider, Code: "invalid_client"}, 502, "provider_error"},
		{&oidcclient.Error{Fault: oidcclient.FaultOutage}, 503, "temporarily_unavailable"},
		{&oidcclient.Error{Fault: oidcclient.FaultCanceled, Err: context.Canceled}, 503, "temporarily_unavailable"},
		{fmt.Errorf("wrapped: %w", &oidcclient.Error{Fault: oidcclient.FaultOutage}), 503, "temporarily_unavailable"},
		{&Problem{Status: 409, Code: "conflict"}, 409, "conflict"},
		{ErrNoSession, 401, "login_required"},
		{ErrConflict, 503, "temporarily_unavailable"},
		{context.Canceled, 503, "temporarily_unavailable"},
		{errors.New("password=hunter2"), 500, "internal_error"},
	} {
		p := problemOf(tt.err)
		assert.Equal(t, tt.status, p.Status, tt.err)
		assert.Equal(t, tt.code, p.Code, tt.err)
		assert.NotEmpty(t, p.Error())
		assert.NotContains(t, p.Description, "hunter2")
		assert.Equal(t, tt.status == 503, p.RetryAfter > 0)
	}
}

func TestWantsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"application/json": true, "application/json; charset=utf-8": true, "text/plain, application/json;q=0.5": true, "application/jsonx": false, ";;,": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		assert.Equal(t, want, wantsJSON(r), "%q", accept)
	}
}

func TestErrorPageOfTheApplication(t *testing.T) {
	var got *Problem
	s := newSite(t, rig{config: func(c *Config) {
		c.ErrorPage = func(w http.ResponseWriter, _ *http.Request, p *Problem) {
			got = p
			w.WriteHeader(p.Status)
			_, _ = w.Write([]byte("ours"))
		}
	}})
	b := s.browser()
	p := b.ask("/callback/op?state=x", nil)
	assert.Equal(t, http.StatusBadRequest, p.StatusCode)
	assert.Equal(t, "ours", p.body)
	assert.Equal(t, "op", got.Client)
	assert.Equal(t, "state", got.Check)
	assert.Equal(t, "nosniff", p.Header.Get("X-Content-Type-Options"))
	p = b.ask("/callback/op?state=x", nil, "Accept", "application/json")
	code, _ := p.refusal(t)
	assert.Equal(t, "login_refused", code, "JSON stays JSON")
}

func TestPlainPageEscapes(t *testing.T) {
	const evil = `<script>alert(1)</script>`
	s := newSite(t, rig{})
	w := httptest.NewRecorder()
	s.h.plainPage(w, &Problem{Status: 400, Title: evil, Description: evil, Client: "op"})
	assert.NotContains(t, w.Body.String(), evil)
	assert.Contains(t, w.Body.String(), `<a href="/login/op">Log in again</a>`)
}

// Routes of the application's own answer as those of the package.
func TestFailAndSameSite(t *testing.T) {
	s := newSite(t, rig{})
	served := 0
	own := s.h.SameSite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		s.h.Fail(w, r, &Problem{Status: http.StatusTeapot, Code: "short_and_stout", Title: "No coffee", Description: "a pot of tea", Challenge: "Tea"})
	}))
	ask := func(header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, s.url+"/own", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		own.ServeHTTP(w, r)
		return w
	}
	w := ask("Accept", "application/json")
	assert.Equal(t, http.StatusTeapot, w.Code)
	assert.JSONEq(t, `{"error":"short_and_stout","error_description":"a pot of tea"}`, w.Body.String())
	assert.Equal(t, "Tea", w.Header().Get("WWW-Authenticate"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	w = ask("Accept", "text/html")
	assert.Equal(t, http.StatusTeapot, w.Code)
	assert.Contains(t, w.Body.String(), "<h1>No coffee</h1>")
	require.Equal(t, 2, served)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://elsewhere.example"}} {
		w = ask(append([]string{"Accept", "application/json"}, header...)...)
		assert.Equal(t, http.StatusForbidden, w.Code)
		assert.Contains(t, w.Body.String(), "cross_site")
	}
	assert.Equal(t, http.StatusTeapot, ask("Origin", s.url).Code, "what browsers see is BaseURL")
	assert.Equal(t, 3, served)
}

// The places of claims elsewhere come with access tokens: nobody is shown those.
func TestSessionWithoutClaimSources(t *testing.T) {
	s := newSite(t, rig{})
	s.ops["op"].OnToken(func(i *oidctest.Issue) {
		i.Claims["_claim_names"] = map[string]any{"score": "src"}
		i.Claims["_claim_sources"] = map[string]any{"src": map[string]any{"endpoint": "https://elsewhere.example/claims", "access_token": "of-the-bank"}}
	})
	b := s.browser()
	b.login("/login/op")
	answer := b.ask("/session", nil)
	assert.NotContains(t, answer.body, "of-the-bank")
	claims := answer.json(t)["claims"].(map[string]any)
	assert.Contains(t, claims, "_claim_names")
	assert.NotContains(t, claims, "_claim_sources")
	assert.NotContains(t, answer.json(t), "claim_sources", "none was believed")
}
