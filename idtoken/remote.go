package idtoken

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/jwx"
)

// RemoteKeysConfig says where a JWK Set is and how long it is kept. The zero
// value of each duration is its default.
type RemoteKeysConfig struct {
	// URL is the jwks_uri: https, or http where the host is loopback. Required.
	URL string
	// HTTPClient makes the requests; nil means one of the default transport. Its
	// redirect policy and cookies are not used.
	HTTPClient *http.Client
	// Cooldown is the least time between two requests: 0 means 3 seconds.
	Cooldown time.Duration
	// MaxAge is the longest time for which keys are used without asking again,
	// whatever Cache-Control says, and the time where it says nothing: 0 means an
	// hour. The shortest is Cooldown.
	MaxAge time.Duration
	// MaxStale is how long keys are used beyond that while the issuer can't be
	// reached: 0 means 24 hours.
	MaxStale time.Duration
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Logger receives "keys fetched" with host and keys (how many can be used),
	// and "keys not fetched" with host and reason. Nil means silence.
	Logger *slog.Logger
}

// RemoteKeys are the keys that an issuer publishes at its jwks_uri. They are
// fetched when they are needed: once, however many ask; again when they are too
// old, and when a token names a key that is not there, but never more often than
// the cool-down allows. Keys that are withdrawn are forgotten with the next
// fetch. While the issuer can't be reached, the last keys stay good for a bounded
// time.
//
// It is safe for concurrent use, needs no closing, and runs a goroutine only
// while a request is under way, at most ten seconds.
type RemoteKeys struct {
	config RemoteKeysConfig
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	mu       sync.Mutex // guards what follows
	begun    uint64     // number of fetches begun
	lastTime time.Time  // when the last one began
	lastErr  error      // why the last one failed
	flight   *flight    // the one under way, or nil
	current  *published // the newest keys, or nil
}

// published are keys with the number of the fetch that brought them.
type published struct {
	keys              keySet
	recipients        []jwx.Key // all that were published, to encrypt to
	number            uint64
	freshTo, usableTo time.Time
}

// flight is a fetch under way; the result may be read once done is closed.
type flight struct {
	number uint64
	done   chan struct{}
	result *published
	err    error
}

const (
	maxKeySet    = 1 << 20 // bytes
	fetchTimeout = 10 * time.Second
)

// NewRemoteKeys checks the configuration and fetches nothing.
func NewRemoteKeys(config RemoteKeysConfig) (*RemoteKeys, error) {
	u, err := url.Parse(config.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !fetch.IsLoopback(u.Hostname())) {
		return nil, errors.New("idtoken: URL of the keys is not https")
	}
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&config.Cooldown, 3 * time.Second}, {&config.MaxAge, time.Hour}, {&config.MaxStale, 24 * time.Hour}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
		if *d.value < 0 {
			return nil, errors.New("idtoken: a duration of the keys is negative")
		}
	}
	r := &RemoteKeys{config: config, client: &http.Client{}, now: config.Clock, log: config.Logger}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.log = r.log.With("host", u.Host)
	if config.HTTPClient != nil {
		*r.client = *config.HTTPClient
	}
	r.client.Jar = nil
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if r.now == nil {
		r.now = time.Now
	}
	return r, nil
}

// Ready reports whether there are keys that may be used now, and fetches them if
// there are none.
func (r *RemoteKeys) Ready(ctx context.Context) error {
	if _, err := r.get(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

// VerifySignature implements [KeySource].
func (r *RemoteKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	return verifySignature(ctx, r, jwt)
}

func (r *RemoteKeys) verify(ctx context.Context, t *token) *Error {
	r.mu.Lock()
	before := r.begun
	r.mu.Unlock()
	keys, err := r.get(ctx)
	if err != nil {
		return unavailable(err)
	}
	refusal := keys.keys.verify(t, t.header.kid)
	if refusal == nil || keys.number > before {
		return refusal
	}
	// The issuer may have changed its keys since that fetch began. For a key
	// that is not there the next fetch is worth waiting for; anything else is
	// looked at again only if that costs no waiting.
	missing := keys.keys.lacks(t.header.kid)
	newer, err := r.after(ctx, before, missing)
	switch {
	case err != nil && (ctx.Err() != nil || missing):
		// The key may be there: nobody could look.
		return unavailable(err)
	case err != nil || newer == nil:
		return refusal
	}
	return newer.keys.verify(t, t.header.kid)
}

// get returns keys that may be used now.
func (r *RemoteKeys) get(ctx context.Context) (*published, error) {
	r.mu.Lock()
	kept, now := r.current, r.now()
	r.mu.Unlock()
	switch {
	case kept == nil:
		return r.after(ctx, 0, true)
	case now.Before(kept.freshTo):
		return kept, nil
	}
	fresh, err := r.after(ctx, kept.number, !now.Before(kept.usableTo))
	if fresh != nil {
		return fresh, nil
	}
	if now.Before(kept.usableTo) && ctx.Err() == nil {
		return kept, nil
	}
	return nil, err
}

// after returns keys of a fetch that began after the one with that number. It
// joins a fetch under way, and when that one is too old, looks once more. Inside
// the cool-down it waits for its end, or, without wait, returns nil; but after a
// fetch that failed it returns that error: an outage is not waited out here.
func (r *RemoteKeys) after(ctx context.Context, number uint64, wait bool) (*published, error) {
	waited := false
	for {
		f, pause := r.join(ctx, number, waited)
		if f == nil {
			if err := r.failure(); err != nil || !wait {
				return nil, err
			}
			if err := sleep(ctx, pause); err != nil {
				return nil, err
			}
			// Once is enough, also if the injected clock stands still.
			waited = true
			continue
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f.number > number {
			return f.result, f.err
		}
	}
}

// join returns the fetch to wait for, beginning one if none is under way, or how
// long the cool-down lasts for who has not waited for it.
func (r *RemoteKeys) join(ctx context.Context, number uint64, waited bool) (*flight, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil && r.current.number > number {
		done := make(chan struct{})
		close(done)
		return &flight{number: r.current.number, done: done, result: r.current}, 0
	}
	if r.flight != nil {
		return r.flight, 0
	}
	now := r.now()
	if pause := r.config.Cooldown - now.Sub(r.lastTime); r.begun > 0 && pause > 0 && !waited {
		return nil, pause
	}
	r.begun++
	r.lastTime = now
	f := &flight{number: r.begun, done: make(chan struct{})}
	r.flight = f
	go r.fetch(context.WithoutCancel(ctx), f)
	return f, 0
}

// failure returns why the last fetch failed, or nil.
func (r *RemoteKeys) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastErr
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fetch does not end with the first caller's context: others wait for it too.
func (r *RemoteKeys) fetch(ctx context.Context, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	all, maxAge, err := r.request(ctx)
	keys := newKeySet(all)
	if err != nil {
		r.log.WarnContext(ctx, "keys not fetched", "reason", reasonOf(err))
	} else {
		r.log.InfoContext(ctx, "keys fetched", "keys", len(keys))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		fresh := r.now().Add(maxAge)
		f.result = &published{keys: keys, recipients: all, number: f.number, freshTo: fresh, usableTo: fresh.Add(r.config.MaxStale)}
		r.current = f.result
	}
	f.err, r.lastErr = err, err
	r.flight = nil
	close(f.done)
}

// reasonOf describes a failed fetch without the URL, whose query is nobody's
// business.
func reasonOf(err error) string {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return err.Error()
}

func (r *RemoteKeys) request(ctx context.Context) ([]jwx.Key, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.config.URL, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("answer has status %d", resp.StatusCode)
	}
	if mediaType != "application/json" && mediaType != "application/jwk-set+json" {
		return nil, 0, errors.New("answer is not JSON by its content type")
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return nil, 0, err
	}
	if len(text) > maxKeySet {
		return nil, 0, errors.New("answer is larger than 1 MiB")
	}
	keys, err := jwx.ParseKeySet(text, maxKeys)
	if err != nil {
		return nil, 0, err
	}
	return keys, r.maxAge(resp.Header.Get("Cache-Control")), nil
}

// maxAge reads how long keys are fresh (RFC 9111 §5.2.2.1), within our bounds.
func (r *RemoteKeys) maxAge(cacheControl string) time.Duration {
	age := r.config.MaxAge
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
		switch {
		case strings.EqualFold(name, "no-store"), strings.EqualFold(name, "no-cache"):
			age = 0
		case strings.EqualFold(name, "max-age") && err == nil:
			age = min(age, time.Duration(seconds)*time.Second)
		}
	}
	return max(age, r.config.Cooldown)
}
