// Package storetest has the tests of the contract that [weblogin.SessionStore]
// and [weblogin.ReplayStore] state. Whoever writes a store for another engine
// runs them in a test of theirs:
//
//	func TestContract(t *testing.T) {
//		storetest.Test(t, func(t *testing.T) storetest.Store { return mystore.New(…) })
//	}
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

const (
	// long is a lifetime that no test outlives.
	long = time.Hour
	// short is one that tests wait for.
	short = 200 * time.Millisecond
	// patience bounds waiting for an engine to notice that time has passed.
	patience = 10 * time.Second
	interval = 10 * time.Millisecond
	// precision is how exactly a store has to keep ExpiresAt.
	precision = time.Millisecond
	// racers is how many do the same at once, over two handles.
	racers = 8
	// rounds is how often they do.
	rounds = 10
)

// A Store is both a store of sessions and one of what may happen once only.
type Store interface {
	weblogin.SessionStore
	weblogin.ReplayStore
}

// Test runs all tests against a store. open is called several times, and returns
// a handle of its own each time, as one more replica would have it, on the same
// engine and the same records. For a store within one process that may be the
// same value. The engine need not be empty, and its clock is the real one: tests
// wait for lifetimes of less than a second. A call whose context is over may
// succeed in a store that does not wait for anything; one that fails has to fail
// with the context's error.
func Test(t *testing.T, open func(t *testing.T) Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, one, other Store)
	}{
		{"Put makes a record", putMakes},
		{"Put compares versions", putCompares},
		{"Put replaces everything", putReplaces},
		{"Put keeps large data", putLarge},
		{"Load takes several keys", loadSeveral},
		{"Extend changes the expiry only", extendOnly},
		{"Delete compares versions", deleteCompares},
		{"Lease gives the record as it is", leaseGives},
		{"Lease is prolonged by its holder", leaseProlonged},
		{"Lease refuses others", leaseRefuses},
		{"Lease fences off an earlier Put", leaseFences},
		{"Lease ends by itself", leaseEnds},
		{"Lease keeps nobody from the rest", leaseAllows},
		{"Put ends the lease", putEndsLease},
		{"Release ends one's own lease", releaseOwn},
		{"DeleteNamed wants all names", deleteNamedAll},
		{"DeleteNamed follows a Put", deleteNamedFollows},
		{"DeleteNamed counts the living", deleteNamedLiving},
		{"Records expire", recordsExpire},
		{"Extend moves the expiry both ways", extendMoves},
		{"An expired key is free", expiredKeyIsFree},
		{"Once is once", onceIsOnce},
		{"Once forgets", onceForgets},
		{"Two replicas make one record", raceMake},
		{"Two replicas replace a record once", raceReplace},
		{"Two replicas get one lease", raceLease},
		{"Two replicas delete a record once", raceDelete},
		{"Two replicas find something new once", raceOnce},
		{"A replica's logout beats another's Put", raceLogout},
		{"A context that is over", contextOver},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t), open(t))
		})
	}
}

// name returns what keys and names of records look like, a new one each time.
func name() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// newRecord returns a record that no store has.
func newRecord(names ...string) weblogin.Record {
	return weblogin.Record{Key: name(), Data: "data of " + name(), Names: names, ExpiresAt: time.Now().Add(long)}
}

// put stores a record and returns it as it is then.
func put(t *testing.T, s Store, r weblogin.Record) weblogin.Record {
	t.Helper()
	require.NoError(t, s.Put(t.Context(), r))
	r.Version++
	return r
}

// load returns the record with a key, or nil.
func load(t *testing.T, s Store, key string) *weblogin.Record {
	t.Helper()
	records, err := s.Load(t.Context(), key)
	require.NoError(t, err)
	if len(records) == 0 {
		return nil
	}
	require.Len(t, records, 1, "a key has one record")
	return &records[0]
}

// stored asserts that a store has a record exactly as it is given.
func stored(t *testing.T, s Store, want weblogin.Record) {
	t.Helper()
	got := load(t, s, want.Key)
	require.NotNil(t, got, "the record is gone")
	same(t, want, *got)
}

func same(t *testing.T, want, got weblogin.Record) {
	t.Helper()
	assert.Equal(t, want.Key, got.Key)
	assert.Equal(t, want.Version, got.Version)
	assert.True(t, want.Data == got.Data, "the data differ")
	assert.ElementsMatch(t, want.Names, got.Names)
	assert.WithinDuration(t, want.ExpiresAt, got.ExpiresAt, precision)
}

// soon waits until done, within bounds.
func soon(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); {
		require.True(t, time.Now().Before(end), "not within %v: %s", patience, what)
		wait(t.Context(), interval)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
