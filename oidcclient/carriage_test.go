package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jose"
)

// pushing is the network of a client that pushes its requests.
type pushing struct {
	status int
	kind   string // media type
	body   string
	sent   []*http.Request
	forms  []url.Values
}

const pushEndpoint = "https://op.example/par"

func (p *pushing) RoundTrip(r *http.Request) (*http.Response, error) {
	text := []byte(nil)
	if r.Body != nil {
		var err error
		if text, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	p.sent, p.forms = append(p.sent, r), append(p.forms, form)
	return &http.Response{StatusCode: p.status, Header: http.Header{"Content-Type": {p.kind}}, Body: io.NopCloser(strings.NewReader(p.body)), Request: r}, nil
}

func (p *pushing) client() *http.Client { return &http.Client{Transport: p} }

func goodPush() *pushing {
	return &pushing{status: 201, kind: "application/json", body: `{"request_uri":"urn:ietf:params:oauth:request_uri:1","expires_in":60}`}
}

// opened verifies a request object and returns its claims.
func opened(t *testing.T, key *ecdsa.PrivateKey, object string) map[string]any {
	t.Helper()
	parts := strings.Split(object, ".")
	require.Len(t, parts, 3)
	signature, err := jose.Decode(parts[2])
	require.NoError(t, err)
	require.NoError(t, jose.Verify("ES256", key.Public(), parts[0]+"."+parts[1], signature))
	payload, err := jose.Decode(parts[1])
	require.NoError(t, err)
	claims := map[string]any{}
	require.NoError(t, json.Unmarshal(payload, &claims))
	return claims
}

func TestCarriage(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	const pushed = "urn:ietf:params:oauth:request_uri:1"
	for name, tt := range map[string]struct {
		carriage Carriage
		required bool // by the provider's metadata
		visible  url.Values
		beside   []string // further parameters in the URL
		object   string   // where the request object is: "url", "push", "served"
	}{
		"plain":                 {CarryQuery, false, nil, nil, ""},
		"object":                {CarryObject, false, url.Values{"client_id": {"client"}, "response_type": {"code"}, "scope": {"openid"}}, []string{"request"}, "url"},
		"reference":             {CarryReference, false, url.Values{"client_id": {"client"}, "response_type": {"code"}, "scope": {"openid"}, "request_uri": {"https://rp.example/r/1"}}, nil, "served"},
		"pushed":                {CarryPushed, false, url.Values{"client_id": {"client"}, "request_uri": {pushed}}, nil, ""},
		"pushed object":         {CarryPushedObject, false, url.Values{"client_id": {"client"}, "request_uri": {pushed}}, nil, "push"},
		"plain, as demanded":    {CarryQuery, true, url.Values{"client_id": {"client"}, "request_uri": {pushed}}, nil, ""},
		"object, as demanded":   {CarryObject, true, url.Values{"client_id": {"client"}, "request_uri": {pushed}}, nil, "push"},
		"reference not allowed": {CarryReference, true, url.Values{"client_id": {"client"}, "request_uri": {pushed}}, nil, "push"},
	} {
		t.Run(name, func(t *testing.T) {
			network := goodPush()
			c := staticClient(t, func(c *Config) {
				c.Carriage, c.HTTPClient = tt.carriage, &http.Client{Transport: network}
				c.Key = &assertion.Key{Signer: key, ID: "k1"}
				c.Provider.PushedAuthorizationRequestEndpoint, c.Provider.RequirePushedAuthorizationRequests = pushEndpoint, tt.required
			})
			opts := BeginOptions{Claims: `{"userinfo":{"email":null}}`, Resources: []string{"https://a.example", "https://b.example"}}
			if tt.carriage == CarryReference {
				opts.RequestURI = "https://rp.example/r/1"
			}
			auth, pending, err := c.Begin(t.Context(), opts)
			require.NoError(t, err)
			u, err := url.Parse(auth.URL)
			require.NoError(t, err)
			seen := u.Query()
			require.Equal(t, "7", seen.Get("tenant"), "the endpoint's own parameter stays")
			seen.Del("tenant")
			object := auth.Object
			if tt.visible == nil {
				assert.Equal(t, pending.State(), seen.Get("state"))
				assert.Empty(t, network.sent)
				return
			}
			for _, parameter := range tt.beside {
				object = seen.Get(parameter)
				seen.Del(parameter)
			}
			assert.Equal(t, tt.visible, seen)
			all := map[string]any{}
			if tt.required || tt.carriage.pushed() {
				require.Len(t, network.sent, 1)
				assert.Equal(t, pushEndpoint, network.sent[0].URL.String())
				user, password, ok := network.sent[0].BasicAuth()
				assert.Equal(t, []any{"client", "secret", true}, []any{user, password, ok}, "authenticated as every request")
				assert.Equal(t, "client", network.forms[0].Get("client_id"))
				object = network.forms[0].Get("request")
				for parameter := range network.forms[0] {
					all[parameter] = network.forms[0].Get(parameter)
				}
			}
			if tt.object != "" {
				all = opened(t, key, object)
				assert.Equal(t, "https://op.example", all["aud"])
				assert.Equal(t, "client", all["iss"])
				assert.Equal(t, map[string]any{"userinfo": map[string]any{"email": nil}}, all["claims"])
				assert.Equal(t, []any{"https://a.example", "https://b.example"}, all["resource"])
			}
			assert.Equal(t, pending.State(), all["state"])
			assert.Equal(t, "https://rp.example/cb", all["redirect_uri"])
			assert.NotEmpty(t, all["code_challenge"])
			assert.Equal(t, tt.object == "served", auth.Object != "")
		})
	}
}

func TestPushRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		answer pushing
		fault  Fault
		says   string
	}{
		"not 201":           {pushing{status: 200, kind: "application/json", body: `{"request_uri":"urn:x","expires_in":60}`}, FaultProvider, "not 201"},
		"an error":          {pushing{status: 400, kind: "application/json", body: `{"error":"invalid_request","error_description":"<script>"}`}, FaultProvider, "provider said invalid_request"},
		"down":              {pushing{status: 503}, FaultOutage, "503"},
		"no JSON by type":   {pushing{status: 201, kind: "text/html", body: `{"request_uri":"urn:x","expires_in":60}`}, FaultProvider, "content type"},
		"no JSON":           {pushing{status: 201, kind: "application/json", body: `{"request_uri":"urn:x","request_uri":"urn:y","expires_in":60}`}, FaultProvider, "strict JSON"},
		"no request_uri":    {pushing{status: 201, kind: "application/json", body: `{"expires_in":60}`}, FaultProvider, "request_uri"},
		"empty request_uri": {pushing{status: 201, kind: "application/json", body: `{"request_uri":"","expires_in":60}`}, FaultProvider, "request_uri"},
		"spaces in it":      {pushing{status: 201, kind: "application/json", body: `{"request_uri":"urn: x","expires_in":60}`}, FaultProvider, "request_uri"},
		"a number":          {pushing{status: 201, kind: "application/json", body: `{"request_uri":1,"expires_in":60}`}, FaultProvider, "request_uri"},
		"too long":          {pushing{status: 201, kind: "application/json", body: `{"request_uri":"urn:` + strings.Repeat("x", maxRequestURI) + `","expires_in":60}`}, FaultProvider, "request_uri"},
		"no expires_in":     {pushing{status: 201, kind: "application/json", body: `{"request_uri":"urn:x"}`}, FaultProvider, "expires_in"},
		"expired":           {pushing{status: 201, kind: "application/json", body: `{"request_uri":"urn:x","expires_in":0}`}, FaultProvider, "expires_in"},
	} {
		t.Run(name, func(t *testing.T) {
			c := staticClient(t, func(c *Config) {
				c.Carriage, c.HTTPClient = CarryPushed, &http.Client{Transport: &tt.answer}
				c.Provider.PushedAuthorizationRequestEndpoint = pushEndpoint
			})
			_, pending, err := c.Begin(t.Context(), BeginOptions{})
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Nil(t, pending)
			assert.Equal(t, StepPush, failed.Step)
			assert.Equal(t, tt.fault, failed.Fault)
			assert.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "<script>")
		})
	}
}

func TestCarriageIsChecked(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"pushed without an endpoint":   func(c *Config) { c.Carriage, c.Profile.Discovery = CarryPushed, DiscoverNever },
		"signed without a key":         func(c *Config) { c.Carriage = CarryObject },
		"no carriage":                  func(c *Config) { c.Carriage = CarryPushedObject + 1 },
		"a form without its profile":   func(c *Config) { c.Carriage = CarrySignedForm },
		"another than the profile's":   func(c *Config) { c.Carriage, c.Profile.Carriage = CarryPushed, CarrySignedForm },
		"encrypted but not signed":     func(c *Config) { c.Carriage, c.RequestEncryption = CarryPushed, &assertion.Encryption{} },
		"max age of each login twice":  func(c *Config) { c.Authorize.MinACR = "x" },
		"claims that are none":         func(c *Config) { c.Authorize.Claims = "[]" },
		"details that are none":        func(c *Config) { c.Authorize.AuthorizationDetails = `[{"actions":["x"]}]` },
		"details of nothing":           func(c *Config) { c.Authorize.AuthorizationDetails = `[]` },
		"a relative resource":          func(c *Config) { c.Authorize.Resources = []string{"/api"} },
		"a resource with a fragment":   func(c *Config) { c.Authorize.Resources = []string{"https://api.example/#x"} },
		"no prompt beside another":     func(c *Config) { c.Authorize.Prompt = []string{"none", "login"} },
		"a scope of two words":         func(c *Config) { c.Authorize.Scopes = []string{"a b"} },
		"a place for one login's only": func(c *Config) { c.Authorize.RequestURI = "https://rp.example/r" },
	} {
		config := Config{
			Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret",
			RedirectURI: "https://rp.example/cb", Provider: &ProviderMetadata{AuthorizationEndpoint: "https://op.example/a", TokenEndpoint: "https://op.example/t", JWKSURI: "https://op.example/j"},
		}
		change(&config)
		_, err := New(config)
		var wrong *ConfigError
		assert.ErrorAs(t, err, &wrong, name)
	}
	c := staticClient(t, nil)
	_, _, err := c.Begin(t.Context(), BeginOptions{RequestURI: "https://rp.example/r/1"})
	assert.ErrorContains(t, err, "need each other")
	demanding := staticClient(t, func(c *Config) { c.Provider.RequirePushedAuthorizationRequests = true })
	_, _, err = demanding.Begin(t.Context(), BeginOptions{})
	assert.ErrorContains(t, err, "no endpoint for pushed requests")
}

// What a login asks for goes before what each asks for.
func TestAuthorizeDefaults(t *testing.T) {
	c := staticClient(t, func(c *Config) {
		c.Authorize = BeginOptions{
			Prompt: []string{"login"}, LoginHint: "anna", UILocales: []string{"nb"}, Resources: []string{"https://a.example"},
			Scopes: []string{"email"}, Params: url.Values{"x": {"1"}, "y": {"1"}},
		}
	})
	ask := func(opts BeginOptions) url.Values {
		auth, _, err := c.Begin(t.Context(), opts)
		require.NoError(t, err)
		u, err := url.Parse(auth.URL)
		require.NoError(t, err)
		return u.Query()
	}
	q := ask(BeginOptions{})
	assert.Equal(t, []string{"login", "anna", "nb", "https://a.example", "openid email", "1"},
		[]string{q.Get("prompt"), q.Get("login_hint"), q.Get("ui_locales"), q.Get("resource"), q.Get("scope"), q.Get("x")})
	q = ask(BeginOptions{Prompt: []string{"consent"}, LoginHint: "bo", UILocales: []string{"en"}, Resources: []string{"https://b.example"}, Scopes: []string{"phone"}, Params: url.Values{"x": {"2"}}})
	assert.Equal(t, []string{"consent", "bo", "en", "https://b.example", "openid email phone", "2", "1"},
		[]string{q.Get("prompt"), q.Get("login_hint"), q.Get("ui_locales"), q.Get("resource"), q.Get("scope"), q.Get("x"), q.Get("y")})
}

// A profile whose requests say who sends them lets a configuration choose another way
// that does.
func TestCarriageThatAProfileAllows(t *testing.T) {
	all := []Carriage{CarryQuery, CarrySignedForm, CarryObject, CarryReference, CarryPushed, CarryPushedObject}
	for profile, chosen := range map[Carriage][]Carriage{
		CarryQuery:        {CarryQuery, CarryObject, CarryReference, CarryPushed, CarryPushedObject},
		CarrySignedForm:   {CarryQuery, CarrySignedForm},
		CarryObject:       {CarryQuery, CarryObject, CarryReference, CarryPushed, CarryPushedObject},
		CarryPushedObject: {CarryQuery, CarryPushedObject},
	} {
		for _, c := range all {
			assert.Equal(t, slices.Contains(chosen, c), profile.allows(c), "%d under %d", c, profile)
		}
	}
}

// Request objects go unsigned only where that was said in so many words, nothing demands
// a signature, and anybody can read it in the list of deviations.
func TestUnsignedRequestObjects(t *testing.T) {
	c := staticClient(t, func(c *Config) { c.Carriage, c.RequestAlgorithm = CarryObject, "none" })
	auth, pending, err := c.Begin(t.Context(), BeginOptions{LoginHint: "anna"})
	require.NoError(t, err)
	sent, err := url.Parse(auth.URL)
	require.NoError(t, err)
	parts := strings.Split(sent.Query().Get("request"), ".")
	require.Len(t, parts, 3)
	assert.Empty(t, parts[2])
	header, err := jose.Decode(parts[0])
	require.NoError(t, err)
	assert.JSONEq(t, `{"alg":"none","typ":"oauth-authz-req+jwt"}`, string(header))
	payload, err := jose.Decode(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	assert.Equal(t, []any{"https://op.example", "client", pending.State(), "anna"}, []any{claims["aud"], claims["iss"], claims["state"], claims["login_hint"]})
	assert.False(t, sent.Query().Has("state"), "it is inside")
	assert.Equal(t, RuleRequestSignature, c.Deviations()[0].Rule)
	assert.Equal(t, "none", c.RegistrationMetadata()["request_object_signing_alg"])
	c.provider.Load().RequirePushedAuthorizationRequests = true
	c.provider.Load().PushedAuthorizationRequestEndpoint = "https://op.example/par"
	_, _, err = c.Begin(t.Context(), BeginOptions{})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, FaultProvider, refused.Fault)

	for name, change := range map[string]func(*Config){
		"another algorithm": func(c *Config) { c.RequestAlgorithm = "ES256" },
		"no object":         func(c *Config) { c.Carriage = CarryQuery },
		"pushed":            func(c *Config) { c.Carriage = CarryPushedObject },
		"encrypted": func(c *Config) {
			c.RequestEncryption = &assertion.Encryption{Algorithm: "RSA-OAEP", Encoding: "A256GCM"}
		},
		"FAPI":              func(c *Config) { c.FAPI = FAPI1Advanced },
		"its profile signs": func(c *Config) { c.Profile.Carriage = CarryObject },
	} {
		config := Config{
			Profile: Profile{Name: "test"}, Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret", RedirectURI: "https://rp.example/cb",
			Carriage: CarryObject, RequestAlgorithm: "none",
		}
		_, err := New(config)
		require.NoError(t, err)
		change(&config)
		_, err = New(config)
		var wrong *ConfigError
		require.ErrorAs(t, err, &wrong, name)
		assert.Equal(t, "RequestAlgorithm", wrong.Field, name)
	}
}
