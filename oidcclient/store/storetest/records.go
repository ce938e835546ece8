package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

func putMakes(t *testing.T, one, other Store) {
	for _, names := range [][]string{nil, {name()}, {name(), name(), name()}} {
		r := newRecord(names...)
		assert.Nil(t, load(t, one, r.Key))
		made := put(t, one, r)
		assert.Equal(t, int64(1), made.Version)
		stored(t, other, made)
	}
}

func putCompares(t *testing.T, one, other Store) {
	r := newRecord(name())
	never := r
	never.Version = 1
	require.ErrorIs(t, one.Put(t.Context(), never), weblogin.ErrNotFound, "there is nothing to replace")
	assert.Nil(t, load(t, other, r.Key), "a refused Put stores nothing")

	made := put(t, one, r)
	made = put(t, one, made)
	require.Equal(t, int64(2), made.Version)
	for _, version := range []int64{0, 1, 3} {
		wrong := made
		wrong.Version, wrong.Data, wrong.Names = version, "other data", nil
		wrong.ExpiresAt = wrong.ExpiresAt.Add(long)
		require.ErrorIs(t, other.Put(t.Context(), wrong), weblogin.ErrConflict, "version %d", version)
	}
	stored(t, one, made)
	require.NoError(t, one.Delete(t.Context(), made.Key, 0))
	require.ErrorIs(t, one.Put(t.Context(), made), weblogin.ErrNotFound, "it was deleted")
	assert.Nil(t, load(t, other, r.Key), "a Put does not revive what was deleted")
}

func putReplaces(t *testing.T, one, other Store) {
	r := put(t, one, newRecord(name(), name()))
	next := newRecord(r.Names[1], name(), name())
	next.Key, next.Version = r.Key, r.Version
	next.ExpiresAt = next.ExpiresAt.Add(long)
	next = put(t, other, next)
	assert.Equal(t, int64(2), next.Version)
	stored(t, one, next)

	next.Data, next.Names = "", nil
	next = put(t, one, next)
	stored(t, other, next)
}

func putLarge(t *testing.T, one, other Store) {
	const mebibyte = 1 << 20
	r := newRecord(name())
	r.Data = strings.Repeat("0123456789abcdef", mebibyte/16)
	r = put(t, one, r)
	stored(t, other, r)
	r.Data = strings.Repeat("x", mebibyte)
	r = put(t, other, r)
	stored(t, one, r)
	leased, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	r.Version++
	same(t, r, leased)
}

func loadSeveral(t *testing.T, one, other Store) {
	var keys []string
	want := map[string]weblogin.Record{}
	for range 5 {
		r := put(t, one, newRecord(name()))
		keys = append(keys, r.Key, name())
		want[r.Key] = r
	}
	records, err := other.Load(t.Context(), keys...)
	require.NoError(t, err)
	require.Len(t, records, len(want))
	for _, got := range records {
		same(t, want[got.Key], got)
		delete(want, got.Key)
	}
	assert.Empty(t, want)

	for _, keys := range [][]string{nil, {name()}, {name(), name()}} {
		records, err := other.Load(t.Context(), keys...)
		require.NoError(t, err, "that there is none is no error")
		assert.Empty(t, records)
	}
}

func extendOnly(t *testing.T, one, other Store) {
	n := name()
	r := put(t, one, newRecord(n))
	r.ExpiresAt = r.ExpiresAt.Add(long)
	require.NoError(t, other.Extend(t.Context(), r.Key, r.ExpiresAt))
	stored(t, one, r)
	r = put(t, one, r) // whose version is still right
	require.ErrorIs(t, one.Extend(t.Context(), name(), time.Now().Add(long)), weblogin.ErrNotFound)

	leased, err := one.Lease(t.Context(), r.Key, "holder", long)
	require.NoError(t, err)
	require.NoError(t, other.Extend(t.Context(), r.Key, r.ExpiresAt.Add(long)))
	_, err = other.Lease(t.Context(), r.Key, "another", long)
	require.ErrorIs(t, err, weblogin.ErrLeased, "Extend leaves the lease as it is")
	leased.ExpiresAt = r.ExpiresAt.Add(long)
	stored(t, other, leased)

	count, err := other.DeleteNamed(t.Context(), n)
	require.NoError(t, err)
	assert.Equal(t, 1, count, "Extend leaves the names as they are")
	require.ErrorIs(t, one.Extend(t.Context(), r.Key, time.Now().Add(long)), weblogin.ErrNotFound)
	assert.Nil(t, load(t, other, r.Key), "an Extend does not revive what was deleted")
}

func deleteCompares(t *testing.T, one, other Store) {
	r := put(t, one, newRecord(name()))
	r = put(t, one, r)
	for _, version := range []int64{1, 3} {
		require.ErrorIs(t, other.Delete(t.Context(), r.Key, version), weblogin.ErrConflict)
	}
	stored(t, other, r)
	require.NoError(t, other.Delete(t.Context(), r.Key, 2))
	assert.Nil(t, load(t, one, r.Key))
	for _, version := range []int64{0, 1, 2} {
		require.ErrorIs(t, one.Delete(t.Context(), r.Key, version), weblogin.ErrNotFound)
	}
	count, err := one.DeleteNamed(t.Context(), r.Names...)
	require.NoError(t, err)
	assert.Zero(t, count, "what was deleted has no names")

	r.Version = 0
	r = put(t, one, r)
	assert.Equal(t, int64(1), r.Version, "a deleted key is free")
	require.NoError(t, other.Delete(t.Context(), r.Key, 0), "version 0 deletes whatever is there")
	assert.Nil(t, load(t, one, r.Key))
}
