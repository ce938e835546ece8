package redisstore

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// lives returns for how long a key does.
func lives(t *testing.T, client *redis.Client, key string) time.Duration {
	t.Helper()
	left, err := client.PTTL(t.Context(), key).Result()
	require.NoError(t, err)
	return left
}

func TestAnIndexLivesAsLongAsItsLastMember(t *testing.T) {
	client := connect(t, engine.URL)
	s := newStore(t, client, "lives")
	const index = "{lives:1}:n:n"
	at := func(d time.Duration) time.Time { return time.Now().Add(d) }
	put := func(key string, version int64, d time.Duration, names ...string) {
		t.Helper()
		require.NoError(t, s.Put(t.Context(), weblogin.Record{Key: key, Version: version, Names: names, ExpiresAt: at(d)}))
	}
	assertLives := func(want time.Duration, why string) {
		t.Helper()
		assert.InDelta(t, want, lives(t, client, index), float64(30*time.Second), why)
	}
	put("a", 0, time.Hour, "n")
	assertLives(time.Hour, "one member")
	put("b", 0, 3*time.Hour, "n", "m")
	assertLives(3*time.Hour, "the later of two")
	put("c", 0, 2*time.Hour, "n")
	assertLives(3*time.Hour, "not shortened by another")
	require.NoError(t, s.Extend(t.Context(), "a", at(5*time.Hour)))
	assertLives(5*time.Hour, "extended")
	require.NoError(t, s.Extend(t.Context(), "a", at(time.Minute)))
	assertLives(3*time.Hour, "extended to less")
	put("b", 1, 4*time.Hour, "n")
	assertLives(4*time.Hour, "put again")
	assert.Equal(t, -2*time.Nanosecond, lives(t, client, "{lives:1}:n:m"), "no index without members")
	put("b", 2, 4*time.Hour, "m")
	assertLives(2*time.Hour, "put again under another name")
	require.NoError(t, s.Delete(t.Context(), "c", 0))
	assertLives(time.Minute, "deleted")
	count, err := s.DeleteNamed(t.Context(), "n")
	require.NoError(t, err)
	assert.Equal(t, 1, count)
	assert.Equal(t, -2*time.Nanosecond, lives(t, client, index), "nothing left")
}

// TestAnIndexForgetsWhoIsGone has a person who logs in again and again.
func TestAnIndexForgetsWhoIsGone(t *testing.T) {
	client := connect(t, engine.URL)
	s := newStore(t, client, "forgets")
	for i := range 50 {
		r := weblogin.Record{Key: strings.Repeat("x", i+1), Names: []string{"n"}, ExpiresAt: time.Now().Add(50 * time.Millisecond)}
		require.NoError(t, s.Put(t.Context(), r))
	}
	stays := weblogin.Record{Key: "stays", Names: []string{"n"}, ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, s.Put(t.Context(), stays))
	require.Eventually(t, func() bool {
		require.NoError(t, s.Extend(t.Context(), stays.Key, stays.ExpiresAt))
		members, err := client.ZRange(t.Context(), "{forgets:1}:n:n", 0, -1).Result()
		require.NoError(t, err)
		return len(members) == 1 && members[0] == stays.Key
	}, patience, interval)

	// A record that something else removed is in the index still, and not counted.
	require.NoError(t, client.Del(t.Context(), "{forgets:1}:s:stays").Err())
	count, err := s.DeleteNamed(t.Context(), "n")
	require.NoError(t, err)
	assert.Zero(t, count)
	left, err := client.Exists(t.Context(), "{forgets:1}:n:n").Result()
	require.NoError(t, err)
	assert.Zero(t, left, "it has left the index")
}

func TestEveryKeyExpires(t *testing.T) {
	client := connect(t, engine.URL)
	s := newStore(t, client, "expires")
	for i := range 3 {
		for _, call := range calls(s) {
			require.NoError(t, call.do(t.Context()), call.name)
		}
		r := weblogin.Record{Key: strings.Repeat("x", i+1), Names: []string{"p", "q"}, ExpiresAt: time.Now().Add(time.Hour)}
		require.NoError(t, s.Put(t.Context(), r))
	}
	keys, err := client.Keys(t.Context(), "{expires:1}:*").Result()
	require.NoError(t, err)
	assert.Len(t, keys, 6, "three sessions, two names, one mark")
	for _, key := range keys {
		left := lives(t, client, key)
		assert.True(t, left > 0 && left <= time.Hour+time.Minute, "%s: %v", key, left)
	}
}
