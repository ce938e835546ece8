package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// A Store is a [weblogin.SessionStore] and a [weblogin.ReplayStore] in PostgreSQL.
// It is safe for concurrent use, and has nothing of its own to close.
type Store struct {
	pool     *pgxpool.Pool
	sql      statements
	now      func() time.Time
	sessions sweeper
	marks    sweeper
}

var (
	_ weblogin.SessionStore = (*Store)(nil)
	_ weblogin.ReplayStore  = (*Store)(nil)
)

// New returns a store that uses a pool, which remains the caller's to close. It
// does not connect; the tables have to be there when the store is used, see
// [Migrate]. The error is about the configuration.
func New(pool *pgxpool.Pool, config Config) (*Store, error) {
	if pool == nil {
		return nil, errors.New("pgstore: no pool")
	}
	names, err := config.names()
	if err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Store{pool: pool, sql: newStatements(names), now: config.Now}
	s.sessions.sql, s.marks.sql = s.sql.sweepSessions, s.sql.sweepMarks
	return s, nil
}

// Put implements [weblogin.SessionStore].
func (s *Store) Put(ctx context.Context, r weblogin.Record) error {
	names := r.Names
	if names == nil {
		names = []string{} // nil would be NULL
	}
	if r.Version != 0 {
		return again(ctx, "put", func() error {
			return s.conditional(ctx, r.Version, s.sql.replace, r.Key, r.Version, r.Data, names, r.ExpiresAt, s.microseconds(r.ExpiresAt))
		})
	}
	err := again(ctx, "put", func() error {
		made, err := s.exec(ctx, s.sql.insert, r.Key, r.Data, names, r.ExpiresAt, s.microseconds(r.ExpiresAt))
		if err == nil && made == 0 {
			return weblogin.ErrConflict
		}
		return err
	})
	if err == nil {
		s.sessions.sweep(ctx, s.pool)
	}
	return err
}

// Load implements [weblogin.SessionStore].
func (s *Store) Load(ctx context.Context, keys ...string) (records []weblogin.Record, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	err = again(ctx, "load", func() error {
		// The error of Query is that of the rows too.
		rows, _ := s.pool.Query(ctx, s.sql.load, keys)
		records, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r weblogin.Record, err error) {
			err = row.Scan(&r.Key, &r.Version, &r.Data, &r.Names, &r.ExpiresAt)
			return r, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Extend implements [weblogin.SessionStore].
func (s *Store) Extend(ctx context.Context, key string, expiresAt time.Time) error {
	return again(ctx, "extend", func() error {
		changed, err := s.exec(ctx, s.sql.extend, key, expiresAt, s.microseconds(expiresAt))
		if err == nil && changed == 0 {
			return weblogin.ErrNotFound
		}
		return err
	})
}

// Lease implements [weblogin.SessionStore].
func (s *Store) Lease(ctx context.Context, key, holder string, lasts time.Duration) (weblogin.Record, error) {
	record := weblogin.Record{Key: key}
	err := again(ctx, "lease", func() error {
		var got, leased bool
		err := s.pool.QueryRow(ctx, s.sql.lease, key, holder, microseconds(lasts)).
			Scan(&got, &leased, &record.Version, &record.Data, &record.Names, &record.ExpiresAt)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return weblogin.ErrNotFound
		case err != nil || got:
			return err
		case leased:
			return weblogin.ErrLeased
		}
		return errOvertaken
	})
	if err != nil {
		return weblogin.Record{}, err
	}
	return record, nil
}

// Release implements [weblogin.SessionStore].
func (s *Store) Release(ctx context.Context, key, holder string) error {
	return again(ctx, "release", func() error {
		_, err := s.exec(ctx, s.sql.release, key, holder)
		return err
	})
}

// Delete implements [weblogin.SessionStore].
func (s *Store) Delete(ctx context.Context, key string, version int64) error {
	return again(ctx, "delete", func() error {
		return s.conditional(ctx, version, s.sql.delete, key, version)
	})
}

// DeleteNamed implements [weblogin.SessionStore].
func (s *Store) DeleteNamed(ctx context.Context, names ...string) (int, error) {
	if len(names) == 0 {
		return 0, nil
	}
	var count int64
	err := again(ctx, "delete named", func() (err error) {
		count, err = s.exec(ctx, s.sql.deleteNamed, names)
		return err
	})
	return int(count), err
}

// Once implements [weblogin.ReplayStore].
func (s *Store) Once(ctx context.Context, key string, until time.Time) (bool, error) {
	var made int64
	err := again(ctx, "once", func() (err error) {
		made, err = s.exec(ctx, s.sql.once, key, s.microseconds(until))
		return err
	})
	if err != nil {
		return false, err
	}
	if made == 1 {
		s.marks.sweep(ctx, s.pool)
	}
	return made == 1, nil
}

// exec runs a statement, and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := s.pool.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

// conditional runs a statement that changes a record of a version, where 0 means
// any, and says what the record was like.
func (s *Store) conditional(ctx context.Context, version int64, sql string, args ...any) error {
	var changed bool
	var before *int64
	err := s.pool.QueryRow(ctx, sql, args...).Scan(&changed, &before)
	switch {
	case err != nil || changed:
		return err
	case before == nil:
		return weblogin.ErrNotFound
	case version != 0 && *before != version:
		return weblogin.ErrConflict
	}
	return errOvertaken
}

func (s *Store) microseconds(until time.Time) int64 { return microseconds(until.Sub(s.now())) }

// microseconds rounds up: nothing ends before its time.
func microseconds(d time.Duration) int64 { return int64((d-1)/time.Microsecond) + 1 }
