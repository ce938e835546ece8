package oidcclient

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/fetch"
)

var testNow = time.Unix(1_790_000_000, 0)

// staticClient returns a client that knows its provider without asking anybody.
func staticClient(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	config := Config{
		Profile:  Profile{Name: "test", Scopes: []string{"openid"}, RequiredScopes: []string{"openid"}},
		Issuer:   "https://op.example",
		ClientID: "client", ClientSecret: "secret", RedirectURI: "https://rp.example/cb",
		Provider: &ProviderMetadata{
			AuthorizationEndpoint: "https://op.example/authorize?tenant=7",
			TokenEndpoint:         "https://op.example/token",
			JWKSURI:               "https://op.example/jwks",
			EndSessionEndpoint:    "https://op.example/logout",
		},
		Clock: func() time.Time { return testNow },
	}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	require.NoError(t, err)
	return c
}

func TestCallbackChecks(t *testing.T) {
	good := func() url.Values { return url.Values{"code": {"c0de"}, "state": {"the-state"}} }
	with := func(pairs ...string) url.Values {
		v := good()
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	without := func(names ...string) url.Values {
		v := good()
		for _, name := range names {
			v.Del(name)
		}
		return v
	}
	tests := map[string]struct {
		values    url.Values
		issuer    bool // provider announces iss
		pending   func(*pendingData)
		wantCheck string
		wantCode  string
		wantFault Fault
	}{
		"good":                     {values: good()},
		"good with iss":            {values: with("iss", "https://op.example"), issuer: true},
		"iss though not announced": {values: with("iss", "https://op.example")},
		"unknown parameters":       {values: with("session_state", "x", "scope", "openid")},

		"code twice":            {values: url.Values{"code": {"a", "a"}, "state": {"the-state"}}, wantCheck: "parameters"},
		"state twice":           {values: url.Values{"code": {"a"}, "state": {"the-state", "the-state"}}, wantCheck: "parameters"},
		"unknown twice":         {values: url.Values{"code": {"a"}, "state": {"the-state"}, "x": {"1", "2"}}, wantCheck: "parameters"},
		"huge":                  {values: with("x", strings.Repeat("x", maxCallback)), wantCheck: "parameters"},
		"no state":              {values: without("state"), wantCheck: "state"},
		"another state":         {values: with("state", "the-statf"), wantCheck: "state"},
		"longer state":          {values: with("state", "the-state1"), wantCheck: "state"},
		"state null":            {values: with("state", "null"), wantCheck: "state"},
		"empty state expected":  {values: with("state", ""), pending: func(d *pendingData) { d.State = "" }, wantCheck: "state"},
		"iss missing":           {values: good(), issuer: true, wantCheck: "iss"},
		"iss of another":        {values: with("iss", "https://evil.example"), wantCheck: "iss"},
		"iss with slash":        {values: with("iss", "https://op.example/"), issuer: true, wantCheck: "iss"},
		"iss empty":             {values: with("iss", ""), wantCheck: "iss"},
		"code and error":        {values: with("error", "access_denied"), wantCheck: "parameters"},
		"code and empty error":  {values: with("error", ""), wantCheck: "parameters"},
		"expired":               {values: good(), pending: func(d *pendingData) { d.ExpiresAt = testNow }, wantCheck: "expired"},
		"no code":               {values: without("code"), wantCheck: "code"},
		"code empty":            {values: with("code", ""), wantCheck: "code"},
		"front-channel token":   {values: with("access_token", "x"), wantCheck: "parameters"},
		"state before error":    {values: url.Values{"error": {"access_denied"}, "state": {"x"}}, wantCheck: "state"},
		"iss before error":      {values: url.Values{"error": {"access_denied"}, "state": {"the-state"}, "iss": {"https://evil.example"}}, wantCheck: "iss"},
		"denied":                {values: url.Values{"error": {"access_denied"}, "state": {"the-state"}}, wantCode: "access_denied"},
		"server error":          {values: url.Values{"error": {"server_error"}, "state": {"the-state"}}, wantCode: "server_error", wantFault: FaultProvider},
		"temporarily":           {values: url.Values{"error": {"temporarily_unavailable"}, "state": {"the-state"}}, wantCode: "temporarily_unavailable", wantFault: FaultOutage},
		"error that is no code": {values: url.Values{"error": {"<b>hi</b>"}, "state": {"the-state"}}, wantCode: "unprintable_error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := staticClient(t, func(c *Config) { c.Provider.ResponseIssuerSupported = tt.issuer })
			_, found, err := c.found(t.Context())
			require.NoError(t, err)
			d := &pendingData{State: "the-state", ExpiresAt: testNow.Add(time.Second)}
			if tt.pending != nil {
				tt.pending(d)
			}
			code, err := c.readCallback(d, found, tt.values)
			if tt.wantCheck == "" && tt.wantCode == "" {
				require.NoError(t, err)
				assert.Equal(t, "c0de", code)
				return
			}
			var refused *Error
			require.True(t, errors.As(err, &refused), "%v", err)
			assert.Equal(t, tt.wantCheck, refused.Check)
			assert.Equal(t, tt.wantCode, refused.Code)
			assert.Equal(t, tt.wantFault, refused.Fault)
			assert.Empty(t, code)
		})
	}
}

func TestCompleteRefusesForeignPending(t *testing.T) {
	c := staticClient(t, nil)
	_, pending, err := c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	for name, p := range map[string]*Pending{
		"none":           nil,
		"zero":           {},
		"another client": {func() pendingData { d := pending.data; d.ClientID = "other"; return d }()},
		"another issuer": {func() pendingData { d := pending.data; d.Issuer = "https://other.example"; return d }()},
	} {
		_, err := c.Complete(t.Context(), p, url.Values{"code": {"c"}, "state": {pending.State()}})
		var refused *Error
		require.True(t, errors.As(err, &refused), name)
		assert.Equal(t, "pending", refused.Check, name)
	}
}

func TestRedirectedTo(t *testing.T) {
	const ours = "https://rp.example/cb?x=1"
	reply := func(status int, location string) *fetch.Answer {
		a := &fetch.Answer{Status: status, Header: map[string][]string{}}
		if location != "" {
			a.Header.Set("Location", location)
		}
		return a
	}
	for name, got := range map[string]*fetch.Answer{
		"303": reply(303, "https://rp.example/cb?x=1&code=c"),
		"302": reply(302, "https://rp.example/cb?code=c"),
		"200": reply(200, "https://rp.example/cb?code=c"),
	} {
		values, err := redirectedTo(ours, got)
		require.NoError(t, err, name)
		assert.Equal(t, "c", values.Get("code"), name)
	}
	for name, got := range map[string]*fetch.Answer{
		"another host":   reply(303, "https://rp.example.evil/cb?code=c"),
		"user name":      reply(303, "https://rp.example@evil.example/cb?code=c"),
		"another path":   reply(303, "https://rp.example/cb/x?code=c"),
		"another scheme": reply(303, "http://rp.example/cb?code=c"),
		"relative":       reply(303, "/cb?code=c"),
		"fragment":       reply(303, "https://rp.example/cb?code=c#x"),
		"no location":    reply(303, ""),
		"another status": reply(301, "https://rp.example/cb?code=c"),
		"401":            reply(401, ""),
	} {
		_, err := redirectedTo(ours, got)
		assert.Error(t, err, name)
	}
}
