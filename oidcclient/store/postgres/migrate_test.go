package pgstore

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

func TestMigrateByManyAtOnce(t *testing.T) {
	config := Config{Schema: "select", Prefix: "many_"} // a reserved word
	url := engine.URL + "&default_transaction_isolation=serializable"
	errs := make([]error, 8)
	var running sync.WaitGroup
	for i := range errs {
		pool := connect(t, url, pgx.QueryExecModeCacheStatement)
		running.Go(func() { errs[i] = Migrate(t.Context(), pool, config) })
	}
	running.Wait()
	for _, err := range errs {
		assert.NoError(t, err)
	}

	pool := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	s := newStore(t, pool, config) // once more
	record := weblogin.Record{Key: "k", Data: "data", ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, s.Put(t.Context(), record))
	require.NoError(t, Migrate(t.Context(), pool, config))
	records, err := s.Load(t.Context(), "k")
	require.NoError(t, err)
	assert.Len(t, records, 1, "another migration keeps what is there")
	var count int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM "select".many_schema_versions`).Scan(&count))
	assert.Equal(t, 1, count, "each version is applied once")
}

func TestMigrateOverOneConnection(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), engine.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	require.NoError(t, Migrate(t.Context(), conn, Config{Prefix: "conn_"}))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Migrate(ctx, conn, Config{Prefix: "cancelled_"}), context.Canceled)
}

func TestMigrateRefusesNewerTables(t *testing.T) {
	pool := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	config := Config{Prefix: "newer_"}
	newStore(t, pool, config)
	_, err := pool.Exec(t.Context(), "INSERT INTO newer_schema_versions (version) VALUES (7)")
	require.NoError(t, err)
	require.EqualError(t, Migrate(t.Context(), pool, config),
		"pgstore: migrate: the tables have version 7, and this program knows them up to version 1")
}

// TestMigrateIsWholeOrNothing has a table in the way of the last statements.
func TestMigrateIsWholeOrNothing(t *testing.T) {
	pool := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	_, err := pool.Exec(t.Context(), "CREATE TABLE half_marks (something integer)")
	require.NoError(t, err)
	require.Error(t, Migrate(t.Context(), pool, Config{Prefix: "half_"}))
	var found *string
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT to_regclass('half_sessions')::text").Scan(&found))
	assert.Nil(t, found)
}

func TestWithoutTables(t *testing.T) {
	s, err := New(connect(t, engine.URL, pgx.QueryExecModeCacheStatement), Config{Prefix: "missing_"})
	require.NoError(t, err)
	_, err = s.Load(t.Context(), "k")
	var answer *pgconn.PgError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, "42P01", answer.Code)
}

// TestRights has a role that may do no more than a store needs.
func TestRights(t *testing.T) {
	admin := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	config := Config{Schema: "rights"}
	newStore(t, admin, config)
	_, err := admin.Exec(t.Context(), `CREATE ROLE application LOGIN;
		GRANT USAGE ON SCHEMA rights TO application;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rights TO application`)
	require.NoError(t, err)
	pool := connect(t, engine.URL+"&user=application", pgx.QueryExecModeCacheStatement)
	s, err := New(pool, config)
	require.NoError(t, err)
	for _, call := range calls(s) {
		assert.NoError(t, call.do(t.Context()), call.name)
	}
	require.Error(t, Migrate(t.Context(), pool, Config{Schema: "rights", Prefix: "other_"}))
}
