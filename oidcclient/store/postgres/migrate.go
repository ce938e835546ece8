package pgstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Beginner begins transactions: a *pgxpool.Pool or a *pgx.Conn.
type Beginner interface {
	// BeginTx begins a transaction.
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// Migrate makes the tables of a [Store], or brings those that are there to what
// this version of the package needs, and makes Config.Schema if there is none of
// that name. It does nothing where nothing is to be done, and replicas may call it
// at the same time: one of them works while the others wait. All happens in one
// transaction. It refuses tables that a newer version has changed. The role of db
// needs the right to create in the schema; a store's own role does with SELECT,
// INSERT, UPDATE and DELETE.
func Migrate(ctx context.Context, db Beginner, config Config) error {
	names, err := config.names()
	if err != nil {
		return err
	}
	// Each statement has to see what was done while the lock was waited for.
	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return failed(ctx, "migrate", err)
	}
	err = migrate(ctx, tx, config, names)
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		// A transaction that can't be rolled back ends with its connection.
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return failed(ctx, "migrate", err)
	}
	return nil
}

func migrate(ctx context.Context, tx pgx.Tx, config Config, names *strings.Replacer) error {
	const lock = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))"
	if _, err := tx.Exec(ctx, lock, names.Replace("github.com/rely-go/rely {versions}")); err != nil {
		return err
	}
	if err := makeSchema(ctx, tx, config, names); err != nil {
		return err
	}
	const versions = `CREATE TABLE IF NOT EXISTS {versions} (
		version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`
	if _, err := tx.Exec(ctx, names.Replace(versions)); err != nil {
		return err
	}
	var current int
	if err := tx.QueryRow(ctx, names.Replace("SELECT coalesce(max(version), 0) FROM {versions}")).Scan(&current); err != nil {
		return err
	}
	files, err := fs.ReadDir(migrations, "migrations") // in order
	if err != nil {
		return err
	}
	if current > len(files) {
		return fmt.Errorf("the tables have version %d, and this program knows them up to version %d", current, len(files))
	}
	for i, file := range files[current:] {
		text, err := fs.ReadFile(migrations, "migrations/"+file.Name())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, names.Replace(string(text))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, names.Replace("INSERT INTO {versions} (version) VALUES ($1::integer)"), current+i+1); err != nil {
			return err
		}
	}
	return nil
}

// makeSchema asks first: IF NOT EXISTS would need the right to create schemas
// even where there is one.
func makeSchema(ctx context.Context, tx pgx.Tx, config Config, names *strings.Replacer) error {
	if config.Schema == "" {
		return nil
	}
	var exists bool
	const ask = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1::text)"
	if err := tx.QueryRow(ctx, ask, config.Schema).Scan(&exists); err != nil || exists {
		return err
	}
	_, err := tx.Exec(ctx, names.Replace(`CREATE SCHEMA "{schema}"`))
	return err
}
