package oidcclient

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/corpus"
)

// eachCase runs a test for every case of a kind.
func eachCase(t *testing.T, kind corpus.Kind, test func(*testing.T, corpus.Case)) {
	t.Helper()
	cases, err := kind.Load(corpus.Files())
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { test(t, c) })
	}
}

// corpusSealer has the key of the corpus.
func corpusSealer(t testing.TB) *Sealer {
	key, err := fs.ReadFile(corpus.Files(), "keys/sealing.txt")
	require.NoError(t, err)
	s, err := NewSealer(key)
	require.NoError(t, err)
	return s
}

// corpusState is the state of the corpus's logins.
const corpusState = "state-of-this-login"

// secrets are what no error may show.
func secrets() []string {
	return []string{
		"code-of-this-login", corpusState, "access-token-of-this-login", "verifier-", "nonce-of-this-login",
		"<script", "<html", "alert(1)", "Set-Cookie", "evil.example", "passwd", "secret", "deined_ssecca", "slow down", "aaaaaaaa", "\n", "\r", "\x00",
	}
}

// assertQuiet looks for secrets and a provider's words in an error's causes.
func assertQuiet(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		assert.Less(t, len(err.Error()), 300)
		for _, secret := range secrets() {
			assert.NotContains(t, err.Error(), secret)
		}
	}
}

// verdict names what became of a case, as the corpus does.
func verdict(err error) string {
	var config *ConfigError
	var refused *Error
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrSealed):
		return "sealed"
	case errors.As(err, &config):
		return "config"
	case !errors.As(err, &refused):
		return err.Error()
	case refused.Check != "":
		return refused.Check
	case refused.Step == StepDiscover && refused.Fault == FaultOutage:
		return "outage"
	case refused.Step == StepCallback && refused.Code != "":
		return "error"
	case refused.Step == StepExchange && refused.Code == "invalid_grant":
		return "ok" // the code was sent
	}
	return string(refused.Step)
}

// withMembers puts further members into a JSON object.
func withMembers(t *testing.T, body, count string) string {
	if count == "" {
		return body
	}
	n, err := strconv.Atoi(count)
	require.NoError(t, err)
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"m%06d":0,`, i)
	}
	return b.String() + body[1:]
}

func TestCorpusMetadata(t *testing.T) {
	eachCase(t, corpus.Metadata(), func(t *testing.T, c corpus.Case) {
		status := http.StatusOK
		if c.Field("status") != "" {
			var err error
			status, err = strconv.Atoi(c.Field("status"))
			require.NoError(t, err)
		}
		contentType := c.Field("content-type")
		if contentType == "" {
			contentType = "application/json"
		}
		body, where := withMembers(t, c.Input, c.Field("members")), "https://op.example"
		var asked []string
		config := staticClient(t, nil).cfg
		config.Provider = nil
		config.HTTPClient = &http.Client{Transport: answers(func(r *http.Request) (int, string, string) {
			asked = append(asked, r.Method+" "+r.URL.String())
			return status, contentType, body
		})}
		if issuer := c.Field("issuer"); issuer != "" {
			config.Issuer = issuer
		}
		if c.Field("location") != "" {
			where = c.Field("location")
			config.DiscoveryURL = where + wellKnown
		}
		client, err := New(config)
		if err == nil {
			err = known(t.Context(), client)
			assert.Equal(t, []string{"GET " + where + wellKnown}, asked, "one request and no other")
		}
		assert.Equal(t, c.Expect, verdict(err), "%v", err)
		if c.Expect == "ok" {
			return
		}
		assertQuiet(t, err)
		var refused *Error
		if errors.As(err, &refused) {
			assert.Contains(t, refused.Reason, c.Field("reason"))
			assert.Equal(t, c.Expect == "outage", refused.Retryable())
			_, _, err = client.Begin(t.Context(), BeginOptions{})
			assert.Error(t, err, "nobody is sent to a provider that is not believed")
			assert.Len(t, asked, 2)
		}
	})
}

// corpusClient is the client that the corpus's logins were begun with. Each
// request to the provider is counted and refused.
func corpusClient(t testing.TB, asked *int, change func(*Config)) *Client {
	t.Helper()
	config := Config{
		Profile: Profile{Name: "corpus", Scopes: []string{"openid"}, RequiredScopes: []string{"openid"}},
		Issuer:  "https://op.example", ClientID: "client-1", ClientSecret: "secret-of-the-client", RedirectURI: "https://rp.example/callback/op",
		Provider: &ProviderMetadata{
			AuthorizationEndpoint: "https://op.example/authorize", TokenEndpoint: "https://op.example/token", JWKSURI: "https://op.example/jwks",
		},
		Clock: func() time.Time { return testNow },
		HTTPClient: &http.Client{Transport: answers(func(r *http.Request) (int, string, string) {
			*asked++
			if r.Method != http.MethodPost || r.URL.String() != "https://op.example/token" {
				return http.StatusTeapot, "", ""
			}
			return http.StatusBadRequest, "application/json", `{"error":"invalid_grant","error_description":"<script>secret"}`
		})},
	}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	require.NoError(t, err)
	return c
}

// corpusPending is the login that the corpus's callbacks answer.
func corpusPending() *Pending {
	return &Pending{pendingData{
		Version: pendingVersion, ClientID: "client-1", Issuer: "https://op.example", RedirectURI: "https://rp.example/callback/op",
		State: corpusState, Nonce: "nonce-of-this-login", Verifier: strings.Repeat("verifier-", 5), Scopes: []string{"openid"}, ExpiresAt: testNow.Add(10 * time.Minute),
	}}
}

// Which method an answer came by, and whether it came before, only a handler can
// see: package weblogin asks that of the same cases.
func TestCorpusCallback(t *testing.T) {
	eachCase(t, corpus.Callback(), func(t *testing.T, c corpus.Case) {
		asked := 0
		client := corpusClient(t, &asked, func(config *Config) {
			config.Provider.ResponseIssuerSupported = c.Field("advertised") == "yes"
			if c.Field("now") != "" {
				now, err := strconv.ParseInt(c.Field("now"), 10, 64)
				require.NoError(t, err)
				config.Clock = func() time.Time { return time.Unix(now, 0) }
			}
		})
		values, err := url.ParseQuery(c.Input)
		if c.Expect == "query" {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		session, err := client.Complete(t.Context(), corpusPending(), values)
		assert.Nil(t, session)
		assertQuiet(t, err)
		want, requests := c.Expect, 0
		if c.Expect == "response_mode" || c.Expect == "replay" {
			want = "ok"
		}
		if want == "ok" {
			requests = 1
		}
		assert.Equal(t, want, verdict(err), "%v", err)
		assert.Equal(t, requests, asked, "requests to the provider")
		if c.Expect == "error" {
			var refused *Error
			require.True(t, errors.As(err, &refused))
			assert.Equal(t, c.Field("code"), refused.Code)
		}
	})
}

func TestCorpusPending(t *testing.T) {
	sealer := corpusSealer(t)
	eachCase(t, corpus.Pending(), func(t *testing.T, c corpus.Case) {
		asked := 0
		client := corpusClient(t, &asked, nil)
		pending, err := sealer.OpenPending(c.Input)
		if err == nil {
			_, err = client.Complete(t.Context(), pending, url.Values{"code": {"code-of-this-login"}, "state": {corpusState}})
		} else {
			assert.Nil(t, pending)
		}
		assert.Equal(t, c.Expect, verdict(err), "%v", err)
		assertQuiet(t, err)
		if c.Expect == "ok" {
			assert.Equal(t, 1, asked)
			return
		}
		assert.Zero(t, asked, "nothing is sent for a login that is refused")
	})
}
