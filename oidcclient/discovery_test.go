package oidcclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/fetch"
)

// answers is an http.RoundTripper that is the whole network of a test.
type answers func(*http.Request) (status int, contentType, body string)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	status, contentType, body := f(r)
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func discoveringClient(t *testing.T, network answers, change func(*Config)) *Client {
	t.Helper()
	return staticClient(t, func(c *Config) {
		c.Provider = nil
		c.HTTPClient = &http.Client{Transport: network}
		if change != nil {
			change(c)
		}
	})
}

const goodMetadata = `{"issuer":"https://op.example","authorization_endpoint":"https://op.example/a","token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/j","extra":[{}]}`

func TestDiscovery(t *testing.T) {
	huge := `{"issuer":"https://op.example","x":"` + strings.Repeat("x", fetch.MaxAnswer) + `"}`
	replace := func(old, new string) string { return strings.Replace(goodMetadata, old, new, 1) }
	tests := map[string]struct {
		status      int
		contentType string
		body        string
		wantReason  string
		wantFault   Fault
	}{
		"good":                      {200, "application/json; charset=utf-8", goodMetadata, "", 0},
		"down":                      {0, "", "", "not reached", FaultOutage},
		"503":                       {503, "text/plain", "", "can't answer now", FaultOutage},
		"404":                       {404, "application/json", goodMetadata, "not 200", FaultProvider},
		"redirect":                  {302, "", "", "not 200", FaultProvider},
		"HTML with 200":             {200, "text/html", goodMetadata, "not JSON", FaultProvider},
		"no content type":           {200, "", goodMetadata, "not JSON", FaultProvider},
		"HTML as JSON":              {200, "application/json", "<html>", "strict JSON", FaultProvider},
		"huge":                      {200, "application/json", huge, "larger", FaultProvider},
		"issuer with slash":         {200, "application/json", replace(`op.example"`, `op.example/"`), "another issuer", FaultProvider},
		"issuer of another":         {200, "application/json", replace(`op.example"`, `evil.example"`), "another issuer", FaultProvider},
		"issuer missing":            {200, "application/json", replace(`"issuer"`, `"isuer"`), "another issuer", FaultProvider},
		"issuer in other case":      {200, "application/json", replace(`"issuer"`, `"Issuer"`), "another issuer", FaultProvider},
		"issuer twice":              {200, "application/json", replace(`{`, `{"issuer":"https://evil.example",`), "strict JSON", FaultProvider},
		"http endpoint":             {200, "application/json", replace(`https://op.example/t`, `http://op.example/t`), "token_endpoint", FaultProvider},
		"endpoint on loopback":      {200, "application/json", replace(`https://op.example/t`, `http://127.0.0.1/t`), "token_endpoint", FaultProvider},
		"keys at a private address": {200, "application/json", replace(`https://op.example/j`, `https://169.254.169.254/j`), "jwks_uri", FaultProvider},
		"endpoint a number":         {200, "application/json", replace(`"https://op.example/t"`, `7`), "wrong type", FaultProvider},
		"endpoint missing":          {200, "application/json", replace(`"token_endpoint"`, `"token_endpoind"`), "lack", FaultProvider},
		"no S256":                   {200, "application/json", replace(`"extra"`, `"code_challenge_methods_supported":["plain"],"extra"`), "S256", FaultProvider},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []string
			c := discoveringClient(t, func(r *http.Request) (int, string, string) {
				asked = append(asked, r.Method+" "+r.URL.String())
				return tt.status, tt.contentType, tt.body
			}, nil)
			err := known(t.Context(), c)
			assert.Equal(t, []string{"GET https://op.example/.well-known/openid-configuration"}, asked)
			if tt.wantReason == "" {
				require.NoError(t, err)
				require.NoError(t, known(t.Context(), c))
				assert.Len(t, asked, 1, "asked once")
				return
			}
			var refused *Error
			require.True(t, errors.As(err, &refused), "%v", err)
			assert.Equal(t, StepDiscover, refused.Step)
			assert.Contains(t, refused.Reason, tt.wantReason)
			assert.Equal(t, tt.wantFault, refused.Fault)
			_ = known(t.Context(), c)
			assert.Len(t, asked, 2, "asked again after a failure")
		})
	}
}

func TestDiscoveryElsewhere(t *testing.T) {
	where := "https://other.example/oauth" + wellKnown
	c := discoveringClient(t, func(r *http.Request) (int, string, string) {
		assert.Equal(t, where, r.URL.String())
		return 200, "application/json", goodMetadata
	}, func(c *Config) { c.DiscoveryURL = where })
	require.NoError(t, known(t.Context(), c))

	c = discoveringClient(t, func(*http.Request) (int, string, string) {
		return 200, "application/json", strings.Replace(goodMetadata, "op.example", "other.example", 1)
	}, func(c *Config) { c.DiscoveryURL = where })
	assert.ErrorContains(t, known(t.Context(), c), "another issuer", "the issuer is still the configured one")
}

// known finds the provider, and not its keys.
func known(ctx context.Context, c *Client) error {
	_, _, err := c.found(ctx)
	return err
}

func TestDiscoveryIsShared(t *testing.T) {
	var count atomic.Int32
	arrived, release := make(chan struct{}), make(chan struct{})
	c := discoveringClient(t, func(*http.Request) (int, string, string) {
		if count.Add(1) == 1 {
			close(arrived)
		}
		<-release
		return 200, "application/json", goodMetadata
	}, nil)

	first, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { gaveUp <- known(first, c) }()
	<-arrived

	var others sync.WaitGroup
	for range 20 {
		others.Go(func() { assert.NoError(t, known(t.Context(), c)) })
	}
	cancel()
	var ended *Error
	require.True(t, errors.As(<-gaveUp, &ended))
	assert.Equal(t, FaultCanceled, ended.Fault)
	assert.ErrorIs(t, ended, context.Canceled)

	close(release)
	others.Wait()
	assert.EqualValues(t, 1, count.Load(), "one request, which the first caller's end did not end")
}

func TestTenantLookup(t *testing.T) {
	directory := TenantDirectory{
		CommunityPath: "/info", DirectoryPath: "/sd", Service: "oauth2", Suffixes: []string{"vendor.example"},
		IssuerPath: "/oauth2/community/{community}", AuthorizePath: "/community/{community}/v1/authorize", TokenPath: "/community/{community}/v1/token",
	}
	const known = `{"tenant":{"id":"1"},"community":{"id":"2","name":"devx"}}`
	tests := map[string]struct {
		community, directory string
		wantToken            string
		wantReason           string
	}{
		"own host":              {known, `{"oauth2":"https://t.vendor.example/oauth2","x":"http://10.0.0.1"}`, "https://t.vendor.example/oauth2/community/devx/v1/token", ""},
		"vendor's host":         {known, `{"oauth2":"https://login.vendor.example/oauth2/"}`, "https://login.vendor.example/oauth2/community/devx/v1/token", ""},
		"another community":     {strings.Replace(known, "devx", "other", 1), `{}`, "", "community"},
		"no community":          {`{"error_code":404,"message":"Unable to load tenant/community"}`, `{}`, "", "community"},
		"no service":            {known, `{}`, "", "not the tenant's"},
		"http":                  {known, `{"oauth2":"http://t.vendor.example/oauth2"}`, "", "not the tenant's"},
		"foreign host":          {known, `{"oauth2":"https://evil.example/oauth2"}`, "", "not the tenant's"},
		"look-alike":            {known, `{"oauth2":"https://evilvendor.example/oauth2"}`, "", "not the tenant's"},
		"internal address":      {known, `{"oauth2":"https://192.168.177.210/oauth2"}`, "", "not the tenant's"},
		"user name":             {known, `{"oauth2":"https://t.vendor.example@evil.example/oauth2"}`, "", "not the tenant's"},
		"another port":          {known, `{"oauth2":"https://login.vendor.example:8443/oauth2"}`, "", "not the tenant's"},
		"query":                 {known, `{"oauth2":"https://t.vendor.example/oauth2?x="}`, "", "not the tenant's"},
		"directory not JSON":    {known, `<html>`, "", "strict JSON"},
		"community not JSON":    {`<html>`, `{}`, "", "strict JSON"},
		"service is not string": {known, `{"oauth2":["https://t.vendor.example"]}`, "", "not the tenant's"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := discoveringClient(t, func(r *http.Request) (int, string, string) {
				if r.URL.Path == "/info" {
					body, _ := io.ReadAll(r.Body)
					assert.JSONEq(t, `{"dns":"t.vendor.example","communityName":"devx"}`, string(body))
					assert.Equal(t, "POST", r.Method)
					return 200, "application/json", tt.community
				}
				assert.Equal(t, "GET https://t.vendor.example/sd", r.Method+" "+r.URL.String())
				return 200, "application/json", tt.directory
			}, func(c *Config) {
				c.Issuer = ""
				c.Profile.Discovery, c.Profile.Tenant = DiscoverTenant, directory
				c.Tenant = &Tenant{DNS: "t.vendor.example", Community: "devx"}
				c.Provider = &ProviderMetadata{JWKSURI: "https://t.vendor.example/jwks"}
			})
			assert.Equal(t, "https://t.vendor.example/oauth2/community/devx", c.Issuer())
			_, found, err := c.found(t.Context())
			if tt.wantReason != "" {
				assert.ErrorContains(t, err, tt.wantReason)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.wantToken, found.TokenEndpoint)
		})
	}
}
