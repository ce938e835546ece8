package weblogin

import (
	"context"
	"errors"
	"time"
)

// A Record is one session as a store sees it: contents sealed, names hashed.
type Record struct {
	// Key identifies the session: the hash of its cookie's value.
	Key string
	// Version counts the times that the record was put; see
	// [SessionStore.Put].
	Version int64
	// Data is the sealed session, at most 1 MiB of ASCII.
	Data string
	// Names are what the session is found by for logout; see
	// [SessionStore.DeleteNamed]. At most a handful.
	Names []string
	// ExpiresAt is when the session ends unless it is used before.
	ExpiresAt time.Time
}

// Errors of a [SessionStore].
var (
	// ErrNotFound: there is no such record, or it has expired.
	ErrNotFound = errors.New("weblogin: no such record")
	// ErrConflict: the record was put by somebody else since it was loaded.
	ErrConflict = errors.New("weblogin: record was changed by somebody else")
	// ErrFull: the store takes no more records until some have expired.
	ErrFull = errors.New("weblogin: store is full")
)

// A SessionStore keeps sessions, for one process or for many that share an
// engine. Its methods are called concurrently; any error but those above means
// that the store is out of order, and is answered with 503.
type SessionStore interface {
	// Put stores a record if the stored one's version is still r.Version, and
	// stores it as r.Version + 1. Version 0 means that there is none yet. The
	// error is ErrConflict otherwise, or ErrNotFound when the record to be
	// replaced is gone. The comparison and the change are one step.
	Put(ctx context.Context, r Record) error

	// Load returns a live record, or ErrNotFound.
	Load(ctx context.Context, key string) (Record, error)

	// Extend changes when a record expires and nothing else, the version
	// included. It returns ErrNotFound for a record that is gone.
	Extend(ctx context.Context, key string, expiresAt time.Time) error

	// Delete removes a record; that there is none is no error.
	Delete(ctx context.Context, key string) error

	// DeleteNamed removes the records that have all of names, and returns how
	// many there were. No name matches nothing.
	DeleteNamed(ctx context.Context, names ...string) (int, error)
}

// A ReplayStore remembers what may happen once only. Replicas have to share it.
type ReplayStore interface {
	// Once reports whether key comes for the first time, and remembers it until
	// the given time, in one step. When it can't remember, it returns an error.
	Once(ctx context.Context, key string, until time.Time) (first bool, err error)
}
