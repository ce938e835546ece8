package grants_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

const deviceAnswer = `{"device_code":"dc","user_code":"ABCD-EFGH","verification_uri":"https://op.example/d","verification_uri_complete":"https://op.example/d?c=1","expires_in":600,"interval":5}`

func (p *provider) device() *grants.Device {
	p.t.Helper()
	p.on("/device", answer{200, deviceAnswer})
	d, err := grants.BeginDevice(p.t.Context(), p.client(nil), grants.DeviceRequest{Request: grants.Request{Scopes: []string{"openid"}}, Clock: p.clock.now})
	require.NoError(p.t, err)
	return d
}

func TestDevice(t *testing.T) {
	p := newProvider(t)
	d := p.device()
	assert.Equal(t, []string{"ABCD-EFGH", "https://op.example/d", "https://op.example/d?c=1"}, []string{d.UserCode, d.VerificationURI, d.VerificationURIComplete})
	assert.Equal(t, p.clock.now().Add(10*time.Minute), d.ExpiresAt())
	assert.Equal(t, url.Values{"basic": {"client:secret"}, "client_id": {"client"}, "scope": {"openid"}}, p.sent["/device"][0])

	p.on("/token", refusal("authorization_pending"), refusal("slow_down"), p.tokens(nil))
	poll := func(after time.Duration) (*oidcclient.Session, error) {
		p.clock.at = p.clock.at.Add(after)
		return d.Poll(t.Context())
	}
	_, err := poll(0)
	assert.ErrorIs(t, err, grants.ErrPending)
	assert.Empty(t, p.sent["/token"], "too early to ask")
	_, err = poll(5 * time.Second)
	assert.ErrorIs(t, err, grants.ErrPending)
	assert.Equal(t, url.Values{
		"basic": {"client:secret"}, "grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"dc"},
	}, p.sent["/token"][0])
	_, err = poll(5 * time.Second)
	assert.ErrorIs(t, err, grants.ErrPending, "slow_down")
	assert.Equal(t, 10*time.Second, d.Interval())
	_, err = poll(9 * time.Second)
	assert.ErrorIs(t, err, grants.ErrPending)
	assert.Len(t, p.sent["/token"], 2, "ten seconds now")
	session, err := poll(time.Second)
	require.NoError(t, err)
	assert.Equal(t, "anna", session.Subject())
	assert.Equal(t, []string{"openid"}, session.Scopes())
	_, err = poll(time.Minute)
	assert.Error(t, err)
	assert.Len(t, p.sent["/token"], 3, "a device code is good once")
}

// Each error of the token endpoint but those two ends it, and nothing is asked
// after that.
func TestWaitingEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(*provider) answer
		is     error
		check  string
		code   string
	}{
		"denied":            {func(*provider) answer { return refusal("access_denied") }, nil, "", "access_denied"},
		"expired":           {func(*provider) answer { return refusal("expired_token") }, grants.ErrExpired, "", ""},
		"invalid request":   {func(*provider) answer { return refusal("invalid_request") }, nil, "", "invalid_request"},
		"unknown error":     {func(*provider) answer { return refusal("something") }, nil, "", "something"},
		"no JSON":           {func(*provider) answer { return answer{200, "{"} }, nil, "", ""},
		"no ID token":       {func(*provider) answer { return answer{200, `{"access_token":"at","token_type":"Bearer"}`} }, nil, "id_token", ""},
		"another issuer":    {func(p *provider) answer { return p.tokens(map[string]any{"iss": issuer + "1"}) }, nil, "iss", ""},
		"another audience":  {func(p *provider) answer { return p.tokens(map[string]any{"aud": "client1"}) }, nil, "aud", ""},
		"a second audience": {func(p *provider) answer { return p.tokens(map[string]any{"aud": []string{"client", "other"}}) }, nil, "aud", ""},
		"no expiry":         {func(p *provider) answer { return p.tokens(map[string]any{"exp": nil}) }, nil, "exp", ""},
		"old": {func(p *provider) answer {
			return p.tokens(map[string]any{"iat": p.clock.now().Add(-7 * 24 * time.Hour).Unix()})
		}, nil, "iat", ""},
		"a nonce": {func(p *provider) answer { return p.tokens(map[string]any{"nonce": "n"}) }, nil, "nonce", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			d := p.device()
			p.clock.at = p.clock.at.Add(5 * time.Second)
			p.on("/token", tt.answer(p))
			_, err := d.Poll(t.Context())
			require.Error(t, err)
			if tt.is != nil {
				assert.ErrorIs(t, err, tt.is)
			} else {
				var e *oidcclient.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, tt.code, e.Code)
				assert.Equal(t, tt.check, e.Check)
			}
			p.clock.at = p.clock.at.Add(time.Minute)
			_, again := d.Poll(t.Context())
			assert.Equal(t, err, again)
			assert.Len(t, p.sent["/token"], 1, "nothing is asked after the end")
		})
	}
}

// A caller that gives up is no end either.
func TestPollIsCanceled(t *testing.T) {
	p := newProvider(t)
	d := p.device()
	p.clock.at = p.clock.at.Add(5 * time.Second)
	p.on("/token", p.tokens(nil))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Poll(over)
	require.Error(t, err)
	p.clock.at = p.clock.at.Add(5 * time.Second)
	session, err := d.Poll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "anna", session.Subject())
}

func TestWaitingIsOver(t *testing.T) {
	p := newProvider(t)
	d := p.device()
	p.clock.at = d.ExpiresAt()
	_, err := d.Poll(t.Context())
	assert.ErrorIs(t, err, grants.ErrExpired)
	assert.Empty(t, p.sent["/token"])
}

// An outage is no end, and the provider is asked less often.
func TestWaitingDuringOutage(t *testing.T) {
	p := newProvider(t)
	d := p.device()
	p.on("/token", answer{503, ""}, answer{503, ""}, p.tokens(nil))
	for i, want := range []time.Duration{10 * time.Second, 20 * time.Second} {
		p.clock.at = p.clock.at.Add(d.Interval())
		_, err := d.Poll(t.Context())
		var e *oidcclient.Error
		require.ErrorAs(t, err, &e)
		assert.True(t, e.Retryable())
		assert.Equal(t, want, d.Interval(), "%d", i)
	}
	p.clock.at = p.clock.at.Add(d.Interval())
	_, err := d.Poll(t.Context())
	assert.NoError(t, err)
}

// What a provider calls a number of seconds here is one at its token endpoint too.
func TestDeviceSeconds(t *testing.T) {
	for written, seconds := range map[string]time.Duration{
		`60`: 60, `60.0`: 60, `6e1`: 60, `"60"`: 60, `59.5`: 60, `2147483647`: 1<<31 - 1,
	} {
		p := newProvider(t)
		p.on("/device", answer{200, `{"device_code":"dc","user_code":"AB","verification_uri":"https://op.example/d","expires_in":` + written + `,"interval":` + written + `}`})
		d, err := grants.BeginDevice(t.Context(), p.client(nil), grants.DeviceRequest{Clock: p.clock.now})
		require.NoError(t, err, written)
		assert.Equal(t, seconds*time.Second, d.Interval(), written)
		assert.Equal(t, p.clock.now().Add(seconds*time.Second), d.ExpiresAt(), written)
	}
}

func TestWait(t *testing.T) {
	p := newProvider(t)
	p.on("/device", answer{200, strings.Replace(deviceAnswer, `"interval":5`, `"interval":1`, 1)})
	d, err := grants.BeginDevice(t.Context(), p.client(nil), grants.DeviceRequest{Clock: func() time.Time {
		p.clock.at = p.clock.at.Add(time.Second) // time goes by with each look
		return p.clock.at
	}})
	require.NoError(t, err)
	p.on("/token", refusal("authorization_pending"), answer{503, ""}, p.tokens(map[string]any{"exp": p.clock.now().Add(time.Hour).Unix()}))
	session, err := d.Wait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "anna", session.Subject())

	d = p.device()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = d.Wait(over)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestDeviceAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": `x`, "twice": `{"device_code":"a",` + deviceAnswer[1:], "nothing": `{}`,
		"no code": strings.Replace(deviceAnswer, `"dc"`, `""`, 1), "no user code": strings.Replace(deviceAnswer, `"ABCD-EFGH"`, `""`, 1),
		"controls in it": strings.Replace(deviceAnswer, `ABCD`, `\u001b[2J`, 1), "a number": strings.Replace(deviceAnswer, `"dc"`, `1`, 1),
		"http": strings.Replace(deviceAnswer, `https://op.example/d"`, `http://op.example/d"`, 1), "javascript": strings.Replace(deviceAnswer, `https://op.example/d"`, `javascript:alert(1)"`, 1),
		"bad complete URL": strings.Replace(deviceAnswer, `https://op.example/d?c=1`, `ftp://op.example`, 1),
		"a user":           strings.Replace(deviceAnswer, `https://op.example/d"`, `https://op.example@evil.example/d"`, 1), "no host": strings.Replace(deviceAnswer, `https://op.example/d"`, `https:/d"`, 1),
		"no expiry": strings.Replace(deviceAnswer, `"expires_in":600,`, ``, 1), "negative": strings.Replace(deviceAnswer, `600`, `-1`, 1),
		"an interval of text": strings.Replace(deviceAnswer, `"interval":5`, `"interval":"five"`, 1), "an interval of no number": strings.Replace(deviceAnswer, `"interval":5`, `"interval":"Inf"`, 1),
		"an interval of before": strings.Replace(deviceAnswer, `"interval":5`, `"interval":-0.5`, 1), "an interval too long": strings.Replace(deviceAnswer, `"interval":5`, `"interval":2147483648`, 1),
		"an interval beyond": strings.Replace(deviceAnswer, `"interval":5`, `"interval":1e400`, 1), "an interval of truth": strings.Replace(deviceAnswer, `"interval":5`, `"interval":true`, 1), "an expiry too long": strings.Replace(deviceAnswer, `600`, `"2147483648"`, 1), "too long": strings.Replace(deviceAnswer, `ABCD`, strings.Repeat("A", 3000), 1),
	} {
		p := newProvider(t)
		p.on("/device", answer{200, body})
		_, err := grants.BeginDevice(t.Context(), p.client(nil), grants.DeviceRequest{})
		var e *oidcclient.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, oidcclient.FaultProvider, e.Fault, name)
	}
	p := newProvider(t)
	_, err := grants.BeginDevice(t.Context(), p.client(func(c *oidcclient.Config) { c.Provider.DeviceAuthorizationEndpoint = "" }), grants.DeviceRequest{})
	assert.Error(t, err, "its metadata name no such endpoint, and none can be discovered")
}

func notification(token, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/ciba-notification/op", strings.NewReader(body))
	r.Header.Set("Authorization", token)
	return r
}

func TestBackchannel(t *testing.T) {
	p := newProvider(t)
	p.on("/bc", answer{200, `{"auth_req_id":"req-1","expires_in":120,"interval":31}`})
	b, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{
		Request: grants.Request{Scopes: []string{"openid", "payments"}}, LoginHint: "anna", BindingMessage: "W4SCT", ACRValues: []string{"high"},
		RequestedExpiry: 2 * time.Minute, Ping: true, Clock: p.clock.now,
	})
	require.NoError(t, err)
	assert.Equal(t, "req-1", b.ID())
	sent := p.sent["/bc"][0]
	token := sent.Get("client_notification_token")
	assert.Len(t, token, 43)
	assert.Equal(t, url.Values{
		"basic": {"client:secret"}, "scope": {"openid payments"}, "login_hint": {"anna"}, "binding_message": {"W4SCT"}, "acr_values": {"high"},
		"requested_expiry": {"120"}, "client_notification_token": {token},
	}, sent)

	p.on("/token", refusal("authorization_pending"), p.tokens(map[string]any{"urn:openid:params:jwt:claim:auth_req_id": "req-1"}))
	p.clock.at = p.clock.at.Add(30 * time.Second)
	_, err = b.Poll(t.Context())
	assert.ErrorIs(t, err, grants.ErrPending)
	assert.Empty(t, p.sent["/token"], "the interval is 31 seconds")

	for name, header := range map[string]string{"no token": "", "another": "Bearer " + token + "1", "half of it": "Bearer " + token[:20], "another scheme": "Basic " + token} {
		assert.ErrorIs(t, b.Notified(notification(header, `{"auth_req_id":"req-1"}`)), grants.ErrNotification, name)
	}
	_, err = b.Poll(t.Context())
	assert.Empty(t, p.sent["/token"], "a wrong notification changes nothing")
	assert.ErrorIs(t, err, grants.ErrPending)
	good := notification("Bearer "+token, `{"auth_req_id":"req-1"}`)
	id, err := grants.ReadNotification(good)
	require.NoError(t, err)
	assert.Equal(t, "req-1", id)
	require.NoError(t, b.Notified(good))
	_, err = b.Poll(t.Context())
	assert.ErrorIs(t, err, grants.ErrPending)
	assert.Equal(t, "req-1", p.sent["/token"][0].Get("auth_req_id"), "asked at once")
	p.clock.at = p.clock.at.Add(31 * time.Second)
	session, err := b.Poll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "anna", session.Subject())
}

func TestBackchannelOfAnotherRequest(t *testing.T) {
	p := newProvider(t)
	p.on("/bc", answer{200, `{"auth_req_id":"req-1","expires_in":120}`})
	b, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{LoginHint: "anna", Clock: p.clock.now})
	require.NoError(t, err)
	p.clock.at = p.clock.at.Add(time.Minute)
	p.on("/token", p.tokens(map[string]any{"urn:openid:params:jwt:claim:auth_req_id": "req-2"}))
	_, err = b.Poll(t.Context())
	assert.ErrorContains(t, err, "another request")
}

// What the request demands of the ID token is sent, and has to be in it.
func TestBackchannelClaims(t *testing.T) {
	const request = `{"id_token":{"intent":{"essential":true,"value":"i-1"}}}`
	for intent, check := range map[any]string{"i-1": "", "i-2": "claims", nil: "claims"} {
		p := newProvider(t)
		p.on("/bc", answer{200, `{"auth_req_id":"req-1","expires_in":120}`})
		b, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{LoginHint: "anna", Claims: request, Clock: p.clock.now})
		require.NoError(t, err)
		assert.Equal(t, request, p.sent["/bc"][0].Get("claims"))
		p.clock.at = p.clock.at.Add(time.Minute)
		p.on("/token", p.tokens(map[string]any{"intent": intent}))
		_, err = b.Poll(t.Context())
		if check == "" {
			require.NoError(t, err)
			continue
		}
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, check, refused.Check)
	}
	p := newProvider(t)
	_, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{LoginHint: "anna", Claims: `{"id_token":[]}`})
	assert.ErrorContains(t, err, "claims")
	assert.Empty(t, p.sent["/bc"], "nobody is asked")
}

func TestBackchannelAnswers(t *testing.T) {
	for name, a := range map[string]answer{
		"no id": {200, `{"expires_in":120}`}, "no expiry": {200, `{"auth_req_id":"r"}`}, "an id that is a number": {200, `{"auth_req_id":1,"expires_in":120}`},
		"unknown user": refusal("unknown_user_id"), "invalid request": refusal("invalid_request"), "down": {503, ""},
	} {
		p := newProvider(t)
		p.on("/bc", a)
		_, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{LoginHint: "anna"})
		var e *oidcclient.Error
		require.ErrorAs(t, err, &e, name)
		assert.Empty(t, p.sent["/token"], "nothing is polled for")
	}
	p := newProvider(t)
	for name, want := range map[string]grants.BackchannelRequest{"nobody": {}, "two hints": {LoginHint: "a", IDTokenHint: "b"}} {
		_, err := grants.BeginBackchannel(t.Context(), p.client(nil), want)
		assert.ErrorContains(t, err, "exactly one hint", name)
	}
	assert.Empty(t, p.sent["/bc"])
}

func FuzzReadNotification(f *testing.F) {
	for _, seed := range []string{`{"auth_req_id":"r"}`, `{"auth_req_id":""}`, `{"auth_req_id":"a","auth_req_id":"b"}`, `[]`, "", strings.Repeat("[", 20000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		id, err := grants.ReadNotification(notification("Bearer x", body))
		if err == nil {
			assert.NotEmpty(t, id)
			assert.LessOrEqual(t, len(body), 16<<10)
		}
	})
}

// While one asks, others are told to wait, and a notification that comes meanwhile is
// not lost: Wait is woken by it, with a provider that wants an hour between questions.
func TestNotificationWhileAsking(t *testing.T) {
	p := newProvider(t)
	p.on("/bc", answer{200, `{"auth_req_id":"req-1","expires_in":7200,"interval":3600}`})
	asked, answered := make(chan struct{}), make(chan struct{})
	p.before = func(path string) {
		if path == "/token" {
			asked <- struct{}{}
			<-answered
		}
	}
	b, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{LoginHint: "anna", Ping: true, Clock: p.clock.now})
	require.NoError(t, err)
	good := notification("bearer "+p.sent["/bc"][0].Get("client_notification_token"), `{}`) // any case (RFC 9110 §11.1)
	p.on("/token", refusal("authorization_pending"), p.tokens(nil))
	var session *oidcclient.Session
	done := make(chan error)
	go func() {
		var err error
		session, err = b.Wait(t.Context())
		done <- err
	}()
	require.NoError(t, b.Notified(good))
	<-asked
	_, err = b.Poll(t.Context())
	assert.ErrorIs(t, err, grants.ErrPending, "one asks at a time, and nobody waits for another's answer")
	assert.Equal(t, time.Hour, b.Interval())
	require.NoError(t, b.Notified(good))
	answered <- struct{}{}
	<-asked
	answered <- struct{}{}
	require.NoError(t, <-done)
	assert.Equal(t, "anna", session.Subject())
}

// Logins without a browser ask for what the client's others ask for, and their tokens
// have to have it.
func TestLoginsElsewhereAskForTheSame(t *testing.T) {
	const request = `{"id_token":{"intent":{"essential":true}}}`
	configured := func(c *oidcclient.Config) {
		c.Scopes, c.MinACR = []string{"openid", "accounts"}, "high"
		c.Authorize = oidcclient.BeginOptions{
			LoginHint: "anna", Claims: request, Resources: []string{"https://api.example"}, AuthorizationDetails: `[{"type":"account"}]`,
		}
	}
	both := url.Values{
		"basic": {"client:secret"}, "scope": {"openid accounts"}, "resource": {"https://api.example"}, "authorization_details": {`[{"type":"account"}]`},
	}
	for name, begin := range map[string]func(*provider) *grants.Waiting{
		"device": func(p *provider) *grants.Waiting {
			d, err := grants.BeginDevice(t.Context(), p.client(configured), grants.DeviceRequest{Clock: p.clock.now})
			require.NoError(t, err)
			want := maps.Clone(both)
			want["client_id"] = []string{"client"}
			assert.Equal(t, want, p.sent["/device"][0])
			return d.Waiting
		},
		"CIBA": func(p *provider) *grants.Waiting {
			b, err := grants.BeginBackchannel(t.Context(), p.client(configured), grants.BackchannelRequest{Clock: p.clock.now})
			require.NoError(t, err)
			want := maps.Clone(both)
			want["login_hint"], want["claims"], want["acr_values"] = []string{"anna"}, []string{request}, []string{"high"}
			assert.Equal(t, want, p.sent["/bc"][0])
			return b.Waiting
		},
	} {
		for acr, check := range map[string]string{"high": "", "low": "acr"} {
			t.Run(name+" "+acr, func(t *testing.T) {
				p := newProvider(t)
				p.on("/bc", answer{200, `{"auth_req_id":"req-1","expires_in":120}`})
				p.on("/device", answer{200, `{"device_code":"dc","user_code":"AB","verification_uri":"https://op.example/d","expires_in":120}`})
				login := begin(p)
				p.clock.at = p.clock.at.Add(time.Minute)
				p.on("/token", p.tokens(map[string]any{"acr": acr, "intent": "i"}))
				_, err := login.Poll(t.Context())
				if check == "" {
					require.NoError(t, err)
					return
				}
				var refused *oidcclient.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, check, refused.Check)
			})
		}
	}
}
