package idtoken

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jwksServer is an http.RoundTripper in the place of an issuer's jwks_uri.
type jwksServer struct {
	mu      sync.Mutex
	answer  func() (status int, contentType, cacheControl, body string)
	fetches atomic.Int32
}

func (s *jwksServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.fetches.Add(1)
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	status, contentType, cacheControl, body := answer()
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}, "Cache-Control": {cacheControl}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func (s *jwksServer) publish(cacheControl, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func() (int, string, string, string) { return 200, "application/json", cacheControl, body }
}

func (s *jwksServer) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func() (int, string, string, string) { return 0, "", "", "" }
}

// movingClock is a clock that a test moves.
type movingClock struct{ now atomic.Int64 }

func (c *movingClock) Now() time.Time          { return time.Unix(0, c.now.Load()) }
func (c *movingClock) Advance(d time.Duration) { c.now.Add(int64(d)) }

type remoteRig struct {
	*testing.T
	server jwksServer
	clock  movingClock
	keys   *RemoteKeys
}

func newRemoteRig(t *testing.T, cooldown time.Duration) *remoteRig {
	r := &remoteRig{T: t}
	r.clock.now.Store(testNow.UnixNano())
	r.server.publish("", string(testJWKS(t)))
	var err error
	r.keys, err = NewRemoteKeys(RemoteKeysConfig{
		URL: "https://op.example/jwks", HTTPClient: &http.Client{Transport: &r.server}, Clock: r.clock.Now, Cooldown: cooldown,
	})
	require.NoError(t, err)
	return r
}

// check verifies a token with that kid.
func (r *remoteRig) check(kid string) error {
	_, err := r.keys.VerifySignature(r.Context(), signed(r.T, with(goodHeader(), "kid", kid), goodClaims()))
	return err
}

func (r *remoteRig) jwksAs(kid string) string {
	return `{"keys":[` + publicJWK(r.T, testKey(), `"kid":"`+kid+`"`) + `]}`
}

func TestRemoteKeysAreFetchedOnce(t *testing.T) {
	r := newRemoteRig(t, time.Hour)
	assert.EqualValues(t, 0, r.server.fetches.Load(), "nothing is fetched before it is needed")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { assert.NoError(t, r.check("one")) })
	}
	all.Wait()
	assert.EqualValues(t, 1, r.server.fetches.Load())
}

func TestRemoteKeysAge(t *testing.T) {
	for cacheControl, fresh := range map[string]time.Duration{
		"":                       time.Hour,
		"max-age=60":             time.Minute,
		"public, max-age=60":     time.Minute,
		"max-age=999999":         time.Hour,
		"max-age=0":              3 * time.Second,
		"no-store":               3 * time.Second,
		"max-age=60, no-cache":   3 * time.Second,
		"max-age=x":              time.Hour,
		`max-age="60"`:           time.Minute,
		"s-maxage=5, max-age=60": time.Minute,
	} {
		t.Run(cacheControl, func(t *testing.T) {
			r := newRemoteRig(t, 3*time.Second)
			r.server.publish(cacheControl, string(testJWKS(t)))
			require.NoError(t, r.check("one"))
			r.clock.Advance(fresh - time.Nanosecond)
			require.NoError(t, r.check("one"))
			assert.EqualValues(t, 1, r.server.fetches.Load())
			r.clock.Advance(time.Nanosecond)
			require.NoError(t, r.check("one"))
			assert.EqualValues(t, 2, r.server.fetches.Load())
		})
	}
}

func TestRemoteKeysRotation(t *testing.T) {
	r := newRemoteRig(t, time.Millisecond)
	require.NoError(t, r.check("one"))
	r.server.publish("", r.jwksAs("two"))
	r.clock.Advance(time.Millisecond)
	require.NoError(t, r.check("two"), "an unknown kid is looked up")
	assert.EqualValues(t, 2, r.server.fetches.Load())
	r.clock.Advance(time.Millisecond)
	assert.Error(t, r.check("one"), "a withdrawn key is forgotten")
}

func TestRemoteKeysCoolDown(t *testing.T) {
	r := newRemoteRig(t, time.Hour)
	require.NoError(t, r.check("one"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for range 10 {
		_, err := r.keys.VerifySignature(ctx, signed(t, with(goodHeader(), "kid", "forged"), goodClaims()))
		var refusal *Error
		require.True(t, errors.As(err, &refusal))
		assert.True(t, refusal.Retryable(), "who gave up waiting was told nothing about the token")
	}
	forged := signed(t, goodHeader(), goodClaims())
	for range 10 {
		_, err := r.keys.VerifySignature(t.Context(), forged[:strings.LastIndex(forged, ".")+1]+strings.Repeat("A", 86))
		assert.ErrorContains(t, err, "signature")
	}
	assert.EqualValues(t, 1, r.server.fetches.Load())
	r.clock.Advance(time.Hour)
	assert.ErrorContains(t, r.check("forged"), "key")
	assert.EqualValues(t, 2, r.server.fetches.Load())
}

func TestRemoteKeysWaitEndsWithAStandingClock(t *testing.T) {
	r := newRemoteRig(t, 10*time.Millisecond)
	require.NoError(t, r.check("one"))
	r.server.publish("", r.jwksAs("two"))
	require.NoError(t, r.check("two"), "found after the cool-down")
}

func TestRemoteKeysUnknownKidDuringAnOutage(t *testing.T) {
	r := newRemoteRig(t, time.Millisecond)
	require.NoError(t, r.check("one"))
	r.server.fail()
	r.clock.Advance(time.Millisecond)
	var refusal *Error
	require.True(t, errors.As(r.check("two"), &refusal))
	assert.True(t, refusal.Retryable(), "nobody could look whether the key is there")
	require.NoError(t, r.check("one"))
}

func TestRemoteKeysSurviveAnOutage(t *testing.T) {
	r := newRemoteRig(t, time.Millisecond)
	require.NoError(t, r.check("one"))
	r.server.fail()
	r.clock.Advance(time.Hour)
	require.NoError(t, r.check("one"), "the last keys stay good")
	r.clock.Advance(24 * time.Hour)
	err := r.check("one")
	var refusal *Error
	require.True(t, errors.As(err, &refusal), "but not for ever: %v", err)
	assert.True(t, refusal.Retryable())
	r.server.publish("", string(testJWKS(t)))
	r.clock.Advance(time.Millisecond)
	require.NoError(t, r.check("one"))
}

func TestRemoteKeysBadAnswers(t *testing.T) {
	good := string(testJWKS(t))
	for name, answer := range map[string]func() (int, string, string, string){
		"404":      func() (int, string, string, string) { return 404, "application/json", "", good },
		"redirect": func() (int, string, string, string) { return 302, "", "", "" },
		"HTML":     func() (int, string, string, string) { return 200, "text/html", "", good },
		"not JSON": func() (int, string, string, string) { return 200, "application/json", "", "<html>" },
		"no keys":  func() (int, string, string, string) { return 200, "application/json", "", "{}" },
		"huge": func() (int, string, string, string) {
			return 200, "application/json", "", good + strings.Repeat(" ", maxKeySet)
		},
		"keys a map": func() (int, string, string, string) { return 200, "application/json", "", `{"keys":{}}` },
		"too many": func() (int, string, string, string) {
			return 200, "application/json", "", `{"keys":[` + strings.Repeat(`{},`, maxKeys) + `{}]}`
		},
		"double names": func() (int, string, string, string) { return 200, "application/json", "", `{"keys":[],"keys":[]}` },
	} {
		r := newRemoteRig(t, time.Millisecond)
		r.server.answer = answer
		err := r.check("one")
		var refusal *Error
		require.True(t, errors.As(err, &refusal), name)
		assert.True(t, refusal.Retryable(), name)
	}
}

func TestRemoteKeysFirstCallerGivesUp(t *testing.T) {
	r := newRemoteRig(t, time.Hour)
	good, arrived, release := string(testJWKS(t)), make(chan struct{}), make(chan struct{})
	r.server.answer = func() (int, string, string, string) {
		close(arrived)
		<-release
		return 200, "application/json", "", good
	}
	token := signed(t, goodHeader(), goodClaims())
	first, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := r.keys.VerifySignature(first, token)
		gaveUp <- err
	}()
	<-arrived
	var others sync.WaitGroup
	for range 63 {
		others.Go(func() {
			_, err := r.keys.VerifySignature(t.Context(), token)
			assert.NoError(t, err)
		})
	}
	cancel()
	assert.ErrorIs(t, <-gaveUp, context.Canceled)
	close(release)
	others.Wait()
	assert.EqualValues(t, 1, r.server.fetches.Load())
}

func TestRemoteKeysURL(t *testing.T) {
	for _, bad := range []string{"", "http://op.example/jwks", "ftp://op.example", "https://u:p@op.example", "/jwks"} {
		_, err := NewRemoteKeys(RemoteKeysConfig{URL: bad})
		assert.Error(t, err, bad)
	}
	for _, bad := range []RemoteKeysConfig{{Cooldown: -1}, {MaxAge: -1}, {MaxStale: -1}} {
		bad.URL = "https://op.example/jwks"
		_, err := NewRemoteKeys(bad)
		assert.Error(t, err)
	}
}

// A good beginning is no answer.
func TestRemoteKeysBrokenOff(t *testing.T) {
	whole := string(testJWKS(t))
	keys, err := NewRemoteKeys(RemoteKeysConfig{URL: "https://op.example/jwks", HTTPClient: &http.Client{Transport: brokenOff(whole)}})
	require.NoError(t, err)
	_, err = keys.VerifySignature(t.Context(), signed(t, goodHeader(), goodClaims()))
	var refusal *Error
	require.True(t, errors.As(err, &refusal))
	assert.True(t, refusal.Unavailable)
}

// brokenOff answers with its text and then an error.
type brokenOff string

func (b brokenOff) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(string(b)), iotest.ErrReader(io.ErrUnexpectedEOF))
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(body), Request: r}, nil
}

func TestKeyChoice(t *testing.T) {
	one := func(more string) string { return publicJWK(t, testKey(), more) }
	other := `{"kty":"EC","crv":"P-256","kid":"x","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`
	for name, tt := range map[string]struct {
		keys    string
		kid     any
		refused Check
	}{
		"by kid":               {one(`"kid":"one"`), "one", 0},
		"broken beside":        {`{"kty":"XX"},7,` + other + `,` + one(`"kid":"one"`), "one", 0},
		"no kid, one key":      {one(`"use":"sig"`), nil, 0},
		"no kid, others other": {one(`"use":"sig"`) + "," + one(`"use":"enc"`), nil, 0},
		"no kid, two keys":     {one(`"kid":"a"`) + "," + one(`"kid":"b"`), nil, CheckKey},
		"kid not there":        {one(`"kid":"a"`), "one", CheckKey},
		"for encryption":       {one(`"kid":"one","use":"enc"`), "one", CheckKey},
		"ops":                  {one(`"kid":"one","key_ops":["sign"]`), "one", CheckKey},
		"ops verify":           {one(`"kid":"one","key_ops":["verify"]`), "one", 0},
		"another alg":          {one(`"kid":"one","alg":"ES384"`), "one", CheckKey},
		"private":              {one(`"kid":"one","d":"` + strings.Repeat("A", 43) + `"`), "one", CheckKey},
		"same kid twice":       {one(`"kid":"one"`) + "," + one(`"kid":"one","alg":"ES256"`), "one", 0},
		"same kid five times":  {strings.TrimSuffix(strings.Repeat(one(`"kid":"one"`)+",", 5), ","), "one", CheckKey},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemoteRig(t, time.Nanosecond)
			r.server.publish("", `{"keys":[`+tt.keys+`]}`)
			_, err := r.keys.VerifySignature(t.Context(), signed(t, with(goodHeader(), "kid", tt.kid), goodClaims()))
			if tt.refused == 0 {
				require.NoError(t, err)
				return
			}
			var refusal *Error
			require.True(t, errors.As(err, &refusal), "%v", err)
			assert.Equal(t, tt.refused, refusal.Check)
		})
	}
}

// While the issuer can't be reached nobody waits for the end of the cool-down.
func TestRemoteKeysOutageIsNotWaitedOut(t *testing.T) {
	r := newRemoteRig(t, time.Hour)
	r.server.fail()
	for range 100 {
		require.Error(t, r.check("one"))
	}
	assert.EqualValues(t, 1, r.server.fetches.Load())
	r.server.publish("", string(testJWKS(t)))
	r.clock.Advance(time.Hour)
	require.NoError(t, r.check("one"))
}

func TestRemoteKeysReadiness(t *testing.T) {
	r := newRemoteRig(t, time.Second)
	r.server.fail()
	err := r.keys.Ready(t.Context())
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CheckKey, refused.Check)
	assert.True(t, refused.Retryable())
	r.server.publish("", `{"keys":[]}`)
	r.clock.Advance(time.Minute)
	require.NoError(t, r.keys.Ready(t.Context()))
	r.server.fail()
	r.clock.Advance(2 * time.Hour)
	assert.NoError(t, r.keys.Ready(t.Context()), "the last keys outlast an outage")
}
