package oidcclient

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hosts is a network that answers each URL, without its query, with the same.
type hosts struct {
	mu      sync.Mutex // guards what follows
	answers map[string]string
	status  map[string]int
	asked   map[string][]*http.Request
	bodies  map[string][]string
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	body := ""
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(text)
	}
	h.asked[at], h.bodies[at] = append(h.asked[at], r), append(h.bodies[at], body)
	status := h.status[at]
	if status == 0 {
		status = http.StatusOK
	}
	if _, there := h.answers[at]; !there {
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, Body: io.NopCloser(strings.NewReader(h.answers[at])),
	}, nil
}

const (
	webfingerPlace = "https://example.com/.well-known/webfinger"
	metadataPlace  = "https://op.example/tenant/.well-known/openid-configuration"
	registerPlace  = "https://op.example/register"
)

func newHosts() *hosts {
	return &hosts{
		answers: map[string]string{
			webfingerPlace: `{"subject":"acct:anna@example.com","links":[{"rel":"http://openid.net/specs/connect/1.0/issuer","href":"https://op.example/tenant"}]}`,
			metadataPlace:  `{"issuer":"https://op.example/tenant","authorization_endpoint":"https://op.example/a","token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/j","registration_endpoint":"` + registerPlace + `"}`,
			registerPlace:  `{"client_id":"given","client_secret":"s +/%","client_secret_expires_at":0}`,
		},
		status: map[string]int{registerPlace: http.StatusCreated}, asked: map[string][]*http.Request{}, bodies: map[string][]string{},
	}
}

func lateClient(t *testing.T, h *hosts, change func(*Config)) *Client {
	t.Helper()
	config := Config{
		Profile: Profile{Name: "test", Scopes: []string{"openid"}, RequiredScopes: []string{"openid"}},
		Account: "anna@example.com", Register: &RegistrationRequest{AccessToken: "initial"}, RedirectURI: "https://rp.example/cb",
		HTTPClient: &http.Client{Transport: h}, Clock: func() time.Time { return testNow },
	}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	require.NoError(t, err)
	return c
}

func TestClientThatIsCompletedLater(t *testing.T) {
	h := newHosts()
	c := lateClient(t, h, nil)
	assert.Empty(t, h.asked, "New asks nobody")
	assert.Empty(t, c.ClientID()+c.Issuer())
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			auth, pending, err := c.Begin(t.Context(), BeginOptions{})
			if !assert.NoError(t, err) {
				return
			}
			u, err := url.Parse(auth.URL)
			assert.NoError(t, err)
			assert.Equal(t, "given", u.Query().Get("client_id"))
			assert.Equal(t, "given", pending.ClientID())
		})
	}
	wait.Wait()
	assert.Equal(t, "given", c.ClientID())
	assert.Equal(t, "https://op.example/tenant", c.Issuer())
	require.Len(t, h.asked[webfingerPlace], 1)
	assert.Equal(t, "acct:anna@example.com", h.asked[webfingerPlace][0].URL.Query().Get("resource"))
	require.Len(t, h.asked[registerPlace], 1, "registered once, however many wait")
	assert.Equal(t, "Bearer initial", h.asked[registerPlace][0].Header.Get("Authorization"))
	var sent map[string]any
	require.NoError(t, json.Unmarshal([]byte(h.bodies[registerPlace][0]), &sent))
	assert.Equal(t, map[string]any{
		"application_type": "web", "redirect_uris": []any{"https://rp.example/cb"}, "response_types": []any{"code"},
		"grant_types": []any{"authorization_code", "refresh_token"}, "scope": "openid",
		"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "RS256",
	}, sent)
	assert.Equal(t, authBasic, c.current().auth.method)
	assert.Equal(t, "s +/%", c.current().auth.secret)
	_, err := c.Complete(t.Context(), &Pending{pendingData{Version: pendingVersion, ClientID: "another", Issuer: "https://op.example/tenant"}}, nil)
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "pending", refused.Check)
}

// What is registered follows from what the client does, with a browser and without.
func TestRegisteredFlows(t *testing.T) {
	const ciba, delivery = "urn:openid:params:grant-type:ciba", "backchannel_token_delivery_mode"
	for name, tt := range map[string]struct {
		change            func(*Config)
		redirects, grants []string
	}{
		"code":                      {func(*Config) {}, []string{"https://rp.example/cb"}, []string{"authorization_code", "refresh_token"}},
		"hybrid":                    {func(c *Config) { c.ResponseType = "code id_token" }, []string{"https://rp.example/cb"}, []string{"authorization_code", "refresh_token", "implicit"}},
		"code and a back channel":   {func(c *Config) { c.Register.Metadata = map[string]any{delivery: "poll"} }, []string{"https://rp.example/cb"}, []string{"authorization_code", "refresh_token", ciba}},
		"a back channel alone":      {func(c *Config) { c.RedirectURI, c.Register.Metadata = "", map[string]any{delivery: "poll"} }, []string{}, []string{ciba}},
		"nothing but own tokens":    {func(c *Config) { c.RedirectURI = "" }, []string{}, []string{"client_credentials"}},
		"what the application says": {func(c *Config) { c.Register.Metadata = map[string]any{"grant_types": []string{"x"}} }, []string{"https://rp.example/cb"}, []string{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := lateClient(t, newHosts(), tt.change).RegistrationMetadata()
			assert.Equal(t, tt.redirects, m["redirect_uris"])
			assert.Equal(t, tt.grants, m["grant_types"])
			assert.Len(t, m["response_types"], len(tt.redirects))
		})
	}
	secret := lateClient(t, newHosts(), func(c *Config) { c.AuthMethod = authSecretJWT })
	assert.Equal(t, "HS256", secret.RegistrationMetadata()["token_endpoint_auth_signing_alg"])
}

// What fails is tried again.
func TestCompletionIsTriedAgain(t *testing.T) {
	h := newHosts()
	good := maps.Clone(h.answers)
	c := lateClient(t, h, nil)
	for _, place := range []string{webfingerPlace, metadataPlace, registerPlace} {
		h.answers = maps.Clone(good)
		delete(h.answers, place)
		_, _, err := c.Begin(t.Context(), BeginOptions{})
		require.Error(t, err, place)
		require.Error(t, c.Ready(t.Context()))
	}
	h.answers = good
	_, _, err := c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
}

// A secret that ends makes a new registration.
func TestRegistrationThatEnds(t *testing.T) {
	h := newHosts()
	h.answers[registerPlace] = `{"client_id":"first","client_secret":"s","client_secret_expires_at":1767323105}`
	now := time.Unix(1767323105-120, 0)
	c := lateClient(t, h, func(c *Config) { c.Clock = func() time.Time { return now } })
	_, pending, err := c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	assert.Equal(t, "first", pending.ClientID())
	h.answers[registerPlace] = `{"client_id":"second","client_secret":"s","client_secret_expires_at":0}`
	now = now.Add(119 * time.Second)
	_, pending, err = c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	assert.Equal(t, "first", pending.ClientID())
	now = now.Add(time.Second)
	_, pending, err = c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	assert.Equal(t, "second", pending.ClientID())
}

// What was registered is held against what was asked for.
func TestWhatWasRegistered(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		change func(*Config)
		check  string
		method string
	}{
		"as asked":                     {`{"client_id":"c","client_secret":"s","redirect_uris":["https://rp.example/cb"],"response_types":["code"],"id_token_signed_response_alg":"RS256"}`, nil, "", authBasic},
		"another method":               {`{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_post"}`, nil, "", authPost},
		"another method, chosen":       {`{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_post"}`, func(c *Config) { c.AuthMethod = authBasic }, "token_endpoint_auth_method", ""},
		"no authentication":            {`{"client_id":"c","token_endpoint_auth_method":"none"}`, nil, "token_endpoint_auth_method", ""},
		"a secret that ended":          {`{"client_id":"c","client_secret":"s","client_secret_expires_at":1}`, nil, "client_secret_expires_at", ""},
		"no secret":                    {`{"client_id":"c"}`, nil, "configuration", ""},
		"no signature":                 {`{"client_id":"c","client_secret":"s","id_token_signed_response_alg":"none"}`, nil, "id_token_signed_response_alg", ""},
		"another redirect URI":         {`{"client_id":"c","client_secret":"s","redirect_uris":["https://rp.example/cb1"]}`, nil, "redirect_uris", ""},
		"another response type":        {`{"client_id":"c","client_secret":"s","response_types":["id_token"]}`, nil, "response_types", ""},
		"an algorithm of another kind": {`{"client_id":"c","client_secret":"s","id_token_signed_response_alg":["RS256"]}`, nil, "id_token_signed_response_alg", ""},
		"a number":                     {`{"client_id":"c","client_secret":"s","redirect_uris":1}`, nil, "redirect_uris", ""},
		"another scope":                {`{"client_id":"c","client_secret":"s","scope":"openid email"}`, nil, "", authBasic},
		"null":                         {`{"client_id":"c","client_secret":"s","redirect_uris":null}`, nil, "", authBasic},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHosts()
			h.answers[registerPlace] = tt.answer
			c := lateClient(t, h, tt.change)
			_, _, err := c.Begin(t.Context(), BeginOptions{})
			if tt.check == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.method, c.current().auth.method)
				return
			}
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.check, refused.Check)
			assert.Equal(t, FaultProvider, refused.Fault)
			_, _, err = c.Begin(t.Context(), BeginOptions{})
			require.ErrorAs(t, err, &refused)
			assert.Len(t, h.asked[registerPlace], 1, "not made anew with each login")
		})
	}
}

// Registrations that can't be used do not pile up at the provider, however many log in.
func TestRegistrationsThatCannotBeUsed(t *testing.T) {
	h, now := newHosts(), testNow
	good := h.answers[registerPlace]
	h.answers[registerPlace] = `{"client_id":"c","client_secret":"s","response_types":["id_token"]}`
	c := lateClient(t, h, func(c *Config) { c.Clock = func() time.Time { return now } })
	for range 24 * 60 {
		_, _, err := c.Begin(t.Context(), BeginOptions{})
		require.Error(t, err)
		now = now.Add(time.Minute)
	}
	assert.Len(t, h.asked[registerPlace], 7+22, "after 0, 1, 3, 7, 15, 31 and 63 minutes, and each hour from then on")
	h.answers[registerPlace] = good
	now = now.Add(registrationRestsMost)
	_, _, err := c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
}

// The issuer of an account is only its host's word: discovery has to confirm it, and an
// address inside a network is none.
func TestIssuerOfAnAccount(t *testing.T) {
	for name, spoil := range map[string]func(*hosts){
		"another issuer in its metadata": func(h *hosts) {
			h.answers[metadataPlace] = strings.Replace(h.answers[metadataPlace], `"https://op.example/tenant"`, `"https://op.example/tenant1"`, 1)
		},
		"no https": func(h *hosts) {
			h.answers[webfingerPlace] = strings.Replace(h.answers[webfingerPlace], "https://op.example", "http://op.example", 1)
		},
		"an address": func(h *hosts) {
			h.answers[webfingerPlace] = strings.Replace(h.answers[webfingerPlace], "op.example", "10.0.0.1", 1)
		},
		"no issuer": func(h *hosts) { h.answers[webfingerPlace] = `{"links":[]}` },
		"no registering": func(h *hosts) {
			h.answers[metadataPlace] = strings.Replace(h.answers[metadataPlace], "registration_endpoint", "other", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHosts()
			spoil(h)
			_, _, err := lateClient(t, h, nil).Begin(t.Context(), BeginOptions{})
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, FaultProvider, refused.Fault)
			assert.Empty(t, h.asked[registerPlace])
		})
	}
}

func TestLateConfigurations(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		field  string
	}{
		"account and issuer":       {func(c *Config) { c.Issuer = "https://op.example" }, "Account"},
		"account and metadata":     {func(c *Config) { c.Provider = &ProviderMetadata{} }, "Account"},
		"no account":               {func(c *Config) { c.Account = "an na" }, "Account"},
		"registered twice":         {func(c *Config) { c.ClientID = "c" }, "Register"},
		"with a secret":            {func(c *Config) { c.ClientSecret = "s" }, "Register"},
		"metadata that are none":   {func(c *Config) { c.Register.Metadata = map[string]any{"a": func() {}} }, "Register"},
		"a key that is needed":     {func(c *Config) { c.AuthMethod = authPrivateKeyJWT }, "Key"},
		"what is wrong in any way": {func(c *Config) { c.ResponseMode = "x" }, "ResponseMode"},
	} {
		config := Config{
			Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Account: "anna@example.com", Register: &RegistrationRequest{}, RedirectURI: "https://rp.example/cb",
		}
		tt.change(&config)
		_, err := New(config)
		var wrong *ConfigError
		require.ErrorAs(t, err, &wrong, name)
		assert.Equal(t, tt.field, wrong.Field, name)
	}
}

// RFC 8414 puts the place before the path of the issuer; the document has to name the
// issuer all the same.
func TestMetadataOfRFC8414(t *testing.T) {
	const place = "https://op.example/.well-known/oauth-authorization-server/tenant"
	h := newHosts()
	h.answers[place] = h.answers[metadataPlace]
	delete(h.answers, metadataPlace)
	known := func(c *Config) {
		c.Account, c.Register, c.Issuer, c.ClientID, c.ClientSecret, c.DiscoveryURL = "", nil, "https://op.example/tenant", "c", "s", place
	}
	_, _, err := lateClient(t, h, known).Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	assert.Len(t, h.asked[place], 1)
	h.answers[place] = strings.Replace(h.answers[place], `"https://op.example/tenant"`, `"https://op.example"`, 1)
	_, _, err = lateClient(t, h, known).Begin(t.Context(), BeginOptions{})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "issuer", refused.Check)
}
