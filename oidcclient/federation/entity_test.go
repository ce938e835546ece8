package federation

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
)

const party = "https://rp.example"

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func entityConfig(t *testing.T) EntityConfig {
	t.Helper()
	return EntityConfig{
		ID: party, Keys: []assertion.Key{{Signer: newKey(t)}}, AuthorityHints: []string{anchor},
		Metadata: map[string]any{"openid_relying_party": map[string]any{"client_name": "a client"}},
		Clock:    func() time.Time { return testNow },
	}
}

func get(t *testing.T, h http.Handler, method string) *http.Response {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(method, party+wellKnown, http.NoBody))
	return recorder.Result()
}

// What an entity says about itself is believed as what any other says.
func TestEntity(t *testing.T) {
	config := entityConfig(t)
	next := newKey(t)
	config.Keys = append(config.Keys, assertion.Key{Signer: next, ID: "next"})
	config.TrustMarks = []TrustMark{{Type: "https://anchor.example/good", JWT: "a.b.c"}}
	entity, err := NewEntity(config)
	require.NoError(t, err)
	answer := get(t, entity, http.MethodGet)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "application/entity-statement+jwt", answer.Header.Get("Content-Type"))
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)

	s, err := readStatement(string(body), party, party, testNow)
	require.NoError(t, err)
	require.NoError(t, s.signedBy(t.Context(), s.jwks))
	assert.Equal(t, []string{anchor}, s.superiors)
	assert.Equal(t, testNow.Add(24*time.Hour).Unix(), s.expiry.Unix())
	assert.JSONEq(t, `"a client"`, string(s.metadata["openid_relying_party"]["client_name"]))
	var keys struct{ Keys []members }
	require.NoError(t, json.Unmarshal(s.jwks, &keys))
	require.Len(t, keys.Keys, 2)
	thumbprint, err := assertion.Thumbprint(config.Keys[0].Signer.Public())
	require.NoError(t, err)
	assert.Equal(t, thumbprint, keys.Keys[0]["kid"])
	assert.Equal(t, "next", keys.Keys[1]["kid"])
	assert.Nil(t, keys.Keys[0]["d"])
	marks, ok := s.claims.Raw("trust_marks")
	assert.True(t, ok)
	assert.JSONEq(t, `[{"trust_mark_type":"https://anchor.example/good","trust_mark":"a.b.c"}]`, marks)
	assert.Equal(t, http.StatusMethodNotAllowed, get(t, entity, http.MethodPost).StatusCode)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, "federation.Entity{https://rp.example}", fmt.Sprintf(verb, entity))
	}
	assert.Equal(t, "federation.Entity{https://rp.example}", entity.LogValue().String())
}

// A statement is signed anew after half of its life, and what was said stays as it was.
func TestEntitySignsAnew(t *testing.T) {
	now := testNow
	config := entityConfig(t)
	config.Lifetime, config.Clock = time.Hour, func() time.Time { return now }
	entity, err := NewEntity(config)
	require.NoError(t, err)
	config.Metadata["openid_provider"] = members{}
	first, err := entity.Configuration(t.Context())
	require.NoError(t, err)
	s, err := readStatement(first, party, party, now)
	require.NoError(t, err)
	assert.Len(t, s.metadata, 1)

	now = testNow.Add(30*time.Minute - time.Second)
	same, err := entity.Configuration(t.Context())
	require.NoError(t, err)
	assert.Equal(t, first, same)
	now = testNow.Add(30 * time.Minute)
	second, err := entity.Configuration(t.Context())
	require.NoError(t, err)
	s, err = readStatement(second, party, party, now)
	require.NoError(t, err)
	assert.Equal(t, now.Add(time.Hour).Unix(), s.expiry.Unix())
}

// away is a key somewhere else: sign stands in its place.
type away struct {
	crypto.Signer
	sign func(context.Context) error
}

func (a away) SignContext(ctx context.Context, r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := a.sign(ctx); err != nil {
		return nil, err
	}
	return a.Signer.Sign(r, digest, opts)
}

// A statement that holds is served while the key can't sign, and not a moment longer.
func TestEntityThatCantSign(t *testing.T) {
	now, asked, down := testNow, 0, errors.New("the device is away")
	config := entityConfig(t)
	config.Lifetime, config.Clock = time.Hour, func() time.Time { return now }
	config.Keys[0].Signer = away{config.Keys[0].Signer, func(context.Context) error {
		asked++
		return down
	}}
	entity, err := NewEntity(config)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, get(t, entity, http.MethodGet).StatusCode)
	down = nil
	first, err := entity.Configuration(t.Context())
	require.NoError(t, err)

	down, asked = errors.New("the device is away again"), 0
	for _, after := range []time.Duration{30 * time.Minute, 30*time.Minute + 59*time.Second, 59*time.Minute + 30*time.Second, time.Hour - 1} {
		now = testNow.Add(after)
		old, err := entity.Configuration(t.Context())
		require.NoError(t, err, after)
		assert.Equal(t, first, old)
	}
	assert.Equal(t, 2, asked, "a key that can't sign is left alone for a minute")
	now = testNow.Add(time.Hour)
	assert.Equal(t, http.StatusServiceUnavailable, get(t, entity, http.MethodGet).StatusCode)
	down = nil
	_, err = entity.Configuration(t.Context())
	assert.NoError(t, err)
}

// Whoever waits for a signature can go, and it is made for the others all the same, once.
func TestEntitySignsForAll(t *testing.T) {
	asked, signs := make(chan struct{}), make(chan struct{})
	config := entityConfig(t)
	config.Keys[0].Signer = away{config.Keys[0].Signer, func(ctx context.Context) error {
		asked <- struct{}{}
		<-signs
		return ctx.Err()
	}}
	entity, err := NewEntity(config)
	require.NoError(t, err)
	first, goes := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := entity.Configuration(first)
		left <- err
	}()
	<-asked
	goes()
	require.ErrorIs(t, <-left, context.Canceled)
	_, err = entity.Configuration(first)
	require.ErrorIs(t, err, context.Canceled, "nor does another one wait")
	done := make(chan error)
	go func() {
		_, err := entity.Configuration(t.Context())
		done <- err
	}()
	signs <- struct{}{}
	require.NoError(t, <-done)
}

// A key that hangs holds nobody up for long while the old statement holds; and one that
// panics ends no process.
func TestEntityWhoseKeyFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sign atomic.Value // of func(context.Context) error
		sign.Store(func(context.Context) error { return nil })
		config := entityConfig(t)
		config.Lifetime, config.Clock = time.Hour, time.Now
		config.Keys[0].Signer = away{config.Keys[0].Signer, func(ctx context.Context) error { return sign.Load().(func(context.Context) error)(ctx) }}
		entity, err := NewEntity(config)
		require.NoError(t, err)
		first, err := entity.Configuration(t.Context())
		require.NoError(t, err)
		sign.Store(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		time.Sleep(30 * time.Minute)
		for range 2 {
			begun := time.Now()
			old, err := entity.Configuration(t.Context())
			require.NoError(t, err)
			assert.Equal(t, first, old)
			assert.Equal(t, signPatience, time.Since(begun))
		}
		time.Sleep(30 * time.Minute)
		sign.Store(func(context.Context) error { panic("a device's") })
		_, err = entity.Configuration(t.Context())
		assert.EqualError(t, err, "federation: panic of type string")
	})
}

func TestNewEntityRefuses(t *testing.T) {
	for name, change := range map[string]func(*EntityConfig){
		"no ID":             func(c *EntityConfig) { c.ID = "" },
		"ID with a query":   func(c *EntityConfig) { c.ID += "?a" },
		"no superior":       func(c *EntityConfig) { c.AuthorityHints = nil },
		"too many":          func(c *EntityConfig) { c.AuthorityHints = strings.Fields(strings.Repeat(anchor+" ", 11)) },
		"superior no URL":   func(c *EntityConfig) { c.AuthorityHints = []string{"anchor"} },
		"no metadata":       func(c *EntityConfig) { c.Metadata = nil },
		"no JSON":           func(c *EntityConfig) { c.Metadata["x"] = func() {} },
		"negative lifetime": func(c *EntityConfig) { c.Lifetime = -1 },
		"no key":            func(c *EntityConfig) { c.Keys = nil },
		"no signer":         func(c *EntityConfig) { c.Keys[0].Signer = nil },
		"unfilled signer":   func(c *EntityConfig) { c.Keys[0].Signer = (*ecdsa.PrivateKey)(nil) },
		"a secret":          func(c *EntityConfig) { c.Keys[0] = assertion.Key{Secret: make([]byte, 32)} },
		"another algorithm": func(c *EntityConfig) { c.Keys[0].Algorithm = "RS256" },
		"a key twice":       func(c *EntityConfig) { c.Keys = append(c.Keys, c.Keys[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			config := entityConfig(t)
			_, err := NewEntity(config)
			require.NoError(t, err)
			change(&config)
			_, err = NewEntity(config)
			require.Error(t, err)
		})
	}
}
