package grants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// A code is used up when the provider answers: who asked may have gone, and the next one
// gets what came, without asking, however late it is.
func TestTheAnswerIsKept(t *testing.T) {
	for name, first := range map[string]func(*provider) answer{
		"a session": func(p *provider) answer { return p.tokens(nil) }, "a refusal": func(*provider) answer { return refusal("access_denied") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			d := p.device()
			p.clock.at = p.clock.at.Add(5 * time.Second)
			p.on("/token", first(p), refusal("invalid_grant"))
			asked, answers := make(chan struct{}), make(chan struct{})
			p.before = func(string) {
				asked <- struct{}{}
				<-answers
			}
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan error)
			go func() {
				_, err := d.Poll(ctx)
				left <- err
			}()
			<-asked
			cancel()
			var e *oidcclient.Error
			require.ErrorAs(t, <-left, &e)
			assert.Equal(t, oidcclient.FaultCanceled, e.Fault)
			require.ErrorIs(t, e, context.Canceled)
			_, err := d.Poll(t.Context())
			require.ErrorIs(t, err, grants.ErrPending, "it is being asked")
			close(answers)
			var session *oidcclient.Session
			for errors.Is(err, grants.ErrPending) {
				session, err = d.Poll(t.Context())
				runtime.Gosched()
			}
			if name == "a refusal" {
				require.ErrorAs(t, err, &e)
				assert.Equal(t, "access_denied", e.Code)
			} else {
				require.NoError(t, err)
				assert.Equal(t, "anna", session.Subject())
				p.clock.at = d.ExpiresAt()
				_, err = d.Poll(t.Context())
				assert.ErrorIs(t, err, grants.ErrCompleted)
			}
			assert.Len(t, p.sent["/token"], 1)
		})
	}
}

// finding is a source of metadata that can be away.
type finding struct {
	found *oidcclient.FoundProvider
	err   error
	hangs chan struct{} // until this is closed, where it is not nil
}

func (f *finding) FindProvider(context.Context, string) (*oidcclient.FoundProvider, error) {
	if f.hangs != nil {
		<-f.hangs
	}
	return f.found, f.err
}

// foundDevice is a login at a device of a provider that has to be found again after a
// second.
func foundDevice(t *testing.T) (*provider, *finding, *grants.Device) {
	t.Helper()
	p := newProvider(t)
	source := &finding{found: &oidcclient.FoundProvider{Until: p.clock.now().Add(time.Second), Metadata: oidcclient.ProviderMetadata{
		Issuer: issuer, TokenEndpoint: issuer + "/token", DeviceAuthorizationEndpoint: issuer + "/device", JWKSURI: issuer + "/jwks",
	}}}
	p.on("/device", answer{200, deviceAnswer})
	client := p.client(func(c *oidcclient.Config) { c.Provider, c.Keys, c.ProviderSource = nil, nil, source })
	d, err := grants.BeginDevice(t.Context(), client, grants.DeviceRequest{Clock: p.clock.now})
	require.NoError(t, err)
	return p, source, d
}

// A code that was never sent is still good when the provider is found again; and lost when
// it is refused.
func TestWaitingWhileNothingIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		fault oidcclient.Fault
		end   bool
	}{
		"not reached": {oidcclient.FaultOutage, false}, "refused": {oidcclient.FaultProvider, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, source, d := foundDevice(t)
			source.err = &oidcclient.Error{Step: oidcclient.StepDiscover, Fault: tt.fault}
			p.clock.at = p.clock.at.Add(5 * time.Second)
			_, err := d.Poll(t.Context())
			var e *oidcclient.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, oidcclient.StepDiscover, e.Step)

			source.err, source.found.Until = nil, p.clock.now().Add(time.Hour)
			p.on("/token", refusal("authorization_pending"))
			p.clock.at = p.clock.at.Add(10 * time.Second)
			_, err = d.Poll(t.Context())
			assert.Equal(t, tt.end, !errors.Is(err, grants.ErrPending), "%v", err)
		})
	}
}

// A question that takes longer than it may is an outage, not the end.
func TestAskingTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, source, d := foundDevice(t)
		source.hangs = make(chan struct{})
		defer close(source.hangs)
		p.clock.at = p.clock.at.Add(5 * time.Second)
		begun := time.Now()
		_, err := d.Poll(t.Context())
		var e *oidcclient.Error
		require.ErrorAs(t, err, &e)
		assert.True(t, e.Retryable())
		assert.Equal(t, 2*time.Minute, time.Since(begun))
		assert.Equal(t, 10*time.Second, d.Interval(), "it is asked less often")
	})
}

// Nobody recovers from a panic in a question's own goroutine but the question.
func TestPanicOfAKeySource(t *testing.T) {
	p := newProvider(t)
	p.on("/device", answer{200, deviceAnswer})
	d, err := grants.BeginDevice(t.Context(), p.client(func(c *oidcclient.Config) { c.Keys = panicking{} }), grants.DeviceRequest{Clock: p.clock.now})
	require.NoError(t, err)
	p.clock.at = p.clock.at.Add(5 * time.Second)
	p.on("/token", p.tokens(nil))
	for range 2 {
		_, err = d.Poll(t.Context())
		assert.EqualError(t, err, "grants: panic of type string")
	}
}

type panicking struct{}

func (panicking) VerifySignature(context.Context, string) ([]byte, error) { panic("a key source's") }

func TestWaitingPrintsNoCode(t *testing.T) {
	p := newProvider(t)
	p.on("/device", answer{200, strings.Replace(deviceAnswer, `"dc"`, `"device-code"`, 1)})
	d, err := grants.BeginDevice(t.Context(), p.client(nil), grants.DeviceRequest{})
	require.NoError(t, err)
	p.on("/bc", answer{200, `{"auth_req_id":"request-id","expires_in":120}`})
	b, err := grants.BeginBackchannel(t.Context(), p.client(nil), grants.BackchannelRequest{LoginHint: "anna", Ping: true})
	require.NoError(t, err)
	token := p.sent["/bc"][0].Get("client_notification_token")
	for _, value := range []any{
		d, *d, d.Waiting, b, *b, b.Waiting, struct{ D grants.Device }{*d}, struct{ b grants.Backchannel }{*b}, struct{ b *grants.Backchannel }{b}, struct{ w *grants.Waiting }{d.Waiting}, []any{*d, *b},
	} {
		var all bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
			fmt.Fprintf(&all, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&all, nil)).Info("", "value", value)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("", "value", value)
		text, err := json.Marshal(value)
		require.NoError(t, err)
		all.Write(text)
		for _, secret := range []string{"device-code", "6465766963652d636f6465", "request-id", "726571756573742d6964", token} {
			assert.NotContains(t, all.String(), secret, "%T", value)
		}
	}
}
