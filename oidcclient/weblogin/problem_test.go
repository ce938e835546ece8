package weblogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/oidcclient"
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
