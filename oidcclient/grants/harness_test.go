package grants_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
)

const issuer = "https://op.example"

// provider is the network: what each path answers, one answer after the other, the
// last one again and again.
type provider struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	clock *clock

	kind   string            // media type of the answers
	before func(path string) // is called before an answer, or nil

	mu       sync.Mutex // guards what follows
	answers  map[string][]answer
	sent     map[string][]url.Values
	accepted map[string]string
}

type answer struct {
	status int
	body   string
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newProvider(t *testing.T) *provider {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &provider{
		t: t, key: key, clock: &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		kind:    "application/json",
		answers: map[string][]answer{}, sent: map[string][]url.Values{}, accepted: map[string]string{},
	}
}

func (p *provider) on(path string, answers ...answer) { p.answers[path] = answers }

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	if user, password, ok := r.BasicAuth(); ok {
		form.Set("basic", user+":"+password)
	}
	if p.before != nil {
		done := make(chan struct{})
		go func() {
			p.before(r.URL.Path)
			close(done)
		}()
		select {
		case <-done:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[r.URL.Path] = append(p.sent[r.URL.Path], form)
	p.accepted[r.URL.Path] = r.Header.Get("Accept")
	queue := p.answers[r.URL.Path]
	a := answer{status: http.StatusNotFound}
	if len(queue) > 0 {
		a = queue[0]
		if len(queue) > 1 {
			p.answers[r.URL.Path] = queue[1:]
		}
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {p.kind}}, Request: r, Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func (p *provider) client(change func(*oidcclient.Config)) *oidcclient.Client {
	p.t.Helper()
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: p.key.Public()}})
	require.NoError(p.t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(p.t, err)
	config := oidcclient.Config{
		Profile: oidcclient.Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: issuer, ClientID: "client", ClientSecret: "secret",
		Algorithm: "ES256", Keys: keys, HTTPClient: &http.Client{Transport: p}, Clock: p.clock.now,
		Provider: &oidcclient.ProviderMetadata{
			TokenEndpoint: issuer + "/token", DeviceAuthorizationEndpoint: issuer + "/device", BackchannelAuthenticationEndpoint: issuer + "/bc",
			IntrospectionEndpoint: issuer + "/introspect", RevocationEndpoint: issuer + "/revoke",
		},
	}
	if change != nil {
		change(&config)
	}
	c, err := oidcclient.New(config)
	require.NoError(p.t, err)
	return c
}

// tokens is a token response with an ID token that has these claims more, or less
// where one is nil.
func (p *provider) tokens(more map[string]any) answer {
	p.t.Helper()
	now := p.clock.now().Unix()
	claims := map[string]any{"iss": issuer, "aud": "client", "sub": "anna", "iat": now, "exp": now + 300}
	maps.Copy(claims, more)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	idToken := p.sign(`{"alg":"ES256","kid":"k"}`, claims)
	body, err := json.Marshal(map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": idToken})
	require.NoError(p.t, err)
	return answer{200, string(body)}
}

// sign signs claims under a header.
func (p *provider) sign(header string, claims map[string]any) string {
	p.t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(p.t, err)
	input := jose.Encode([]byte(header)) + "." + jose.Encode(payload)
	signature, err := jose.Sign(p.t.Context(), "ES256", p.key, input)
	require.NoError(p.t, err)
	return input + "." + jose.Encode(signature)
}

func refusal(code string) answer { return answer{400, `{"error":"` + code + `"}`} }
