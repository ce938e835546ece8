package weblogin

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testClock is a clock that tests move; otherwise it goes as fast as the real
// one.
type testClock struct{ ahead atomic.Int64 }

func newTestClock() *testClock { return &testClock{} }

func (c *testClock) Now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load())).Round(0)
}
func (c *testClock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// get returns the record with a key, or ErrNotFound.
func get(t *testing.T, m *Memory, key string) (Record, error) {
	t.Helper()
	records, err := m.Load(t.Context(), key)
	require.NoError(t, err)
	if len(records) == 0 {
		return Record{}, ErrNotFound
	}
	return records[0], nil
}

func TestMemoryPutComparesVersions(t *testing.T) {
	clock := newTestClock()
	m := NewMemory(clock.Now)
	r := Record{Key: "k", Data: "one", Names: []string{"n"}, ExpiresAt: clock.Now().Add(time.Minute)}
	require.NoError(t, m.Put(t.Context(), r))
	assert.ErrorIs(t, m.Put(t.Context(), r), ErrConflict, "it is there now")

	got, err := get(t, m, "k")
	require.NoError(t, err)
	assert.Equal(t, int64(1), got.Version)
	got.Data = "two"
	require.NoError(t, m.Put(t.Context(), got))
	assert.ErrorIs(t, m.Put(t.Context(), got), ErrConflict, "version 1 is no longer the stored one")

	got, err = get(t, m, "k")
	require.NoError(t, err)
	assert.Equal(t, Record{Key: "k", Version: 2, Data: "two", Names: []string{"n"}, ExpiresAt: r.ExpiresAt}, got)

	got.Key = "other"
	assert.ErrorIs(t, m.Put(t.Context(), got), ErrNotFound, "there is nothing to replace")
	assert.ErrorIs(t, m.Delete(t.Context(), "k", 1), ErrConflict)
	require.NoError(t, m.Delete(t.Context(), "k", 2))
	assert.ErrorIs(t, m.Delete(t.Context(), "k", 0), ErrNotFound)
	_, err = get(t, m, "k")
	assert.ErrorIs(t, err, ErrNotFound)
	assert.Empty(t, m.named)
}

func TestMemoryExpiresAndExtends(t *testing.T) {
	clock := newTestClock()
	m := NewMemory(clock.Now)
	for i := range 10 {
		require.NoError(t, m.Put(t.Context(), Record{Key: strconv.Itoa(i), ExpiresAt: clock.Now().Add(time.Duration(10-i) * time.Minute), Names: []string{"n"}}))
	}
	require.NoError(t, m.Extend(t.Context(), "9", clock.Now().Add(time.Hour)))
	clock.Advance(10 * time.Minute)
	_, err := get(t, m, "0")
	assert.ErrorIs(t, err, ErrNotFound, "a record ends at its expiry, not after it")
	_, err = get(t, m, "9")
	assert.NoError(t, err)
	assert.Len(t, m.sessions.items, 1)
	assert.Len(t, m.sessions.heap, 1)
	assert.Len(t, m.named["n"], 1)
	assert.ErrorIs(t, m.Extend(t.Context(), "0", clock.Now().Add(time.Hour)), ErrNotFound)
	clock.Advance(time.Hour)
	_, err = get(t, m, "9")
	assert.ErrorIs(t, err, ErrNotFound)
	assert.Empty(t, m.named)
}

func TestMemoryDeletesByAllNames(t *testing.T) {
	clock := newTestClock()
	fill := func() *Memory {
		m := NewMemory(clock.Now)
		for key, names := range map[string][]string{"1": {"anna", "sid1"}, "2": {"anna", "sid2"}, "3": {"bo", "sid3"}, "4": nil} {
			require.NoError(t, m.Put(t.Context(), Record{Key: key, Names: names, ExpiresAt: clock.Now().Add(time.Minute)}))
		}
		return m
	}
	for _, tt := range []struct {
		names []string
		left  []string
	}{
		{[]string{"anna"}, []string{"3", "4"}},
		{[]string{"sid2"}, []string{"1", "3", "4"}},
		{[]string{"sid2", "anna"}, []string{"1", "3", "4"}},
		{[]string{"anna", "sid3"}, []string{"1", "2", "3", "4"}},
		{[]string{"nobody"}, []string{"1", "2", "3", "4"}},
		{nil, []string{"1", "2", "3", "4"}},
	} {
		m := fill()
		ended, err := m.DeleteNamed(t.Context(), tt.names...)
		require.NoError(t, err)
		assert.Equal(t, 4-len(tt.left), ended, tt.names)
		for _, key := range tt.left {
			_, err := get(t, m, key)
			assert.NoError(t, err, "%v leave %s", tt.names, key)
		}
	}
}

func TestMemoryOnce(t *testing.T) {
	clock := newTestClock()
	m := NewMemory(clock.Now)
	var first atomic.Int32
	var wait sync.WaitGroup
	for range 64 {
		wait.Go(func() {
			ok, err := m.Once(t.Context(), "k", clock.Now().Add(time.Minute))
			assert.NoError(t, err)
			if ok {
				first.Add(1)
			}
		})
	}
	wait.Wait()
	assert.Equal(t, int32(1), first.Load())
	clock.Advance(time.Minute)
	_, err := m.Once(t.Context(), "other", clock.Now().Add(time.Minute))
	require.NoError(t, err)
	assert.Len(t, m.marks.items, 1, "what has expired is dropped")
}

func TestMemoryIsBounded(t *testing.T) {
	clock := newTestClock()
	m := NewMemory(clock.Now)
	m.sessions.limit, m.marks.limit = 100, 100
	var full int
	for i := range 1000 {
		key, until := fmt.Sprint(i), clock.Now().Add(time.Minute)
		if err := m.Put(t.Context(), Record{Key: key, ExpiresAt: until}); err != nil {
			assert.ErrorIs(t, err, ErrFull)
			full++
		}
		if _, err := m.Once(t.Context(), key, until); err != nil {
			assert.ErrorIs(t, err, ErrFull)
			full++
		}
	}
	assert.Equal(t, 1800, full)
	_, err := get(t, m, "0")
	assert.NoError(t, err, "the first one's session was not pushed out")
	clock.Advance(time.Minute)
	assert.NoError(t, m.Put(t.Context(), Record{Key: "new", ExpiresAt: clock.Now().Add(time.Minute)}))
}
