package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

func leaseGives(t *testing.T, one, other Store) {
	r := put(t, one, newRecord(name(), name()))
	leased, err := other.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	r.Version++
	same(t, r, leased)
	stored(t, one, r)

	_, err = one.Lease(t.Context(), name(), "holder", long)
	require.ErrorIs(t, err, weblogin.ErrNotFound)
	require.NoError(t, one.Delete(t.Context(), r.Key, 0))
	_, err = one.Lease(t.Context(), r.Key, "holder", long)
	require.ErrorIs(t, err, weblogin.ErrNotFound, "the lease went with the record")
}

func leaseProlonged(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	first, err := one.Lease(t.Context(), r.Key, "holder", patience)
	require.NoError(t, err)
	again, err := other.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	same(t, first, again)

	// The later call says how long, also where that is less.
	_, err = one.Lease(t.Context(), r.Key, "holder", short)
	require.NoError(t, err)
	soon(t, "another gets the lease", func() bool {
		_, err := other.Lease(t.Context(), r.Key, "another", long)
		return err == nil
	})
}

func leaseRefuses(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	leased, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	for _, s := range []Store{one, other} {
		refused, err := s.Lease(t.Context(), r.Key, "another", long)
		require.ErrorIs(t, err, weblogin.ErrLeased)
		assert.Empty(t, refused, "no record comes with a refusal")
	}
	stored(t, other, leased)
}

func leaseFences(t *testing.T, one, other Store) {
	before := put(t, one, newRecord())
	leased, err := other.Lease(t.Context(), before.Key, "holder", long)
	require.NoError(t, err)
	require.ErrorIs(t, one.Put(t.Context(), before), weblogin.ErrConflict)
	require.ErrorIs(t, one.Delete(t.Context(), before.Key, before.Version), weblogin.ErrConflict)
	leased.Data = "what the holder did"
	stored(t, one, put(t, other, leased))
}

func leaseEnds(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	begun := time.Now()
	lost, err := one.Lease(t.Context(), r.Key, "holder", short)
	require.NoError(t, err)
	var got weblogin.Record
	soon(t, "another gets the lease", func() bool {
		got, err = other.Lease(t.Context(), r.Key, "another", long)
		if err != nil {
			require.ErrorIs(t, err, weblogin.ErrLeased)
		}
		return err == nil
	})
	assert.GreaterOrEqual(t, time.Since(begun), short-precision, "not before it is over")
	assert.Equal(t, lost.Version+1, got.Version)
	require.ErrorIs(t, one.Put(t.Context(), lost), weblogin.ErrConflict, "who lost the lease is fenced off")
	_, err = one.Lease(t.Context(), r.Key, "holder", long)
	require.ErrorIs(t, err, weblogin.ErrLeased)

	// Who comes back to a lease that is over takes it anew.
	_, err = one.Lease(t.Context(), r.Key, "another", short)
	require.NoError(t, err)
	before := got.Version
	soon(t, "the version grows", func() bool {
		wait(t.Context(), short)
		got, err = other.Lease(t.Context(), r.Key, "another", short/2)
		require.NoError(t, err)
		return got.Version == before+1
	})
}

func leaseAllows(t *testing.T, one, other Store) {
	n := name()
	r := put(t, one, newRecord(n))
	leased, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	stored(t, other, leased)
	leased.ExpiresAt = leased.ExpiresAt.Add(long)
	require.NoError(t, other.Extend(t.Context(), r.Key, leased.ExpiresAt))
	stored(t, one, leased)
	require.NoError(t, other.Delete(t.Context(), r.Key, leased.Version))

	r = newRecord(n)
	put(t, one, r)
	_, err = one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	count, err := other.DeleteNamed(t.Context(), n)
	require.NoError(t, err)
	assert.Equal(t, 1, count)
}

func putEndsLease(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	leased, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	done := put(t, one, leased)
	next, err := other.Lease(t.Context(), r.Key, "another", long)
	require.NoError(t, err)
	assert.Equal(t, done.Version+1, next.Version)

	// The same holder's next lease is another one too.
	done = put(t, other, next)
	next, err = other.Lease(t.Context(), r.Key, "another", long)
	require.NoError(t, err)
	assert.Equal(t, done.Version+1, next.Version)
}

func releaseOwn(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	require.NoError(t, one.Release(t.Context(), r.Key, "holder"), "there is no lease")
	require.NoError(t, one.Release(t.Context(), name(), "holder"), "there is no record")
	leased, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)

	require.NoError(t, other.Release(t.Context(), r.Key, "another"))
	_, err = other.Lease(t.Context(), r.Key, "another", long)
	require.ErrorIs(t, err, weblogin.ErrLeased, "nobody releases another's lease")

	require.NoError(t, one.Release(t.Context(), r.Key, "holder"))
	stored(t, one, leased)
	next, err := other.Lease(t.Context(), r.Key, "another", long)
	require.NoError(t, err)
	assert.Equal(t, leased.Version+1, next.Version)
}
