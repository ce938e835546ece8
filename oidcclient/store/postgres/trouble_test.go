package pgstore

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
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

func TestACutIsAnErrorAndHeals(t *testing.T) {
	link, err := engines.NewLink(engine.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, link.Close()) })
	pool := connect(t, link.URL, pgx.QueryExecModeCacheStatement)
	s := newStore(t, pool, Config{Prefix: "cut_"})
	t.Cleanup(pool.Close) // before the link
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
	// Connections of the pool that are dead may each fail once.
	require.Eventually(t, func() bool {
		_, err := s.Load(t.Context(), "k")
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	first, err := s.Once(t.Context(), "after", time.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.True(t, first)
}

// TestACutWhileWaiting cuts a call that waits for a row which another transaction
// has locked.
func TestACutWhileWaiting(t *testing.T) {
	link, err := engines.NewLink(engine.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, link.Close()) })
	direct := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	s := newStore(t, direct, Config{Prefix: "waiting_"})
	record := weblogin.Record{Key: "k", Data: secret, ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, s.Put(t.Context(), record))
	tx, err := direct.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // where the test failed before its end
	_, err = tx.Exec(t.Context(), "SELECT FROM waiting_sessions FOR UPDATE")
	require.NoError(t, err)

	pool := connect(t, link.URL, pgx.QueryExecModeCacheStatement)
	cut, err := New(pool, Config{Prefix: "waiting_"})
	require.NoError(t, err)
	result := make(chan error, 1)
	go func() {
		record.Version = 1
		result <- cut.Put(t.Context(), record)
	}()
	require.Eventually(t, func() bool {
		var waiting bool
		const ask = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
		return direct.QueryRow(t.Context(), ask).Scan(&waiting) == nil && waiting
	}, 10*time.Second, 10*time.Millisecond)
	link.Cut()
	err = <-result
	require.Error(t, err)
	assert.False(t, ordinary(err))
	assert.NotContains(t, err.Error(), secret)

	// A caller's patience ends a call that waits, too.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Delete(ctx, "k", 0), context.DeadlineExceeded)
	require.NoError(t, tx.Rollback(t.Context()))
	// What was given up may have taken effect since.
	if err := s.Delete(t.Context(), "k", 0); err != nil {
		require.ErrorIs(t, err, weblogin.ErrNotFound)
	}
}

func TestAContextThatIsOver(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // where nobody answers
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, silent.Close()) })
	url := "postgres://postgres@" + silent.Addr().String() + "/postgres?sslmode=disable"
	s, err := New(connect(t, url, pgx.QueryExecModeCacheStatement), Config{})
	require.NoError(t, err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range calls(s) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		assert.ErrorIs(t, call.do(ctx), context.DeadlineExceeded, call.name)
		cancel()
		assert.ErrorIs(t, call.do(cancelled), context.Canceled, call.name)
	}
}

func TestErrorsShowNoContents(t *testing.T) {
	pool := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	s := newStore(t, pool, Config{Prefix: "errors_"})
	_, err := pool.Exec(t.Context(), "ALTER TABLE errors_sessions ADD CHECK (length(data) < 10)")
	require.NoError(t, err)
	for _, data := range []string{secret, secret + "\x00", secret + "\xff"} {
		err := s.Put(t.Context(), weblogin.Record{Key: "k", Data: data, ExpiresAt: time.Now().Add(time.Hour)})
		var answer *pgconn.PgError
		require.ErrorAs(t, err, &answer)
		assert.NotContains(t, err.Error(), "sealed")
		assert.Empty(t, answer.Detail, "which has the row")
		assert.Empty(t, answer.Where)
	}
}

// counter counts statements.
type counter struct{ statements atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.statements.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestOneStatementEach(t *testing.T) {
	config, err := pgxpool.ParseConfig(engine.URL)
	require.NoError(t, err)
	var counter counter
	config.ConnConfig.Tracer = &counter
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s := newStore(t, pool, Config{Prefix: "count_"})
	for _, call := range calls(s) {
		before := counter.statements.Load()
		require.NoError(t, call.do(t.Context()), call.name)
		assert.Equal(t, int64(1), counter.statements.Load()-before, call.name)
	}
}

// TestExpiredRowsAreRemoved makes rows that have expired, and counts them while
// calls add others.
func TestExpiredRowsAreRemoved(t *testing.T) {
	pool := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	s := newStore(t, pool, Config{Prefix: "sweep_"})
	_, err := pool.Exec(t.Context(), `
		INSERT INTO sweep_sessions (key, version, data, names, expires_at, gone_at)
		SELECT 'old' || i, 1, '', '{n}', now(), now() FROM generate_series(1, 150) i;
		INSERT INTO sweep_marks SELECT 'old' || i, now() FROM generate_series(1, 150) i`)
	require.NoError(t, err)
	left := func(table string) (count int) {
		t.Helper()
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE gone_at <= now()").Scan(&count))
		return count
	}
	until := time.Now().Add(time.Hour)
	for round, want := range []int{50, 0, 0} {
		for i := range sweepEvery {
			if i == sweepEvery-1 && round == 0 {
				assert.Equal(t, 150, left("sweep_sessions"))
				assert.Equal(t, 150, left("sweep_marks"))
			}
			key := strings.Repeat("x", 1+round*sweepEvery+i)
			require.NoError(t, s.Put(t.Context(), weblogin.Record{Key: key, ExpiresAt: until}))
			_, err := s.Once(t.Context(), key, until)
			require.NoError(t, err)
		}
		assert.Equal(t, want, left("sweep_sessions"))
		assert.Equal(t, want, left("sweep_marks"))
	}
	records, err := s.Load(t.Context(), "x", "xx")
	require.NoError(t, err)
	assert.Len(t, records, 2, "what lives stays")
}
