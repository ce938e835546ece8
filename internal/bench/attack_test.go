package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However many forged tokens come, keys are fetched once per cool-down.
func TestFloodsFetchOncePerCooldown(t *testing.T) {
	f := NewForger()
	for name, forge := range f.Kinds() {
		t.Run(name, func(t *testing.T) {
			network := NewIssuer(f.JWKS())
			verify, err := Quick("ES256", network)
			require.NoError(t, err)
			require.NoError(t, verify(t.Context(), f.Good()))
			began := time.Now()
			assert.Zero(t, Flood(verify, forge, 10_000, 1000))
			cooldowns := int64(time.Since(began)/Cooldown) + 2
			assert.LessOrEqual(t, network.Fetches.Load(), cooldowns)
			t.Logf("%d fetches in %d cool-downs", network.Fetches.Load(), cooldowns)
		})
	}
}

func TestRotationsRefuseNoGoodToken(t *testing.T) {
	got, err := Rotate(Quick, 20, 5*Cooldown)
	require.NoError(t, err)
	assert.Zero(t, got.Refused, "of %d", got.Good)
	assert.LessOrEqual(t, got.Fetches, int64(got.Lasted/Cooldown)+2)
	assert.Positive(t, got.Good)
}

func TestCancelledFirstCallerHurtsNobody(t *testing.T) {
	failed, err := CancelledFirst(rely)
	require.NoError(t, err)
	assert.Zero(t, failed)
}

func TestHeapPerInstance(t *testing.T) {
	f := NewForger()
	network := NewIssuer(f.JWKS())
	bytes, goroutines, err := HeapPerInstance(1000, func() (Verify, error) { return rely("ES256", network) }, f.Good())
	require.NoError(t, err)
	assert.LessOrEqual(t, bytes, int64(4<<10))
	assert.LessOrEqual(t, goroutines, 0)
}

// Each forged token is refused by each library that it is given to.
func TestForgedAreRefused(t *testing.T) {
	all, err := ForgedTokens()
	require.NoError(t, err)
	for _, forged := range all {
		for _, column := range forged.Columns {
			assert.NoError(t, column.Run(), "%s by %s", forged.Name, column.Name)
		}
	}
}

// A token that names no key costs no search among a thousand.
func TestManyKeys(t *testing.T) {
	jwks, raw := ManyKeys()
	verify, err := rely("RS256", NewIssuer(jwks))
	require.NoError(t, err)
	assert.ErrorContains(t, verify(t.Context(), raw), "names no key")
}
