package redisstore

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/engines"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// ordinary reports whether an error is one that the contract has a meaning for.
func ordinary(err error) bool {
	return errors.Is(err, weblogin.ErrNotFound) || errors.Is(err, weblogin.ErrConflict) ||
		errors.Is(err, weblogin.ErrLeased) || errors.Is(err, weblogin.ErrFull)
}

// counter counts what is sent.
type counter struct{ commands atomic.Int64 }

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.commands.Add(1)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.commands.Add(1)
		return next(ctx, cmds)
	}
}

func TestOneRoundTripEach(t *testing.T) {
	client := connect(t, engine.URL)
	s := newStore(t, client, "count")
	for _, call := range calls(s) {
		require.NoError(t, call.do(t.Context()), call.name) // the scripts are known now
	}
	require.NoError(t, client.Del(t.Context(), "{count:1}:o:calls").Err())
	var counter counter
	client.AddHook(&counter)
	for _, call := range calls(s) {
		before := counter.commands.Load()
		require.NoError(t, call.do(t.Context()), call.name)
		assert.Equal(t, int64(1), counter.commands.Load()-before, call.name)
	}
}

// TestScriptsAreSentAgain has a Redis that was restarted, or is another one now.
func TestScriptsAreSentAgain(t *testing.T) {
	client := connect(t, engine.URL)
	s := newStore(t, client, "flushed")
	for _, call := range calls(s) {
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		assert.NoError(t, call.do(t.Context()), call.name)
	}
}

func TestACutIsAnErrorAndHeals(t *testing.T) {
	link, err := engines.NewLink(engine.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, link.Close()) })
	options, err := redis.ParseURL(link.URL)
	require.NoError(t, err)
	options.DialerRetries, options.MaxRetries = 1, 1
	client := redis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s := newStore(t, client, "cut")
	for _, call := range calls(s) {
		require.NoError(t, call.do(t.Context()), call.name)
	}
	link.Cut()
	for _, call := range calls(s) {
		err := call.do(t.Context())
		require.Error(t, err, call.name)
		assert.False(t, ordinary(err), "%s: %v", call.name, err)
		assert.NotContains(t, err.Error(), secret)
	}
	link.Mend()
	require.Eventually(t, func() bool {
		first, err := s.Once(t.Context(), "after", time.Now().Add(time.Hour))
		return err == nil && first
	}, patience, interval)
}

// lossy is a connection that ends with an answer that it loses, while it is told
// to.
type lossy struct {
	net.Conn
	loses *atomic.Bool
}

func (l lossy) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.loses.Load() {
		l.Close() // or the client would try to read on
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// TestALostAnswerIsNoConflict loses the answer to a change that took effect: the
// client must not send it again, and take what it did itself for another's.
func TestALostAnswerIsNoConflict(t *testing.T) {
	options, err := redis.ParseURL(engine.URL)
	require.NoError(t, err)
	var loses atomic.Bool
	options.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// Only the connections of before lose answers: one that is opened to repeat
		// a command would do so with success.
		losing := new(atomic.Bool)
		if !loses.Load() {
			losing = &loses
		}
		return lossy{conn, losing}, nil
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s := newStore(t, client, "lossy")
	until := time.Now().Add(time.Hour)
	record := weblogin.Record{Key: "k", Data: secret, Names: []string{"n"}, ExpiresAt: until}
	changes := []struct {
		name   string
		change func() error
	}{
		{"Put", func() error { return s.Put(t.Context(), record) }},
		{"Delete", func() error { return s.Delete(t.Context(), "k", 1) }},
		{"DeleteNamed", func() error { _, err := s.DeleteNamed(t.Context(), "n"); return err }},
		{"Once", func() error { _, err := s.Once(t.Context(), "k", until); return err }},
	}
	for _, test := range changes {
		require.NoError(t, client.Ping(t.Context()).Err()) // there is a connection
		loses.Store(true)
		err := test.change()
		loses.Store(false)
		require.Error(t, err, test.name)
		assert.False(t, ordinary(err), "%s: %v", test.name, err)
	}
	// What may be repeated is.
	require.NoError(t, s.Put(t.Context(), record))
	loses.Store(true)
	_, err = s.Lease(t.Context(), "k", "holder", time.Hour)
	loses.Store(false)
	require.NoError(t, err)
	records, err := s.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Len(t, records, 1)
	assert.Equal(t, int64(2), records[0].Version, "leased once")
}

func TestAFullRedisStillEndsSessions(t *testing.T) {
	own, err := engines.StartRedis(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Stop()) })
	client := connect(t, own.URL)
	s := newStore(t, client, "full")
	until := time.Now().Add(time.Hour)
	for _, key := range []string{"a", "b"} {
		require.NoError(t, s.Put(t.Context(), weblogin.Record{Key: key, Data: secret, Names: []string{key}, ExpiresAt: until}))
		_, err := s.Lease(t.Context(), key, "me", time.Hour)
		require.NoError(t, err)
	}
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())

	more := weblogin.Record{Key: "c", Data: secret, Names: []string{"a"}, ExpiresAt: until}
	err = s.Put(t.Context(), more)
	require.ErrorIs(t, err, weblogin.ErrFull)
	assert.NotContains(t, err.Error(), secret)
	more.Key, more.Version = "a", 2
	require.ErrorIs(t, s.Put(t.Context(), more), weblogin.ErrFull)
	_, err = s.Once(t.Context(), "k", until)
	require.ErrorIs(t, err, weblogin.ErrFull)
	_, err = s.Lease(t.Context(), "a", "me", time.Hour)
	require.ErrorIs(t, err, weblogin.ErrFull)

	records, err := s.Load(t.Context(), "a", "b", "c")
	require.NoError(t, err)
	require.Len(t, records, 2)
	for _, r := range records {
		assert.Equal(t, int64(2), r.Version, "nothing is half done")
		assert.Equal(t, []string{r.Key}, r.Names)
	}
	require.NoError(t, s.Release(t.Context(), "a", "me"))
	require.NoError(t, s.Delete(t.Context(), "a", 2))
	count, err := s.DeleteNamed(t.Context(), "b")
	require.NoError(t, err)
	assert.Equal(t, 1, count)
}

func TestAContextThatIsOver(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // where nobody answers
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, silent.Close()) })
	s := newStore(t, connect(t, "redis://"+silent.Addr().String()), "silent")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range calls(s) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		assert.ErrorIs(t, call.do(ctx), context.DeadlineExceeded, call.name)
		cancel()
		assert.ErrorIs(t, call.do(cancelled), context.Canceled, call.name)
	}
}

// TestErrorsShowNoContents has something else under the keys of a store.
func TestErrorsShowNoContents(t *testing.T) {
	client := connect(t, engine.URL)
	s := newStore(t, client, "errors")
	until := time.Now().Add(time.Hour)
	require.NoError(t, client.Set(t.Context(), "{errors:1}:s:calls", secret, time.Hour).Err())
	require.NoError(t, client.HSet(t.Context(), "{errors:1}:s:other", "version", secret, "data", secret, "names", "", "expires", 1).Err())
	for _, call := range calls(s) {
		if err := call.do(t.Context()); err != nil {
			assert.False(t, ordinary(err), call.name)
			assert.NotContains(t, err.Error(), "sealed", call.name)
		}
	}
	_, err := s.Load(t.Context(), "other")
	require.EqualError(t, err, "redisstore: load: answer is not what this layout has")
	require.Error(t, s.Put(t.Context(), weblogin.Record{Key: "calls", Data: secret, ExpiresAt: until}))
	require.NoError(t, client.Del(t.Context(), "{errors:1}:s:calls", "{errors:1}:s:other").Err())
}
