// Package pgstore keeps sessions and used logins of package weblogin in
// PostgreSQL, for replicas that share one.
//
// # Tables
//
// [Migrate] makes them, and changes them when a later version of this package
// needs it; call it at every start, or where the application's own migrations run.
// A session is one row, found for logout by an index over its names. Rows that have
// expired by the database's clock are invisible at once, and the calls that add
// rows take them away in small batches, so that no job is needed; what expires
// after the last such call stays, sealed, until the next. Lower
// autovacuum_vacuum_scale_factor of the table of sessions if it is large: each use
// of a session may replace its row.
//
// # Statements
//
// Each method is one statement, and a transaction of its own; it is asked again
// where others were faster and where PostgreSQL undid it on their account. Of 16
// calls that add a row, one runs a second statement, which removes. A statement is
// never repeated after a connection broke, since it may have taken effect. Any
// isolation level will do; the default, read committed, repeats least.
//
// # Connections
//
// Through pgbouncer in transaction mode, either pgbouncer keeps prepared statements
// (1.21 or later, max_prepared_statements above 0), or the pool sends none:
// default_query_exec_mode=exec in the connection string. Nothing depends on what a
// connection was used for before: no temporary tables, no settings, no advisory lock
// that outlives Migrate's transaction.
//
// With synchronous_commit off, or a standby that is not synchronous, a crash or a
// failover loses what came last, which may be a rotated refresh token, a logout, or
// the mark of a used login.
package pgstore
