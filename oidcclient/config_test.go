package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/fetch"
)

func TestNewNamesTheWrongField(t *testing.T) {
	minusOne := -time.Second
	tests := map[string]struct {
		change    func(*Config)
		wantField string
	}{
		"no profile":                 {func(c *Config) { c.Profile = Profile{} }, "Profile"},
		"unlisted deviation":         {func(c *Config) { c.Profile.NoPKCE = true }, "Profile"},
		"deviation without reason":   {func(c *Config) { c.Profile.Deviations = []Deviation{{Rule: RulePKCE}} }, "Profile"},
		"no issuer":                  {func(c *Config) { c.Issuer = "" }, "Issuer"},
		"http issuer":                {func(c *Config) { c.Issuer = "http://op.example" }, "Issuer"},
		"issuer with query":          {func(c *Config) { c.Issuer = "https://op.example?x" }, "Issuer"},
		"issuer with fragment":       {func(c *Config) { c.Issuer = "https://op.example#x" }, "Issuer"},
		"issuer with password":       {func(c *Config) { c.Issuer = "https://a:b@op.example" }, "Issuer"},
		"party id":                   {func(c *Config) { c.Issuer = "did:ishare:EU.NL.NTRNL-1" }, "Issuer"},
		"tenant":                     {func(c *Config) { c.Tenant = &Tenant{DNS: "a.example", Community: "c"} }, "Tenant"},
		"metadata of another":        {func(c *Config) { c.Provider.Issuer = "https://other.example" }, "Provider"},
		"http endpoint":              {func(c *Config) { c.Provider.TokenEndpoint = "http://op.example/token" }, "Provider"},
		"discovery elsewhere":        {func(c *Config) { c.DiscoveryURL = "https://op.example/metadata" }, "DiscoveryURL"},
		"discovery by http":          {func(c *Config) { c.DiscoveryURL = "http://op.example" + wellKnown }, "DiscoveryURL"},
		"never discovered":           {func(c *Config) { c.Profile.Discovery, c.Provider = DiscoverNever, nil }, "Provider"},
		"userinfo nowhere":           {func(c *Config) { c.Profile.Discovery, c.UserInfo = DiscoverNever, true }, "Provider"},
		"no client id":               {func(c *Config) { c.ClientID = "" }, "ClientID"},
		"no secret":                  {func(c *Config) { c.ClientSecret = "" }, "ClientSecret"},
		"short secret for HS256":     {func(c *Config) { c.AuthMethod = "client_secret_jwt" }, "ClientSecret"},
		"http redirect":              {func(c *Config) { c.RedirectURI = "http://rp.example/cb" }, "RedirectURI"},
		"relative redirect":          {func(c *Config) { c.RedirectURI = "/cb" }, "RedirectURI"},
		"http logout redirect":       {func(c *Config) { c.PostLogoutRedirectURI = "http://rp.example/" }, "PostLogoutRedirectURI"},
		"no openid":                  {func(c *Config) { c.Scopes = []string{"email"} }, "Scopes"},
		"two scopes in one":          {func(c *Config) { c.Scopes = []string{"openid", "a b"} }, "Scopes"},
		"unknown method":             {func(c *Config) { c.AuthMethod = "client_secret" }, "AuthMethod"},
		"method not of the profile":  {func(c *Config) { c.Profile.AuthMethods = []string{"client_secret_basic"}; c.AuthMethod = "none" }, "AuthMethod"},
		"no key":                     {func(c *Config) { c.AuthMethod = "private_key_jwt" }, "Key"},
		"key with another algorithm": {func(c *Config) { c.AuthMethod = "private_key_jwt"; c.Key = ecKey("RS256") }, "Key"},
		"no certificate":             {func(c *Config) { c.AuthMethod = "tls_client_auth" }, "ClientCertificate"},
		"response mode":              {func(c *Config) { c.ResponseMode = "okay" }, "ResponseMode"},
		"max age":                    {func(c *Config) { c.MaxAge = &minusOne }, "MaxAge"},
		"max age of 32 bits":         {func(c *Config) { tooLong := 1 << 31 * time.Second; c.MaxAge = &tooLong }, "MaxAge"},
		"encryption without object":  {func(c *Config) { c.RequestEncryption = &assertion.Encryption{} }, "RequestEncryption"},
		"anchors without chain":      {func(c *Config) { c.TrustAnchors = make([]*x509.Certificate, 1) }, "TrustAnchors"},
		"chain without anchors":      {func(c *Config) { c.Profile.Keys = KeysFromCertificates }, "TrustAnchors"},
		"unverified without legacy":  {func(c *Config) { c.InsecureAcceptUnverified = true }, "UnverifiedLegacyIdentity"},
		"algorithm none":             {func(c *Config) { c.Algorithm = "none" }, "Algorithm"},
		"algorithm HS without bits":  {func(c *Config) { c.Algorithm = "HS256" }, "Algorithm"},
		"algorithm not of profile":   {func(c *Config) { c.Profile.Algorithms = []string{"ES256"}; c.Algorithm = "RS256" }, "Algorithm"},
		"transport with a key":       {func(c *Config) { c.RootCAs = x509.NewCertPool(); c.HTTPClient = &http.Client{Transport: answers(nil)} }, "HTTPClient"},
		"patience":                   {func(c *Config) { c.LoginLifetime = 2 * time.Hour }, "LoginLifetime"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config := Config{
				Profile:  Profile{Name: "test", Scopes: []string{"openid"}, RequiredScopes: []string{"openid"}},
				Issuer:   "https://op.example",
				ClientID: "client", ClientSecret: "s3cr3t", RedirectURI: "https://rp.example/cb",
				Provider: &ProviderMetadata{
					AuthorizationEndpoint: "https://op.example/authorize",
					TokenEndpoint:         "https://op.example/token",
					JWKSURI:               "https://op.example/jwks",
				},
			}
			_, err := New(config)
			require.NoError(t, err, "the base configuration is good")
			tt.change(&config)
			client, err := New(config)
			assert.Nil(t, client)
			var wrong *ConfigError
			require.True(t, errors.As(err, &wrong), "%v", err)
			assert.Equal(t, tt.wantField, wrong.Field, wrong.Reason)
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func ecKey(alg string) *assertion.Key {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &assertion.Key{Signer: key, Algorithm: alg}
}

func TestNewCopiesItsConfiguration(t *testing.T) {
	config := Config{
		Profile: Profile{Name: "test", Scopes: []string{"openid"}},
		Issuer:  "https://op.example", ClientID: "client", ClientSecret: "secret", RedirectURI: "https://rp.example/cb",
		Provider:        &ProviderMetadata{TokenEndpoint: "https://op.example/t", DPoPAlgorithms: []string{"ES256"}, MTLSEndpointAliases: &EndpointAliases{}},
		Key:             &assertion.Key{Certificates: make([]*x509.Certificate, 1)},
		ClaimsProviders: []ClaimsProvider{{Issuer: "https://claims.example", Algorithms: []string{"ES256"}, Keys: noKeys{}}},
	}
	c, err := New(config)
	require.NoError(t, err)
	config.Provider.DPoPAlgorithms[0], config.Provider.MTLSEndpointAliases.TokenEndpoint = "changed", "changed"
	config.Key.Certificates[0], config.ClaimsProviders[0].Algorithms[0] = &x509.Certificate{}, "changed"
	assert.Equal(t, []string{"ES256"}, c.cfg.Provider.DPoPAlgorithms)
	assert.Empty(t, c.cfg.Provider.MTLSEndpointAliases.TokenEndpoint)
	assert.Nil(t, c.cfg.Key.Certificates[0])
	assert.Equal(t, []string{"ES256"}, c.cfg.ClaimsProviders[0].Algorithms)
	config.Profile.Scopes[0] = "changed"
	config.Provider.TokenEndpoint = "https://evil.example"
	assert.Equal(t, "https://op.example/t", c.cfg.Provider.TokenEndpoint)
	assert.Equal(t, []string{"openid"}, c.Profile().Scopes)
	c.Profile().Scopes[0] = "changed"
	assert.Equal(t, []string{"openid"}, c.Profile().Scopes)
}

// What a request object can say is accepted.
func TestLongestMaxAge(t *testing.T) {
	longest := (1<<31 - 1) * time.Second
	_, err := New(Config{
		Profile: Profile{Name: "test", Scopes: []string{"openid"}}, MaxAge: &longest,
		Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret", RedirectURI: "https://rp.example/cb",
	})
	require.NoError(t, err)
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{"https://a.example", "https://a.example:8443/x?y", "http://127.0.0.1:80/x", "http://[::1]/", "http://localhost:1"} {
		_, err := fetch.CheckURL(good)
		assert.NoError(t, err, good)
	}
	for _, bad := range []string{
		"", "a.example", "//a.example", "https:a.example", "https://", "http://a.example", "http://localhost.evil.example",
		"http://127.0.0.1.evil.example", "http://10.0.0.1", "https://u@a.example", "https://a.example#f", "https://a.example#",
		"ftp://a.example", "file:///etc/passwd", "javascript:alert(1)", "https://a.example/\x00",
	} {
		_, err := fetch.CheckURL(bad)
		assert.Error(t, err, bad)
	}
}

// A client without a browser needs the provider's keys where something is signed for it,
// and says so before anybody is asked.
func TestKeysOfAClientWithoutABrowser(t *testing.T) {
	const op = "https://op.example"
	for name, tt := range map[string]struct {
		change func(*Config)
		needs  bool
	}{
		"its own tokens":   {func(*Config) {}, false},
		"a device":         {func(c *Config) { c.Provider.DeviceAuthorizationEndpoint = op + "/device" }, true},
		"the back channel": {func(c *Config) { c.Provider.BackchannelAuthenticationEndpoint = op + "/bc" }, true},
		"signed answers":   {func(c *Config) { c.IntrospectionAlgorithm = "RS256" }, true},
		"by the secret":    {func(c *Config) { c.IntrospectionAlgorithm = "HS256" }, false},
		"nobody at a device": {func(c *Config) {
			c.Provider.DeviceAuthorizationEndpoint, c.Profile.Identity, c.Profile.Scopes = op+"/device", IdentifyNobody, []string{"a"}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{
				Profile: Profile{Name: "test", Scopes: []string{"openid"}, Discovery: DiscoverNever}, Issuer: op, ClientID: "client",
				ClientSecret: strings.Repeat("s", 32), Provider: &ProviderMetadata{TokenEndpoint: op + "/token"},
			}
			tt.change(&config)
			_, err := New(config)
			if !tt.needs {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "jwks_uri")
			config.Provider.JWKSURI = op + "/jwks"
			_, err = New(config)
			require.NoError(t, err)
		})
	}
}
