package oidcclient

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
)

// scriptedSource says what it is told to, and counts.
type scriptedSource struct {
	found FoundProvider
	err   error
	asked int
}

func (s *scriptedSource) FindProvider(context.Context, string) (*FoundProvider, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	found := s.found
	return &found, nil
}

const sourceIssuer = "https://op.example"

func newSource() *scriptedSource {
	return &scriptedSource{found: FoundProvider{
		Metadata: ProviderMetadata{
			Issuer: sourceIssuer, AuthorizationEndpoint: sourceIssuer + "/authorize", TokenEndpoint: sourceIssuer + "/token", JWKSURI: sourceIssuer + "/jwks",
		},
		Until: testNow.Add(time.Hour),
	}}
}

func sourceConfig(source ProviderSource) Config {
	return Config{
		Profile: Profile{Name: "sourced", Scopes: []string{"openid"}}, Issuer: sourceIssuer, ProviderSource: source, ClientID: "client",
		ClientSecret: "secret", RedirectURI: "https://rp.example/callback", Clock: func() time.Time { return testNow },
	}
}

func TestProviderSource(t *testing.T) {
	source := newSource()
	now := testNow
	config := sourceConfig(source)
	config.Clock = func() time.Time { return now }
	c, err := New(config)
	require.NoError(t, err)
	assert.Zero(t, source.asked)

	begin := func() string {
		auth, _, err := c.Begin(t.Context(), BeginOptions{})
		require.NoError(t, err)
		return auth.URL
	}
	assert.Contains(t, begin(), sourceIssuer+"/authorize?")
	begin()
	assert.Equal(t, 1, source.asked, "asked once, until it ends")
	first := c.current()

	now = testNow.Add(time.Hour)
	source.found.Until = now.Add(time.Hour)
	begin()
	assert.Equal(t, 2, source.asked)
	assert.Same(t, first, c.current(), "who says the same changes nothing")

	now = testNow.Add(2 * time.Hour)
	source.found.Until = now.Add(time.Hour)
	source.found.Metadata.AuthorizationEndpoint = sourceIssuer + "/other"
	assert.Contains(t, begin(), sourceIssuer+"/other?")

	now = testNow.Add(3 * time.Hour)
	source.err = refuse(StepDiscover, "trust_chain", "no")
	_, _, err = c.Begin(t.Context(), BeginOptions{})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "trust_chain", e.Check, "nobody is believed any longer")
}

// What was refused once is not taken for known when it is said again.
func TestProviderSourceSaysTheSameAgain(t *testing.T) {
	source := newSource()
	now := testNow
	config := sourceConfig(source)
	config.Clock = func() time.Time { return now }
	c, err := New(config)
	require.NoError(t, err)
	_, _, err = c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)

	now = testNow.Add(time.Hour)
	source.found.Until = now.Add(time.Hour)
	source.found.Metadata.CodeChallengeMethods = []string{"plain"}
	for range 2 {
		_, _, err = c.Begin(t.Context(), BeginOptions{})
		require.Error(t, err)
	}
}

func TestProviderSourceRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		check  string
		change func(*scriptedSource)
	}{
		"another issuer":     {"issuer", func(s *scriptedSource) { s.found.Metadata.Issuer += "/" }},
		"an endpoint inside": {"", func(s *scriptedSource) { s.found.Metadata.TokenEndpoint = "https://127.0.0.1/token" }},
		"no token endpoint":  {"", func(s *scriptedSource) { s.found.Metadata.TokenEndpoint = "" }},
		"no keys":            {"", func(s *scriptedSource) { s.found.Metadata.JWKSURI = "" }},
		"keys unreadable":    {"jwks", func(s *scriptedSource) { s.found.JWKS = []byte(`{}`) }},
		"no PKCE":            {"", func(s *scriptedSource) { s.found.Metadata.CodeChallengeMethods = []string{"plain"} }},
		"ended":              {"expired", func(s *scriptedSource) { s.found.Until = testNow }},
		"an error of theirs": {"", func(s *scriptedSource) { s.err = errors.New("no") }},
	} {
		t.Run(name, func(t *testing.T) {
			source := newSource()
			tt.change(source)
			c, err := New(sourceConfig(source))
			require.NoError(t, err)
			_, _, err = c.Begin(t.Context(), BeginOptions{})
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, StepDiscover, e.Step)
			assert.Equal(t, tt.check, e.Check)
		})
	}
}

func TestProviderSourceStandsAlone(t *testing.T) {
	keys, err := idtoken.PinnedKeys([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	require.NoError(t, err)
	for name, change := range map[string]func(*Config){
		"metadata":      func(c *Config) { c.Provider = &ProviderMetadata{} },
		"another place": func(c *Config) { c.DiscoveryURL = sourceIssuer + wellKnown },
		"keys":          func(c *Config) { c.Keys = keys },
		"registration":  func(c *Config) { c.ClientID, c.ClientSecret, c.Register = "", "", &RegistrationRequest{} },
	} {
		t.Run(name, func(t *testing.T) {
			config := sourceConfig(newSource())
			change(&config)
			_, err := New(config)
			var wrong *ConfigError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, "ProviderSource", wrong.Field)
		})
	}
}

// What is wrong with the provider's metadata is no refusal of the refresh token, which
// nobody has seen.
func TestRefreshWithoutAProviderEndsNoSession(t *testing.T) {
	session := &Session{data: sessionData{Version: sessionVersion, ClientID: "client", Issuer: sourceIssuer, Subject: "anna", AccessToken: "at", RefreshToken: "rt"}}
	for name, tt := range map[string]struct {
		until time.Time
		reply string
		again bool
	}{
		"refused":  {testNow.Add(time.Hour), `{"error":"invalid_grant"}`, true},
		"not sent": {testNow, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			source := newSource()
			source.found.Until = tt.until
			network := &pushing{status: 400, kind: "application/json", body: tt.reply}
			config := sourceConfig(source)
			config.HTTPClient = network.client()
			c, err := New(config)
			require.NoError(t, err)
			_, err = c.Refresh(t.Context(), session)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, FaultAnswer, refused.Fault)
			assert.Equal(t, tt.again, refused.LoginAgain(), err)
			assert.Equal(t, tt.again, len(network.sent) > 0)
		})
	}
}

// Tokens of the client's own stay bound to one key, whatever is found out about the
// provider meanwhile, as long as it takes the key's algorithm.
func TestOwnKeyOutlivesWhatWasFound(t *testing.T) {
	source, now := newSource(), testNow
	network := &pushing{status: 200, kind: "application/json", body: `{"access_token":"at","token_type":"DPoP"}`}
	config := sourceConfig(source)
	config.DPoP, config.HTTPClient, config.Clock = true, network.client(), func() time.Time { return now }
	c, err := New(config)
	require.NoError(t, err)
	strange := c.AccessToken(&oauth2.Token{AccessToken: "at"}).ProofKey
	require.NotNil(t, strange)
	_, err = strange.Sign(t.Context(), assertion.Proof{Method: "GET", URL: "https://api.example"})
	require.Error(t, err, "a token of somebody else's is not sent as if it were not bound")
	token, err := c.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}})
	require.NoError(t, err)
	first := c.AccessToken(token).ProofKey.Thumbprint()
	for _, tt := range []struct {
		takes []string
		same  bool
	}{{nil, true}, {[]string{"EdDSA", "ES256"}, true}, {[]string{"EdDSA"}, false}} {
		now = now.Add(2 * time.Hour)
		source.found.Until, source.found.Metadata.DPoPAlgorithms = now.Add(time.Hour), tt.takes
		before := c.current()
		token, err := c.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}})
		require.NoError(t, err)
		assert.Equal(t, tt.takes == nil, before == c.current())
		assert.Equal(t, tt.same, first == c.AccessToken(token).ProofKey.Thumbprint(), tt.takes)
	}
}
