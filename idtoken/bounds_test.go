package idtoken_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
)

func TestKidStormFetchesOncePerCooldown(t *testing.T) {
	var fetches atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	t.Cleanup(server.Close)
	const cooldown = 50 * time.Millisecond
	start := time.Now()
	keys, err := idtoken.NewRemoteKeys(idtoken.RemoteKeysConfig{
		URL: server.URL, HTTPClient: server.Client(), Cooldown: cooldown,
	})
	require.NoError(t, err)
	for wave := range 3 {
		var callers sync.WaitGroup
		for i := range 1000 {
			callers.Go(func() {
				_, err := keys.VerifySignature(t.Context(), forged(fmt.Sprintf("%d-%d", wave, i)))
				assert.Error(t, err)
			})
		}
		callers.Wait()
		assert.LessOrEqual(t, fetches.Load(), 1+int64(time.Since(start)/cooldown), "one for each cool-down that passed")
	}
}

// forged is a token whose key nobody has published.
func forged(kid string) string {
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(`{"alg":"ES256","kid":"`+kid+`"}`)) + "." + b64.EncodeToString([]byte(`{}`)) + "." + b64.EncodeToString(make([]byte, 64))
}

// deadline answers with an error, and keeps how long the request may take.
type deadline struct{ at time.Duration }

func (d *deadline) RoundTrip(r *http.Request) (*http.Response, error) {
	at, ok := r.Context().Deadline()
	if !ok {
		return nil, errors.New("the request has no deadline")
	}
	d.at = time.Until(at)
	return nil, errors.New("not today")
}

func TestKeysHaveTenSeconds(t *testing.T) {
	network := &deadline{}
	keys, err := idtoken.NewRemoteKeys(idtoken.RemoteKeysConfig{URL: "https://op.example/keys", HTTPClient: &http.Client{Transport: network}})
	require.NoError(t, err)
	_, err = keys.VerifySignature(t.Context(), forged("any"))
	require.Error(t, err)
	assert.Positive(t, network.at)
	assert.LessOrEqual(t, network.at, 10*time.Second)
}

// What was refused is not remembered.
func TestForgedTokensLeaveNoMemory(t *testing.T) {
	keys, err := idtoken.PinnedKeys([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	require.NoError(t, err)
	v, err := idtoken.NewVerifier(idtoken.Config{Issuer: "https://op.example", ClientID: "client-1", Algorithms: []string{"ES256", "EdDSA"}, Keys: keys})
	require.NoError(t, err)
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	for i := range 10_000 {
		_, err := v.Verify(t.Context(), forged(strings.Repeat("x", 1000)+fmt.Sprint(i)), idtoken.Expect{})
		require.Error(t, err)
	}
	assert.Less(t, inUse(), before+1<<20, "ten megabytes were looked at")
	runtime.KeepAlive(v)
}
