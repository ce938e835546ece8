package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// deleteNamed asserts how many records have all of names, and deletes them.
func deleteNamed(t *testing.T, s Store, want int, names ...string) {
	t.Helper()
	count, err := s.DeleteNamed(t.Context(), names...)
	require.NoError(t, err)
	assert.Equal(t, want, count)
}

func deleteNamedAll(t *testing.T, one, other Store) {
	issuer, person, session, none := name(), name(), name(), name()
	var kept, gone []weblogin.Record
	for _, names := range [][]string{{issuer, person}, {person, issuer, session}, {session, person, issuer}} {
		gone = append(gone, put(t, one, newRecord(names...)))
	}
	for _, names := range [][]string{nil, {issuer}, {person}, {session, issuer}, {name(), person}} {
		kept = append(kept, put(t, other, newRecord(names...)))
	}
	deleteNamed(t, one, 0)
	deleteNamed(t, one, 0, none)
	deleteNamed(t, one, 0, issuer, none)
	deleteNamed(t, one, 0, none, issuer)
	for _, r := range append(gone, kept...) {
		stored(t, one, r)
	}
	deleteNamed(t, other, len(gone), issuer, person)
	for _, r := range gone {
		assert.Nil(t, load(t, one, r.Key))
		require.ErrorIs(t, one.Put(t.Context(), r), weblogin.ErrNotFound, "a logout is not undone by a Put")
	}
	for _, r := range kept {
		stored(t, other, r)
	}
	deleteNamed(t, one, 0, person, issuer)
	deleteNamed(t, one, 1, session)
	deleteNamed(t, one, 1, issuer, issuer) // given twice, meant once
	deleteNamed(t, one, 2, person)
}

func deleteNamedFollows(t *testing.T, one, other Store) {
	before, both, after := name(), name(), name()
	r := put(t, one, newRecord(before, both))
	r.Names = []string{both, after}
	r = put(t, other, r)
	deleteNamed(t, one, 0, before)
	deleteNamed(t, one, 0, before, both)
	stored(t, one, r)

	r.Names = nil
	r = put(t, one, r)
	deleteNamed(t, other, 0, both)
	stored(t, one, r)

	r.Names = []string{after, both}
	r = put(t, one, r)
	refused := r
	refused.Version, refused.Names = r.Version+1, []string{before}
	require.ErrorIs(t, one.Put(t.Context(), refused), weblogin.ErrConflict)
	deleteNamed(t, other, 0, before)
	deleteNamed(t, other, 1, both, after)
	assert.Nil(t, load(t, one, r.Key))
}

func deleteNamedLiving(t *testing.T, one, other Store) {
	n := name()
	lives := put(t, one, newRecord(n))
	r := newRecord(n)
	r.ExpiresAt = time.Now().Add(short)
	r = put(t, one, r)
	var extended weblogin.Record
	soon(t, "a record is extended before it expires", func() bool {
		extended = newRecord(n)
		extended.ExpiresAt = time.Now().Add(short)
		extended = put(t, other, extended)
		before := extended.ExpiresAt
		extended.ExpiresAt = time.Now().Add(long)
		err := one.Extend(t.Context(), extended.Key, extended.ExpiresAt)
		if time.Now().Before(before) {
			require.NoError(t, err)
		}
		return err == nil
	})
	soon(t, "the record is gone", func() bool { return load(t, other, r.Key) == nil })
	stored(t, one, lives)
	stored(t, one, extended)
	deleteNamed(t, other, 2, n)
	deleteNamed(t, other, 0, n)
}
