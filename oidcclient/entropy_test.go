package oidcclient

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// T30, T32: state, nonce and verifier are 256 bits each, never the same, and each
// bit is as often set as not. One per cent is six standard deviations here.
func TestEntropyOfLogins(t *testing.T) {
	const logins = 100_000
	c := staticClient(t, nil)
	seen := make(map[[32]byte]bool, 3*logins)
	var set [3][256]int
	for range logins {
		p, err := c.newPending(&provider{}, BeginOptions{})
		require.NoError(t, err)
		d := p.data
		for i, value := range []string{d.State, d.Nonce, d.Verifier} {
			bytes, err := base64.RawURLEncoding.Strict().DecodeString(value)
			require.NoError(t, err)
			require.Len(t, bytes, 32)
			require.False(t, seen[[32]byte(bytes)], "never twice")
			seen[[32]byte(bytes)] = true
			for bit := range 256 {
				set[i][bit] += int(bytes[bit/8] >> (bit % 8) & 1)
			}
		}
	}
	for i := range set {
		for bit, n := range set[i] {
			assert.InDelta(t, logins/2, n, logins/100, "value %d, bit %d", i, bit)
		}
	}
}
