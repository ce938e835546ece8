package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

const (
	bank      = "https://bank.example"
	bankPlace = bank + "/claims"
)

// sourceRig is a login whose ID token points to claims from elsewhere.
type sourceRig struct {
	*frontRig
	hosts   *hosts
	bankKey *ecdsa.PrivateKey
}

func jwksOf(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	return set
}

// newSourceRig lets the bank publish its keys; sources are the members of the ID token.
func newSourceRig(t *testing.T, change func(*Config, *ecdsa.PrivateKey)) *sourceRig {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	r := &sourceRig{bankKey: key, hosts: newHosts()}
	r.frontRig = newFrontRig(t, func(c *Config) {
		c.HTTPClient = &http.Client{Transport: r.hosts}
		if change != nil {
			change(c, key)
		}
	})
	r.hosts.answers[bank+"/.well-known/openid-configuration"] = `{"issuer":"` + bank + `","jwks_uri":"` + bank + `/jwks","authorization_endpoint":"` + bank + `/a","token_endpoint":"` + bank + `/t"}`
	r.hosts.answers[bank+"/jwks"] = string(jwksOf(t, key))
	return r
}

func (r *sourceRig) complete(t *testing.T, names map[string]any, sources map[string]any) *Session {
	t.Helper()
	body, err := json.Marshal(map[string]any{"access_token": "back", "token_type": "Bearer", "id_token": r.token(t, map[string]any{
		"_claim_names": names, "_claim_sources": sources,
	})})
	require.NoError(t, err)
	r.hosts.answers["https://op.example/token"] = string(body)
	session, err := r.c.Complete(t.Context(), r.pending, r.values)
	require.NoError(t, err, "whatever the sources say, the login is good")
	return session
}

func TestAggregatedClaims(t *testing.T) {
	listed := func(c *Config, key *ecdsa.PrivateKey) {
		keys, err := idtoken.PinnedKeys(jwksOf(t, key))
		if err != nil {
			panic(err)
		}
		c.ClaimsProviders = []ClaimsProvider{{Issuer: bank, Algorithms: []string{"ES256"}, Keys: keys}}
	}
	names := map[string]any{"credit_score": "src1", "sub": "src1", "address": "src2"}
	claims := map[string]any{"iss": bank, "credit_score": 650, "sub": "somebody", "address": "not announced of it", "more": true}
	with := func(pairs ...any) map[string]any {
		changed := map[string]any{}
		for name, value := range claims {
			changed[name] = value
		}
		for i := 0; i < len(pairs); i += 2 {
			changed[pairs[i].(string)] = pairs[i+1]
		}
		return changed
	}
	for name, tt := range map[string]struct {
		change   func(*Config, *ecdsa.PrivateKey)
		jwt      func(*sourceRig) string
		believed string // its issuer
	}{
		"of a listed provider": {listed, func(r *sourceRig) string { return signing(t, r.bankKey, claims) }, bank},
		"too long to be kept": {listed, func(r *sourceRig) string {
			return signing(t, r.bankKey, with("credit_score", strings.Repeat("<", 15<<10)))
		}, ""},
		"of the provider itself":  {nil, func(r *sourceRig) string { return signing(t, r.key, with("iss", "https://op.example", "sub", "anna")) }, "https://op.example"},
		"its own about another":   {nil, func(r *sourceRig) string { return signing(t, r.key, with("iss", "https://op.example")) }, ""},
		"its own about a number":  {nil, func(r *sourceRig) string { return signing(t, r.key, with("iss", "https://op.example", "sub", 1)) }, ""},
		"of an unlisted one":      {nil, func(r *sourceRig) string { return signing(t, r.bankKey, claims) }, ""},
		"signed by somebody else": {listed, func(r *sourceRig) string { return signing(t, r.key, claims) }, ""},
		"not signed":              {listed, func(*sourceRig) string { return "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2JhbmsuZXhhbXBsZSJ9." }, ""},
		"expired":                 {listed, func(r *sourceRig) string { return signing(t, r.bankKey, with("exp", testNow.Unix()-60)) }, ""},
		"for another client":      {listed, func(r *sourceRig) string { return signing(t, r.bankKey, with("aud", "client1")) }, ""},
		"for this client":         {listed, func(r *sourceRig) string { return signing(t, r.bankKey, with("aud", "client")) }, bank},
		"without an issuer":       {listed, func(r *sourceRig) string { return signing(t, r.bankKey, with("iss", nil)) }, ""},
		"no JWT":                  {listed, func(*sourceRig) string { return "x" }, ""},
		"of the provider, forged": {listed, func(r *sourceRig) string { return signing(t, r.bankKey, with("iss", "https://op.example")) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSourceRig(t, func(c *Config, key *ecdsa.PrivateKey) {
				if tt.change != nil {
					tt.change(c, key)
				}
			})
			session := r.complete(t, names, map[string]any{"src1": map[string]any{"JWT": tt.jwt(r)}})
			sources := session.ClaimSources()
			if tt.believed == "" {
				assert.Empty(t, sources)
				return
			}
			require.Len(t, sources, 1)
			assert.Equal(t, tt.believed, sources[0].Issuer)
			assert.Equal(t, map[string]json.RawMessage{"credit_score": json.RawMessage("650")}, sources[0].Values, "what was announced, and nothing of who the person is")
			own := map[string]any{}
			require.NoError(t, session.Claims(&own))
			assert.NotContains(t, own, "credit_score")

			sealer, err := NewSealer(make([]byte, SealerKeySize))
			require.NoError(t, err)
			sealed, err := sealer.SealSession(session)
			require.NoError(t, err)
			opened, err := sealer.OpenSession(sealed)
			require.NoError(t, err)
			assert.Equal(t, sources, opened.ClaimSources())
		})
	}
}

func TestDistributedClaims(t *testing.T) {
	origins := func(list ...string) func(*Config, *ecdsa.PrivateKey) {
		return func(c *Config, _ *ecdsa.PrivateKey) { c.DistributedClaims = list }
	}
	good := map[string]any{"iss": bank, "credit_score": 650}
	for name, tt := range map[string]struct {
		change   func(*Config, *ecdsa.PrivateKey)
		endpoint string
		spoil    func(*sourceRig)
		asked    bool
		believed bool
	}{
		"listed":             {origins(bank), bankPlace, nil, true, true},
		"listed with a port": {origins(bank + ":443"), bankPlace, nil, true, true},
		"not listed":         {origins(), bankPlace, nil, false, false},
		"another host":       {origins("https://bank.example.org"), bankPlace, nil, false, false},
		"another scheme":     {origins(bank), "http://bank.example/claims", nil, false, false},
		"another port":       {origins(bank), "https://bank.example:8443/claims", nil, false, false},
		"a user in it":       {origins(bank), "https://bank.example@evil.example/claims", nil, false, false},
		"an address":         {origins(bank), "https://10.0.0.1/claims", nil, false, false},
		"redirected":         {origins(bank), bankPlace, func(r *sourceRig) { r.hosts.status[bankPlace] = http.StatusFound }, true, false},
		"plain JSON":         {origins(bank), bankPlace, func(r *sourceRig) { r.hosts.answers[bankPlace] = `{"credit_score":650}` }, true, false},
		"too large":          {origins(bank), bankPlace, func(r *sourceRig) { r.hosts.answers[bankPlace] = strings.Repeat("x", 2<<20) }, true, false},
		"of another issuer": {origins(bank), bankPlace, func(r *sourceRig) {
			r.hosts.answers[bankPlace] = signing(t, r.bankKey, map[string]any{"iss": "https://else.example", "credit_score": 1})
		}, true, false},
		"of another key": {origins(bank), bankPlace, func(r *sourceRig) { r.hosts.answers[bankPlace] = signing(t, r.key, good) }, true, false},
		"another issuer's keys": {origins(bank), bankPlace, func(r *sourceRig) {
			r.hosts.answers[bank+"/.well-known/openid-configuration"] = strings.Replace(r.hosts.answers[bank+"/.well-known/openid-configuration"], `"issuer":"`+bank, `"issuer":"`+bank+"1", 1)
		}, true, false},
		"nothing there": {origins(bank), bankPlace, func(r *sourceRig) { delete(r.hosts.answers, bankPlace) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSourceRig(t, tt.change)
			r.hosts.answers[bankPlace] = signing(t, r.bankKey, good)
			if tt.spoil != nil {
				tt.spoil(r)
			}
			session := r.complete(t, map[string]any{"credit_score": "bank"}, map[string]any{"bank": map[string]any{"endpoint": tt.endpoint, "access_token": "their-token"}})
			assert.Equal(t, tt.asked, len(r.hosts.asked[bankPlace]) == 1)
			if tt.asked {
				assert.Equal(t, "Bearer their-token", r.hosts.asked[bankPlace][0].Header.Get("Authorization"))
			}
			assert.Equal(t, tt.believed, len(session.ClaimSources()) == 1)
		})
	}
	t.Run("a token that is a header", func(t *testing.T) {
		r := newSourceRig(t, origins(bank))
		session := r.complete(t, map[string]any{"a": "b"}, map[string]any{"b": map[string]any{"endpoint": bankPlace, "access_token": "x\r\nX-Y: z"}})
		assert.Empty(t, session.ClaimSources())
		assert.Empty(t, r.hosts.asked[bankPlace])
	})
	t.Run("many", func(t *testing.T) {
		r := newSourceRig(t, origins(bank))
		r.hosts.answers[bankPlace] = signing(t, r.bankKey, good)
		names, sources := map[string]any{}, map[string]any{}
		for _, n := range strings.Split("abcdefghijklmnopqrst", "") {
			names["credit_score"+n], sources[n] = n, map[string]any{"endpoint": bankPlace}
		}
		assert.Len(t, r.complete(t, names, sources).ClaimSources(), maxSources)
		assert.Len(t, r.hosts.asked[bank+"/.well-known/openid-configuration"], 1, "looked for once")
	})
	t.Run("many that are not there", func(t *testing.T) {
		r := newSourceRig(t, origins(bank))
		sources := map[string]any{}
		for _, n := range strings.Split("abcdefghijklmnopqrst", "") {
			sources[n] = map[string]any{"endpoint": bankPlace}
		}
		r.complete(t, map[string]any{}, sources)
		assert.Len(t, r.hosts.asked[bankPlace], maxSources)
	})
	t.Run("nonsense", func(t *testing.T) {
		r := newSourceRig(t, origins(bank))
		assert.Empty(t, r.complete(t, map[string]any{"a": 1}, map[string]any{"b": "c"}).ClaimSources())
	})
}

// A login without a browser reads them as any other does.
func TestClaimSourcesOfAGrant(t *testing.T) {
	r := newSourceRig(t, nil)
	own := signing(t, r.key, map[string]any{"iss": "https://op.example", "sub": "anna", "credit_score": 650})
	body, err := json.Marshal(map[string]any{"access_token": "back", "token_type": "Bearer", "id_token": signing(t, r.key, map[string]any{
		"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60,
		"_claim_names": map[string]any{"credit_score": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"JWT": own}},
	})})
	require.NoError(t, err)
	r.hosts.answers["https://op.example/token"] = string(body)
	session, err := r.c.LoginWithGrant(t.Context(), url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}}, GrantExpect{})
	require.NoError(t, err)
	require.Len(t, session.ClaimSources(), 1)
	assert.Equal(t, json.RawMessage("650"), session.ClaimSources()[0].Values["credit_score"])
}

func TestClaimSourcesThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"a path":      func(c *Config) { c.DistributedClaims = []string{"https://bank.example/claims"} },
		"no https":    func(c *Config) { c.DistributedClaims = []string{"http://bank.example"} },
		"without key": func(c *Config) { c.ClaimsProviders = []ClaimsProvider{{Issuer: bank}} },
	} {
		config := fapiConfig(FAPINone)
		config.ClientSecret = "secret"
		change(&config)
		_, err := New(config)
		var wrong *ConfigError
		require.ErrorAs(t, err, &wrong, name)
	}
}
