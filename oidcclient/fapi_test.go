package oidcclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jose"
)

var fapiRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// fapiConfig is a configuration that leaves everything open, for a provider that
// can do everything.
func fapiConfig(profile FAPI) Config {
	return Config{
		Profile: Profile{Name: "test", Scopes: []string{"openid"}, RequiredScopes: []string{"openid"}}, FAPI: profile,
		Issuer: "https://op.example", ClientID: "client", RedirectURI: "https://rp.example/cb",
		Key: &assertion.Key{Signer: fapiRSA(), ID: "k"}, ClientCertificate: &tls.Certificate{},
		Provider: &ProviderMetadata{
			AuthorizationEndpoint: "https://op.example/authorize", TokenEndpoint: "https://op.example/token", JWKSURI: "https://op.example/jwks",
			PushedAuthorizationRequestEndpoint: "https://op.example/par", ResponseIssuerSupported: true, CertificateBoundAccessTokens: true,
			ResponseTypes: []string{"code", "code id_token"}, ResponseModes: []string{"query", "fragment", "jwt"},
			AuthMethods: []string{"private_key_jwt", "tls_client_auth"}, AuthAlgorithms: []string{"PS256", "ES256"},
			IDTokenAlgorithms: []string{"PS256"}, RequestObjectAlgorithms: []string{"PS256"}, ResponseAlgorithms: []string{"PS256"},
			CodeChallengeMethods: []string{"S256"}, DPoPAlgorithms: []string{"ES256"},
		},
	}
}

// What each profile chooses where a configuration leaves it open.
func TestFAPIChooses(t *testing.T) {
	for name, tt := range map[string]struct {
		profile     FAPI
		certificate bool
		change      func(*Config)
		carriage    Carriage
		kind, mode  string
		dpop        bool
		method      string
	}{
		"1":                           {FAPI1Advanced, true, nil, CarryObject, "code id_token", "", false, authPrivateKeyJWT},
		"1 signed responses":          {FAPI1Advanced, true, func(c *Config) { c.ResponseMode = "jwt" }, CarryObject, "code", "jwt", false, authPrivateKeyJWT},
		"1 code":                      {FAPI1Advanced, true, func(c *Config) { c.ResponseType = "code" }, CarryObject, "code", "jwt", false, authPrivateKeyJWT},
		"1 an algorithm of responses": {FAPI1Advanced, true, func(c *Config) { c.ResponseAlgorithm = "PS256" }, CarryObject, "code", "jwt", false, authPrivateKeyJWT},
		"1 nobody identified": {FAPI1Advanced, true, func(c *Config) {
			c.Profile, c.Scopes = Profile{Name: "test", Identity: IdentifyNobody}, []string{"accounts"}
		}, CarryObject, "code", "jwt", false, authPrivateKeyJWT},
		"2 an algorithm of responses": {FAPI2Security, false, func(c *Config) { c.ResponseAlgorithm = "PS256" }, CarryPushed, "code", "jwt", true, authPrivateKeyJWT},
		"1 pushed":                    {FAPI1Advanced, true, func(c *Config) { c.Carriage = CarryPushed }, CarryPushedObject, "code id_token", "", false, authPrivateKeyJWT},
		"2":                           {FAPI2Security, false, nil, CarryPushed, "code", "", true, authPrivateKeyJWT},
		"2 with a certificate":        {FAPI2Security, true, nil, CarryPushed, "code", "", false, authPrivateKeyJWT},
		"2 without a key":             {FAPI2Security, true, func(c *Config) { c.Key = nil }, CarryPushed, "code", "", false, authTLS},
		"2 with both":                 {FAPI2Security, true, func(c *Config) { c.DPoP = true }, CarryPushed, "code", "", true, authPrivateKeyJWT},
		"message signing":             {FAPI2MessageSigning, false, nil, CarryPushedObject, "code", "jwt", true, authPrivateKeyJWT},
		"plain responses":             {FAPI2MessageSigning, false, func(c *Config) { c.ResponseMode = "query" }, CarryPushedObject, "code", "query", true, authPrivateKeyJWT},
	} {
		t.Run(name, func(t *testing.T) {
			config := fapiConfig(tt.profile)
			if !tt.certificate {
				config.ClientCertificate = nil
			}
			if tt.change != nil {
				tt.change(&config)
			}
			c, err := New(config)
			require.NoError(t, err)
			assert.Equal(t, tt.profile, c.FAPI())
			assert.Equal(t, tt.carriage, c.cfg.Carriage)
			assert.Equal(t, tt.kind, c.cfg.responseType().name)
			assert.Equal(t, tt.mode, c.cfg.ResponseMode)
			assert.Equal(t, tt.dpop, c.cfg.DPoP)
			assert.Equal(t, tt.method, c.auth.method)
			assert.NotContains(t, c.algorithms, "RS256")
			if c.auth.signer != nil {
				assert.Equal(t, "PS256", c.auth.signer.Algorithm())
			}
		})
	}
}

// What takes effect counts, wherever it was said.
func TestFAPITakesWhatIsPermitted(t *testing.T) {
	for _, profile := range []FAPI{FAPI2Security, FAPI2MessageSigning} {
		config := fapiConfig(profile)
		config.DPoP, config.Provider.DPoPAlgorithms = true, []string{"ES384", "PS256"}
		config.Profile.Algorithms, config.Algorithm, config.IntrospectionAlgorithm = []string{"PS256", "RS256"}, "PS256", "ES256"
		config.Profile.Assertion.Audience, config.AssertionAudience = "token_endpoint", "issuer"
		c, err := New(config)
		require.NoError(t, err)
		pending, err := c.newPending(c.provider.Load(), BeginOptions{})
		require.NoError(t, err)
		assert.Equal(t, "PS256", openProofKey(pending.data.DPoPKey).get().Algorithm())
	}
}

// Each sentence refuses what contradicts it, and says so.
func TestFAPIRefusesConfigurations(t *testing.T) {
	small, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	one, two, signing := []FAPI{FAPI1Advanced}, []FAPI{FAPI2Security, FAPI2MessageSigning}, []FAPI{FAPI2MessageSigning}
	all := append(one, two...)
	for name, tt := range map[string]struct {
		profiles []FAPI
		change   func(*Config)
		field    string
		clause   string
	}{
		"ID tokens of RS256":  {all, func(c *Config) { c.Algorithm = "RS256" }, "Algorithm", "§"},
		"the profile's RS256": {all, func(c *Config) { c.Profile.Algorithms = []string{"PS256", "RS256"} }, "Algorithm", "§"},
		"answers of RS256":    {all, func(c *Config) { c.IntrospectionAlgorithm = "RS256" }, "IntrospectionAlgorithm", "§"},
		"answers of HS256": {all, func(c *Config) {
			c.IntrospectionAlgorithm, c.ClientSecret = "HS256", strings.Repeat("s", 32)
		}, "IntrospectionAlgorithm", "§"},
		"responses of RS256":      {signing, func(c *Config) { c.ResponseAlgorithm = "RS256" }, "ResponseAlgorithm", "§5.4.1"},
		"userinfo of RS256":       {all, func(c *Config) { c.UserInfoAlgorithm = "RS256" }, "UserInfoAlgorithm", "§"},
		"a key of RS256":          {all, func(c *Config) { c.Key.Algorithm = "RS256" }, "Key", "§"},
		"a key of ES384":          {all, func(c *Config) { c.Key = &assertion.Key{Signer: small} }, "Key", "§"},
		"a profile that deviates": {all, func(c *Config) { c.Profile.Deviations = []Deviation{{RuleBasicEncoding, "x", "x"}} }, "Profile", "§5"},
		"a secret":                {all, func(c *Config) { c.AuthMethod, c.ClientSecret = authBasic, "secret" }, "AuthMethod", "§5"},
		"no authentication":       {all, func(c *Config) { c.AuthMethod = authNone }, "AuthMethod", "§5"},
		"implicit":                {all, func(c *Config) { c.ResponseType = "id_token" }, "ResponseType", "§5"},
		"a token in front":        {one, func(c *Config) { c.ResponseType = "code id_token token" }, "ResponseType", "§5.2.2 no. 2"},
		"a plain code":            {one, func(c *Config) { c.ResponseType, c.ResponseMode = "code", "query" }, "ResponseType", "§5.2.2 no. 2"},
		"hybrid":                  {two, func(c *Config) { c.ResponseType, c.ResponseMode = "code id_token", "form_post" }, "ResponseType", "§5.3.3.2 no. 1"},
		"proofs":                  {one, func(c *Config) { c.DPoP = true }, "DPoP", "§5.2.2 no. 5"},
		"no certificate":          {one, func(c *Config) { c.ClientCertificate = nil }, "ClientCertificate", "§5.2.3 no. 1"},
		"requests not pushed":     {two, func(c *Config) { c.Carriage = CarryObject }, "Carriage", "§5.3.3.2 no. 2"},
		"another audience":        {two, func(c *Config) { c.AssertionAudience = "token_endpoint" }, "AssertionAudience", "§5.3.3.1 no. 5"},
		"the profile's audience":  {two, func(c *Config) { c.Profile.Assertion.Audience = "token_endpoint" }, "AssertionAudience", "§5.3.3.1 no. 5"},
		"unknown":                 {[]FAPI{FAPI(9)}, func(*Config) {}, "FAPI", "none of the constants"},
	} {
		for _, profile := range tt.profiles {
			t.Run(name+" "+profile.String(), func(t *testing.T) {
				config := fapiConfig(profile)
				tt.change(&config)
				_, err := New(config)
				var wrong *ConfigError
				require.ErrorAs(t, err, &wrong)
				assert.Equal(t, tt.field, wrong.Field)
				assert.Contains(t, wrong.Reason, tt.clause)
			})
		}
	}
}

// What the provider publishes is held against the profile: at once where it is given
// by hand, and when it is found otherwise. A client of no profile minds nothing of it.
func TestFAPIRefusesProviders(t *testing.T) {
	one, two, signing := []FAPI{FAPI1Advanced}, []FAPI{FAPI2Security, FAPI2MessageSigning}, []FAPI{FAPI1Advanced, FAPI2MessageSigning}
	all := append(one, two...)
	for name, tt := range map[string]struct {
		profiles []FAPI
		spoil    func(*ProviderMetadata)
		member   string
		clause   string
		dpop     bool
	}{
		"authentication":        {all, func(m *ProviderMetadata) { m.AuthMethods = []string{"client_secret_basic"} }, "token_endpoint_auth_methods_supported", "§5.", false},
		"assertions":            {all, func(m *ProviderMetadata) { m.AuthAlgorithms = []string{"RS256"} }, "token_endpoint_auth_signing_alg_values_supported", "§", false},
		"ID tokens":             {all, func(m *ProviderMetadata) { m.IDTokenAlgorithms = []string{"RS256"} }, "id_token_signing_alg_values_supported", "§", false},
		"request objects":       {signing, func(m *ProviderMetadata) { m.RequestObjectAlgorithms = []string{"RS256"} }, "request_object_signing_alg_values_supported", "§", false},
		"signed responses":      {[]FAPI{FAPI2MessageSigning}, func(m *ProviderMetadata) { m.ResponseAlgorithms = []string{"RS256"} }, "authorization_signing_alg_values_supported", "§5.4.1", false},
		"response modes":        {[]FAPI{FAPI2MessageSigning}, func(m *ProviderMetadata) { m.ResponseModes = []string{"query"} }, "response_modes_supported", "§5.4.1", false},
		"response types":        {all, func(m *ProviderMetadata) { m.ResponseTypes = []string{"id_token"} }, "response_types_supported", "§5.", false},
		"certificates":          {all, func(m *ProviderMetadata) { m.CertificateBoundAccessTokens = false }, "tls_client_certificate_bound_access_tokens", "§5.", false},
		"proofs":                {two, func(m *ProviderMetadata) { m.DPoPAlgorithms = []string{"ES512"} }, "dpop_signing_alg_values_supported", "§5.3.2.1", true},
		"plain challenges":      {two, func(m *ProviderMetadata) { m.CodeChallengeMethods = []string{"plain"} }, "code_challenge_methods_supported", "§5.3.2.2 no. 5", false},
		"no iss in its answers": {[]FAPI{FAPI2Security}, func(m *ProviderMetadata) { m.ResponseIssuerSupported = false }, "authorization_response_iss_parameter_supported", "§5.3.2.2 no. 7", false},
	} {
		for _, profile := range tt.profiles {
			t.Run(name+" "+profile.String(), func(t *testing.T) {
				config := fapiConfig(profile)
				config.DPoP = tt.dpop
				tt.spoil(config.Provider)
				_, err := New(config)
				var wrong *ConfigError
				require.ErrorAs(t, err, &wrong)
				assert.Equal(t, "Provider", wrong.Field)
				assert.True(t, strings.HasPrefix(wrong.Reason, tt.member+" "), wrong.Reason)
				assert.Contains(t, wrong.Reason, tt.clause)
			})
		}
	}
}

// Found metadata end in an error of the client's, which says the same.
func TestFAPIProviderThatIsFound(t *testing.T) {
	text := `{"issuer":"https://op.example","authorization_endpoint":"https://op.example/a","token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/j",
		"response_types_supported":["code"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["PS256"]}`
	network := &pushing{status: 200, kind: "application/json", body: text}
	config := fapiConfig(FAPI2Security)
	config.Provider, config.ClientCertificate, config.HTTPClient = nil, nil, network.client()
	c, err := New(config)
	require.NoError(t, err)
	_, _, err = c.Begin(t.Context(), BeginOptions{})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "fapi", e.Check)
	assert.Equal(t, StepDiscover, e.Step)
	assert.Contains(t, e.Reason, "pushed_authorization_request_endpoint is missing (FAPI 2.0 Security Profile §5.3.2.2 no. 2)")
}

// A request object says when it begins and ends to be good, at most an hour later, and
// for whom it is; an answer is vouched for with its state.
func TestFAPI1Login(t *testing.T) {
	r := newFrontRig(t, func(c *Config) {
		keys, clock := c.Keys, c.Clock
		*c = fapiConfig(FAPI1Advanced)
		c.Keys, c.Clock = keys, clock
		c.Algorithm, c.Provider.IDTokenAlgorithms = "ES256", nil
		c.ClientCertificate = &tls.Certificate{}
		c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("nobody is there")
		}}}
	})
	parts := strings.Split(r.asked.Get("request"), ".")
	require.Len(t, parts, 3)
	payload, err := jose.Decode(parts[1])
	require.NoError(t, err)
	var claims struct {
		Audience  string `json:"aud"`
		NotBefore int64  `json:"nbf"`
		Expiry    int64  `json:"exp"`
	}
	require.NoError(t, json.Unmarshal(payload, &claims))
	assert.Equal(t, "https://op.example", claims.Audience)
	assert.Equal(t, testNow.Unix(), claims.NotBefore)
	assert.LessOrEqual(t, claims.Expiry-claims.NotBefore, int64(3600))

	_, err = r.c.Complete(t.Context(), r.pending, r.values)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "s_hash", e.Check)
	spoilToken("s_hash", halfHash(r.pending.State()))(t, r)
	_, err = r.c.Complete(t.Context(), r.pending, r.values)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, StepExchange, e.Step, "and nobody is there to take the code")
}
