package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// expires waits until a record is gone, and asserts that it was there before
// its time came.
func expires(t *testing.T, s Store, r weblogin.Record) {
	t.Helper()
	soon(t, "the record is gone", func() bool {
		gone := load(t, s, r.Key) == nil
		if gone {
			assert.False(t, time.Now().Before(r.ExpiresAt.Add(-precision)), "it is gone before its time")
		}
		return gone
	})
}

func recordsExpire(t *testing.T, one, other Store) {
	r := newRecord(name())
	r.ExpiresAt = time.Now().Add(short)
	r = put(t, one, r)
	expires(t, other, r)

	require.ErrorIs(t, one.Put(t.Context(), r), weblogin.ErrNotFound)
	require.ErrorIs(t, one.Extend(t.Context(), r.Key, time.Now().Add(long)), weblogin.ErrNotFound)
	require.ErrorIs(t, one.Delete(t.Context(), r.Key, r.Version), weblogin.ErrNotFound)
	require.ErrorIs(t, one.Delete(t.Context(), r.Key, 0), weblogin.ErrNotFound)
	_, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.ErrorIs(t, err, weblogin.ErrNotFound)
	require.NoError(t, one.Release(t.Context(), r.Key, "holder"))
	deleteNamed(t, one, 0, r.Names...)
	assert.Nil(t, load(t, one, r.Key))

	for _, past := range []time.Duration{0, -time.Second, -long} {
		late := newRecord()
		late.ExpiresAt = time.Now().Add(past)
		late = put(t, one, late)
		expires(t, one, late)
	}
}

func extendMoves(t *testing.T, one, other Store) {
	shorter := put(t, one, newRecord())
	shorter.ExpiresAt = time.Now().Add(short)
	require.NoError(t, other.Extend(t.Context(), shorter.Key, shorter.ExpiresAt))

	again := put(t, one, newRecord())
	again.ExpiresAt = shorter.ExpiresAt
	again = put(t, one, again)

	leased := put(t, one, newRecord())
	leased.ExpiresAt = shorter.ExpiresAt
	require.NoError(t, one.Extend(t.Context(), leased.Key, leased.ExpiresAt))
	_, err := one.Lease(t.Context(), leased.Key, "holder", long)
	if time.Now().Before(leased.ExpiresAt) {
		require.NoError(t, err)
	}

	ended := put(t, one, newRecord())
	ended.ExpiresAt = time.Now().Add(-long)
	require.NoError(t, one.Extend(t.Context(), ended.Key, ended.ExpiresAt))
	for _, r := range []weblogin.Record{ended, shorter, again, leased} {
		expires(t, one, r)
	}
}

func expiredKeyIsFree(t *testing.T, one, other Store) {
	before, after := name(), name()
	r := newRecord(before)
	r.ExpiresAt = time.Now().Add(short)
	put(t, one, put(t, one, r))
	_, err := one.Lease(t.Context(), r.Key, "holder", long)
	if time.Now().Before(r.ExpiresAt) {
		require.NoError(t, err)
	}
	expires(t, one, r)

	r.Names, r.ExpiresAt = []string{after}, time.Now().Add(long)
	r = put(t, other, r)
	assert.Equal(t, int64(1), r.Version)
	stored(t, one, r)
	deleteNamed(t, one, 0, before)
	leased, err := one.Lease(t.Context(), r.Key, "another", long)
	require.NoError(t, err, "the lease was the expired record's")
	assert.Equal(t, int64(2), leased.Version)
	deleteNamed(t, other, 1, after)
}
