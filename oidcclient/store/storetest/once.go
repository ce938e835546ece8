package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func onceIsOnce(t *testing.T, one, other Store) {
	key := name()
	for i, s := range []Store{one, one, other} {
		first, err := s.Once(t.Context(), key, time.Now().Add(long))
		require.NoError(t, err)
		assert.Equal(t, i == 0, first)
	}
	// Marks and records do not meet.
	r := newRecord()
	r.Key = key
	stored(t, other, put(t, one, r))
	require.NoError(t, one.Delete(t.Context(), key, 0))
	first, err := other.Once(t.Context(), key, time.Now().Add(long))
	require.NoError(t, err)
	assert.False(t, first)
}

func onceForgets(t *testing.T, one, other Store) {
	key, until := name(), time.Now().Add(short)
	first, err := one.Once(t.Context(), key, until)
	require.NoError(t, err)
	require.True(t, first)
	// Asking again, for longer, does not make it longer.
	soon(t, "it is forgotten", func() bool {
		first, err = other.Once(t.Context(), key, time.Now().Add(long))
		require.NoError(t, err)
		return first
	})
	assert.False(t, time.Now().Before(until.Add(-precision)), "it was forgotten before its time")
	first, err = one.Once(t.Context(), key, time.Now().Add(long))
	require.NoError(t, err)
	assert.False(t, first, "it is remembered anew")

	first, err = one.Once(t.Context(), name(), time.Now().Add(-long))
	require.NoError(t, err, "a time that is over is no error")
	assert.True(t, first)
}
