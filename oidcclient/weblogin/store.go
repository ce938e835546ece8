package weblogin

import (
	"context"
	"errors"
	"time"
)

// A Record is one session as a store sees it: contents sealed, names hashed.
type Record struct {
	// Key identifies the session: the hash of its cookie's value, 43 characters
	// of base64url.
	Key string
	// Version grows with each Put and each Lease, so that whoever acts on what
	// is no longer so is refused. It is the fencing value of the lease.
	Version int64
	// Data is sealed, at most 1 MiB of ASCII.
	Data string
	// Names are what the session is found by for logout, at most a handful, 43
	// characters of base64url each; see [SessionStore.DeleteNamed].
	Names []string
	// ExpiresAt is when the record ends unless it is used before.
	ExpiresAt time.Time
}

// Errors of a [SessionStore].
var (
	// ErrNotFound: there is no such record, or it has expired.
	ErrNotFound = errors.New("weblogin: no such record")
	// ErrConflict: the record was put or leased by somebody else since.
	ErrConflict = errors.New("weblogin: record was changed by somebody else")
	// ErrLeased: somebody else has the lease, and it is not over.
	ErrLeased = errors.New("weblogin: record is leased to somebody else")
	// ErrFull: the store takes no more records until some have expired.
	ErrFull = errors.New("weblogin: store is full")
)

// A SessionStore keeps sessions, for one process or for many that share an
// engine. Its methods are called concurrently; any error but those above means
// that the store is out of order, and is answered with 503. A call that failed
// in this way may have taken effect or not. Package storetest has the tests of
// this contract.
type SessionStore interface {
	// Put stores a record if the stored one's version is still r.Version, stores
	// it as r.Version + 1, and ends its lease. Version 0 means that there is none
	// yet. The error is ErrConflict otherwise, or ErrNotFound when the record to
	// be replaced is gone. The comparison and the change are one step.
	Put(ctx context.Context, r Record) error

	// Load returns the live records among keys, in any order; it is no error
	// that some, or all, are not there. There are at most a handful of keys.
	Load(ctx context.Context, keys ...string) ([]Record, error)

	// Extend changes when a record expires and nothing else, the version
	// included. It returns ErrNotFound for a record that is gone.
	Extend(ctx context.Context, key string, expiresAt time.Time) error

	// Lease gives holder the lease of a record for a time, by the engine's clock,
	// and returns the record as it is now, in one step. The version grows by one,
	// so that a Put prepared before the lease fails; it stays when holder has the
	// lease already, which is then prolonged. It returns ErrLeased while somebody
	// else has the lease, and ErrNotFound for a record that is gone. A lease
	// keeps nobody from loading, extending or deleting the record.
	Lease(ctx context.Context, key, holder string, lasts time.Duration) (Record, error)

	// Release ends holder's lease before its time; that there is none is no
	// error.
	Release(ctx context.Context, key, holder string) error

	// Delete removes a record if its version is the given one, or whatever it is
	// when that is 0. The error is ErrConflict otherwise, or ErrNotFound when it
	// is gone.
	Delete(ctx context.Context, key string, version int64) error

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
