package oidcclient_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// meter counts the bytes read of each body, after decompression, and keeps the
// longest deadline of a request.
type meter struct {
	base    http.RoundTripper
	most    atomic.Int64
	mu      sync.Mutex
	longest time.Duration
	endless bool
}

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	deadline, ok := req.Context().Deadline()
	m.mu.Lock()
	m.endless = m.endless || !ok
	m.longest = max(m.longest, time.Until(deadline))
	m.mu.Unlock()
	resp, err := m.base.RoundTrip(req)
	if err == nil {
		resp.Body = &countedBody{ReadCloser: resp.Body, most: &m.most}
	}
	return resp, err
}

type countedBody struct {
	io.ReadCloser
	read int64
	most *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if b.read > b.most.Load() {
		b.most.Store(b.read)
	}
	return n, err
}

func TestAnswersAreBoundedInBytes(t *testing.T) {
	shared := newRig(t, oidctest.Config{SigningAlg: "ES256"}, nil)
	for _, m := range oidctest.Misbehaviours() {
		if !strings.HasSuffix(m.Name, " 64 MiB") && !strings.HasSuffix(m.Name, " gzip bomb") {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			counted := &meter{base: &http.Transport{DisableKeepAlives: true}}
			config, err := relying.Config(shared.op)
			require.NoError(t, err)
			config.UserInfo, config.HTTPClient = true, &http.Client{Transport: counted}
			client, err := oidcclient.New(config)
			require.NoError(t, err)
			r := &rig{shared.op, client}
			r.op.Misbehave(m)
			defer r.op.Misbehave(oidctest.Misbehaviour{})
			session, err := r.login(t.Context())
			if err == nil {
				_, err = client.Refresh(t.Context(), session)
			}
			assert.Error(t, err)
			assert.Equal(t, int64(1<<20+1), counted.most.Load(), "of the 64 MiB")
		})
	}
}

func TestEveryRequestHasADeadline(t *testing.T) {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	counted := &meter{base: transport}
	r := newRig(t, oidctest.Config{SigningAlg: "ES256"}, func(c *oidcclient.Config) {
		c.UserInfo, c.HTTPClient = true, &http.Client{Transport: counted}
	})
	_, err := r.login(t.Context())
	require.NoError(t, err)
	assert.False(t, counted.endless)
	assert.LessOrEqual(t, counted.longest, 15*time.Second)
}

func TestAThousandLoginsAskForMetadataOnce(t *testing.T) {
	r := newRig(t, oidctest.Config{SigningAlg: "ES256"}, nil)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() { assert.NoError(t, r.client.Ready(t.Context())) })
	}
	all.Wait()
	assert.Len(t, r.op.Sent(oidctest.StepDiscovery), 1)
}

func TestAThousandTokensAskForKeysOnce(t *testing.T) {
	r := newRig(t, oidctest.Config{SigningAlg: "ES256"}, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	fresh := newRig(t, oidctest.Config{SigningAlg: "ES256"}, nil)
	config, err := relying.Config(r.op)
	require.NoError(t, err)
	fresh.client, err = oidcclient.New(config)
	require.NoError(t, err)
	before := len(r.op.Sent(oidctest.StepKeys))
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			// An ID token is no logout token; its signature is looked at first.
			_, err := fresh.client.VerifyLogoutToken(t.Context(), session.IDToken().Raw())
			assert.Error(t, err)
		})
	}
	all.Wait()
	assert.Len(t, r.op.Sent(oidctest.StepKeys), before+1)
}

// Whatever a provider does, nothing of it stays behind: no goroutine, no
// connection, no memory.
func TestNothingIsLeftBehind(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{SigningAlg: "ES256", RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	var open atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &countedConn{Conn: conn, open: &open}, nil
	}}
	before, heap := runtime.NumGoroutine(), heapInUse()
	for _, m := range oidctest.Misbehaviours() {
		if strings.HasSuffix(m.Name, " slow") {
			continue // waits for the client's own timeout
		}
		config, err := relying.Config(op)
		require.NoError(t, err)
		config.UserInfo, config.HTTPClient = true, &http.Client{Transport: transport}
		client, err := oidcclient.New(config)
		require.NoError(t, err)
		op.Misbehave(m)
		session, err := (&rig{op, client}).login(t.Context())
		if err == nil {
			_, err = client.Refresh(t.Context(), session)
		}
		assert.Error(t, err, m.Name)
		op.Misbehave(oidctest.Misbehaviour{})
	}
	transport.CloseIdleConnections()
	assert.Eventually(t, func() bool { return open.Load() == 0 && runtime.NumGoroutine() <= before+2 }, 10*time.Second, 10*time.Millisecond)
	assert.Less(t, heapInUse(), heap+8<<20)
}

// countedConn counts how many of its kind are open.
type countedConn struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // pools keep what they have through one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
