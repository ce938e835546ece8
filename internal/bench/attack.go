package bench

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rely-go/rely/idtoken"
)

// Cooldown is the one that the measurements under attack use, where it is not
// the default: short, so that many pass in a second.
const Cooldown = 20 * time.Millisecond

// Quick is rely with that cool-down.
func Quick(alg string, network http.RoundTripper) (Verify, error) {
	return relyWith(alg, idtoken.RemoteKeysConfig{URL: keysURL, HTTPClient: &http.Client{Transport: network}, Cooldown: Cooldown})
}

// Forger makes tokens that nobody signed, from those of a key.
type Forger struct{ k key }

// NewForger has a key of its own; its public half is what issuers publish.
func NewForger() Forger { return Forger{newKeys()[2]} }

// JWKS is what the issuer publishes.
func (f Forger) JWKS() []byte { return f.k.jwks() }

// Good is a token of the issuer.
func (f Forger) Good() string { return f.k.idToken() }

// Kinds are the kinds of forged tokens that make a library look for keys.
func (f Forger) Kinds() map[string]func() string {
	header := func(kid string) []byte { return must(json.Marshal(map[string]string{"alg": f.k.alg, "kid": kid})) }
	unsigned := func(kid string) string {
		return encode(header(kid)) + "." + encode(claims(nil)) + "." + encode(make([]byte, 64))
	}
	stranger := newKeys()[2]
	return map[string]func() string{
		"random kid":               func() string { return unsigned(rand.Text()) },
		"known kid, bad signature": func() string { return unsigned(keyID) },
		"known kid, another's key": func() string { return stranger.idToken() },
	}
}

// Flood gives forged tokens to a library, several at once, and returns how many
// it believed.
func Flood(verify Verify, forge func() string, tokens, workers int) (believed int64) {
	var left, count atomic.Int64
	left.Store(int64(tokens))
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if verify(context.Background(), forge()) == nil {
					count.Add(1)
				}
			}
		})
	}
	group.Wait()
	return count.Load()
}

// Rotations is what became of tokens while keys changed under load.
type Rotations struct {
	Fetches, Good, Refused int64
	Lasted                 time.Duration
}

// Rotate changes the issuer's key several times while one attacker sends random
// key ids and two clients bring tokens of the newest key.
func Rotate(over func(string, http.RoundTripper) (Verify, error), times int, every time.Duration) (Rotations, error) {
	type generation struct{ jwks, good string }
	var generations []generation
	for i := range times {
		k := newKeys()[2]
		kid := fmt.Sprint("generation-", i)
		generations = append(generations, generation{
			strings.Replace(string(k.jwks()), keyID, kid, 1),
			k.sign(must(json.Marshal(map[string]string{"alg": k.alg, "kid": kid})), claims(map[string]any{"at_hash": k.atHash()})),
		})
	}
	network := NewIssuer([]byte(generations[0].jwks))
	network.Delay = time.Millisecond
	verify, err := over("ES256", network)
	if err != nil {
		return Rotations{}, err
	}
	var newest atomic.Pointer[string]
	newest.Store(&generations[0].good)
	var result Rotations
	var good, refused atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	random := NewForger().Kinds()["random kid"]
	group.Go(func() {
		for ctx.Err() == nil {
			_ = verify(ctx, random())
		}
	})
	for range 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := verify(context.Background(), *newest.Load()); err != nil {
					refused.Add(1)
				}
				good.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	began := time.Now()
	for i := range generations {
		network.Publish([]byte(generations[i].jwks))
		newest.Store(&generations[i].good)
		time.Sleep(every)
	}
	cancel()
	group.Wait()
	result.Fetches, result.Good, result.Refused, result.Lasted = network.Fetches.Load(), good.Load(), refused.Load(), time.Since(began)
	return result, nil
}

// CancelledFirst lets the first of 64 callers begin the fetch of the keys and
// give up, and returns how many of the others fail.
func CancelledFirst(over func(string, http.RoundTripper) (Verify, error)) (failed int64, err error) {
	f := NewForger()
	network := NewIssuer(f.JWKS())
	network.Delay = 50 * time.Millisecond
	verify, err := over("ES256", network)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = verify(ctx, f.Good()) })
	for network.Fetches.Load() == 0 {
		runtime.Gosched()
	}
	var count atomic.Int64
	for range 63 {
		group.Go(func() {
			if verify(context.Background(), f.Good()) != nil {
				count.Add(1)
			}
		})
	}
	time.Sleep(5 * time.Millisecond) // the others have joined
	cancel()
	group.Wait()
	return count.Load(), nil
}

// ManyKeys is a set of 1000 keys of which the last is the issuer's, and a token
// that names none.
func ManyKeys() (jwks []byte, raw string) {
	last := newKeys()[0]
	var keys []json.RawMessage
	one := func(k key) json.RawMessage {
		var set struct{ Keys []json.RawMessage }
		must(0, json.Unmarshal(k.jwks(), &set))
		return set.Keys[0]
	}
	model := one(last)
	for i := range 999 {
		var jwk map[string]string
		must(0, json.Unmarshal(model, &jwk))
		modulus := must(base64.RawURLEncoding.DecodeString(jwk["n"]))
		modulus[100], modulus[101] = byte(i), byte(i>>8)
		jwk["n"], jwk["kid"] = encode(modulus), fmt.Sprint("key-", i)
		keys = append(keys, must(json.Marshal(jwk)))
	}
	keys = append(keys, model)
	return must(json.Marshal(map[string]any{"keys": keys})), last.sign([]byte(`{"alg":"RS256"}`), claims(map[string]any{"at_hash": last.atHash()}))
}

// HeapPerInstance returns how much one of many instances keeps after it has
// verified a token, and how many goroutines they all keep.
func HeapPerInstance(instances int, make func() (Verify, error), raw string) (bytes int64, goroutines int, err error) {
	kept := []Verify{}
	goroutines = runtime.NumGoroutine()
	before := heap()
	for range instances {
		verify, err := make()
		if err != nil {
			return 0, 0, err
		}
		if err := verify(context.Background(), raw); err != nil {
			return 0, 0, err
		}
		kept = append(kept, verify)
	}
	bytes = (heap() - before) / int64(instances)
	goroutines = runtime.NumGoroutine() - goroutines
	runtime.KeepAlive(kept)
	return bytes, goroutines, nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
