package idtoken_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
)

// Keys to encrypt to are kept as those that verify are, and looked for once more where
// none fits.
func TestEncryptionKey(t *testing.T) {
	const (
		first  = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}`
		second = `{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","use":"enc","kid":"2"}`
	)
	var set atomic.Value
	set.Store(first)
	var fetches atomic.Int64
	place := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write([]byte(`{"keys":[` + set.Load().(string) + `]}`))
	}))
	t.Cleanup(place.Close)
	var passed atomic.Int64
	keys, err := idtoken.NewRemoteKeys(idtoken.RemoteKeysConfig{URL: place.URL, Clock: func() time.Time { return time.Unix(1_700_000_000+passed.Load(), 0) }})
	require.NoError(t, err)
	for range 3 {
		key, id, err := keys.EncryptionKey(t.Context(), "ECDH-ES", "")
		require.NoError(t, err)
		assert.Equal(t, "1", id)
		assert.IsType(t, &ecdsa.PublicKey{}, key)
	}
	assert.Equal(t, int64(1), fetches.Load())

	set.Store(first + `,` + second)
	var refused *idtoken.Error
	_, _, err = keys.EncryptionKey(t.Context(), "ECDH-ES", "2")
	require.ErrorAs(t, err, &refused, "inside the cool-down nobody looks, and nobody waits")
	assert.False(t, refused.Unavailable)
	assert.Equal(t, int64(1), fetches.Load())
	passed.Add(4)
	key, id, err := keys.EncryptionKey(t.Context(), "ECDH-ES", "2")
	require.NoError(t, err)
	assert.Equal(t, "2", id)
	assert.Equal(t, ecdh.X25519(), key.(*ecdh.PublicKey).Curve())
	assert.Equal(t, int64(2), fetches.Load())

	_, _, err = keys.EncryptionKey(t.Context(), "RSA-OAEP", "")
	require.ErrorAs(t, err, &refused)
	place.Close()
	passed.Add(int64(48 * time.Hour / time.Second))
	_, _, err = keys.EncryptionKey(t.Context(), "ECDH-ES", "")
	require.ErrorAs(t, err, &refused)
	assert.True(t, refused.Unavailable)
}
