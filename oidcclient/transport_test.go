package oidcclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// fixedTokens gives the first token, and the second to who was refused with it.
type fixedTokens struct {
	first, second string
	failure       error
	key           *assertion.ProofKey
}

func (f *fixedTokens) AccessToken(_ context.Context, refused string) (oidcclient.AccessToken, error) {
	if refused == "" {
		return oidcclient.AccessToken{Value: f.first, ProofKey: f.key}, nil
	}
	return oidcclient.AccessToken{Value: f.second, ProofKey: f.key}, f.failure
}

// api answers 401 to every token but the good one, and repeats the body.
func api(t *testing.T, good string) (*httptest.Server, *[]string) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		seen = append(seen, r.Header.Get("Authorization")+" "+string(body))
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server, &seen
}

func TestTransport(t *testing.T) {
	for name, tt := range map[string]struct {
		tokens fixedTokens
		body   io.Reader
		status int
		seen   []string
	}{
		"accepted":                {fixedTokens{first: "good"}, nil, 200, []string{"Bearer good "}},
		"once more":               {fixedTokens{first: "old", second: "good"}, nil, 200, []string{"Bearer old ", "Bearer good "}},
		"once more with its body": {fixedTokens{first: "old", second: "good"}, strings.NewReader("x=y"), 200, []string{"Bearer old x=y", "Bearer good x=y"}},
		"only once":               {fixedTokens{first: "old", second: "bad"}, nil, 401, []string{"Bearer old ", "Bearer bad "}},
		"no other token":          {fixedTokens{first: "old", second: "old"}, nil, 401, []string{"Bearer old "}},
		"no token at all":         {fixedTokens{first: "old", failure: errors.New("dead")}, strings.NewReader("x"), 401, []string{"Bearer old x"}},
		"body that is gone":       {fixedTokens{first: "old", second: "good"}, io.MultiReader(strings.NewReader("x")), 401, []string{"Bearer old x"}},
	} {
		t.Run(name, func(t *testing.T) {
			server, seen := api(t, "good")
			client := &http.Client{Transport: &oidcclient.Transport{Tokens: &tt.tokens, Origins: []string{server.URL}}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api", tt.body)
			require.NoError(t, err)
			resp, err := client.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			assert.Equal(t, tt.status, resp.StatusCode)
			assert.Equal(t, tt.seen, *seen)
			assert.Empty(t, req.Header.Get("Authorization"), "a RoundTripper leaves the request as it is")
		})
	}
}

// closing tells whether a body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestTransportKeepsTheTokenAtItsOrigin(t *testing.T) {
	var got []string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.URL.String()+" "+r.Header.Get("Authorization"))
		status, header := 200, http.Header{}
		if r.URL.Path == "/away" {
			status = http.StatusFound
			header.Set("Location", "https://evil.example/")
		}
		return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}, nil
	})
	client := &http.Client{Transport: &oidcclient.Transport{
		Tokens: &fixedTokens{first: "token"}, Origins: []string{"https://api.example", "https://other.example:8443", "http://127.0.0.1:9", "http://plain.example"}, Base: base,
	}}
	for url, ok := range map[string]bool{
		"https://api.example/a": true, "https://API.example:443/a": true, "https://other.example:8443/": true, "http://127.0.0.1:9/x": true,
		"https://api.example:8443/": false, "http://api.example/": false, "https://other.example/": false, "https://api.example.evil.example/": false,
		"https://evil.example/": false, "http://plain.example/": false, "https://api.example/away": false,
	} {
		body := &closing{Reader: bytes.NewReader(nil)}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, body)
		require.NoError(t, err)
		resp, err := client.Do(req)
		if resp != nil {
			_ = resp.Body.Close()
		}
		assert.Equal(t, ok, err == nil, url)
		if err != nil {
			assert.NotContains(t, err.Error(), "token/")
			assert.True(t, body.closed || strings.HasSuffix(url, "/away"), url)
		}
	}
	for _, request := range got {
		assert.NotContains(t, request, "evil")
		assert.NotContains(t, request, "plain")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTransportOverASession(t *testing.T) {
	r, clock := newMovingRig(t, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	source := r.client.TokenSource(t.Context(), session, func(context.Context, *oidcclient.Session) error { return nil })
	server, seen := api(t, "never")
	client := &http.Client{Transport: &oidcclient.Transport{Tokens: source, Origins: []string{server.URL}}}
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, *seen, 2)
	assert.NotEqual(t, (*seen)[0], (*seen)[1], "it was refreshed after the first 401")
	clock.ahead.Add(int64(9 * time.Hour)) // its refresh token is over too
	_, err = client.Get(server.URL)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed)
	assert.True(t, failed.LoginAgain())
}

// However many ask at the end of a token, the provider is asked once.
func TestTokenSourceStampede(t *testing.T) {
	const callers = 1000
	for name, tt := range map[string]struct {
		reply *oidctest.Reply
		fails bool
	}{
		"fresh":    {},
		"short":    {reply: &oidctest.Reply{ContentType: "application/json", Times: -1, Body: `{"access_token":"short","token_type":"Bearer","expires_in":5,"refresh_token":"next"}`}},
		"outage":   {reply: &oidctest.Reply{Status: 503, Times: -1}, fails: true},
		"the end":  {reply: &oidctest.Reply{Status: 400, ContentType: "application/json", Body: `{"error":"invalid_grant"}`, Times: -1}, fails: true},
		"nonsense": {reply: &oidctest.Reply{ContentType: "text/html", Body: "<p>", Times: -1}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			r, clock := newMovingRig(t, nil)
			session, err := r.login(t.Context())
			require.NoError(t, err)
			if tt.reply != nil {
				r.op.Answer(oidctest.StepToken, *tt.reply)
			}
			before := len(r.op.Sent(oidctest.StepToken))
			source := r.client.TokenSource(t.Context(), session, func(context.Context, *oidcclient.Session) error { return nil })
			clock.ahead.Add(int64(session.Expiry().Sub(clock.Now())))
			var wait sync.WaitGroup
			for range callers {
				wait.Go(func() {
					_, err := source.Token()
					assert.Equal(t, tt.fails, err != nil, "%v", err)
				})
			}
			wait.Wait()
			assert.Equal(t, 1, len(r.op.Sent(oidctest.StepToken))-before)
			clock.ahead.Add(int64(time.Second))
			_, err = source.Token()
			assert.Equal(t, tt.fails, err != nil)
			again := 1
			if name == "outage" || name == "nonsense" {
				again = 2
			}
			assert.Equal(t, again, len(r.op.Sent(oidctest.StepToken))-before, "what is over is over, and the rest is tried again")
		})
	}
}

func TestTokenSourceWaitersGiveUp(t *testing.T) {
	r, clock := newMovingRig(t, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	entered, leave := make(chan struct{}), make(chan struct{})
	source := r.client.TokenSource(t.Context(), session, func(context.Context, *oidcclient.Session) error {
		close(entered)
		<-leave
		return nil
	})
	clock.ahead.Add(int64(session.Expiry().Sub(clock.Now())))
	ctx, giveUp := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := source.AccessToken(ctx, ""); done <- err }()
	<-entered
	giveUp()
	assert.ErrorIs(t, <-done, context.Canceled)
	close(leave)
	token, err := source.AccessToken(t.Context(), "")
	require.NoError(t, err, "it went on without the first caller")
	assert.Equal(t, source.Session().AccessToken(), token)
	assert.NotEqual(t, session.AccessToken(), token)
}

// While a token that is renewed ahead of its end is good, a refresh that fails
// fails nobody.
func TestTokenSourceRefreshAhead(t *testing.T) {
	r, clock := newMovingRig(t, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	source := r.client.TokenSource(t.Context(), session, func(context.Context, *oidcclient.Session) error { return nil })
	clock.ahead.Add(int64(session.RefreshAt().Sub(clock.Now())))
	r.op.Down(true)
	token, err := source.AccessToken(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, session.AccessToken(), token)
	_, err = source.AccessToken(t.Context(), token.Value)
	assert.Error(t, err, "but an API has refused this one")
}
