package interop_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// secret is that of most clients of oidcprovider/op.mjs.
const secret = "a-secret-for-tests-only-that-is-longer-than-32-bytes"

// TestOIDCProvider logs in at npm's oidc-provider in all ways that both sides
// have. The subtests share one provider, and each has a browser of its own.
func TestOIDCProvider(t *testing.T) {
	rp := newRelyingParty(t)
	op := startOIDCProvider(t, rp)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *relyingParty, *engine)
	}{
		{"client authentication", testClientAuthentication},
		{"wrong credentials", testWrongCredentials},
		{"ID token algorithms", testIDTokenAlgorithms},
		{"form_post", testFormPost},
		{"carriage", testCarriage},
		{"rotation", testRotation},
		{"signed responses", testSignedResponses},
		{"encryption", testEncryption},
		{"hybrid", testHybrid},
		{"response types", testResponseTypes},
		{"DPoP", testDPoP},
		{"FAPI 2.0", testFAPI},
		{"OAuth", testOAuth},
		{"device", testDevice},
		{"CIBA", testCIBA},
		{"tokens of ours", testTokenManagement},
		{"registration", testRegistration},
		{"registration on the way", testLateRegistration},
		{"refresh", testRefresh},
		{"userinfo", testUserInfo},
		{"pairwise subject", testPairwise},
		{"assurance", testAssurance},
		{"claims that were asked for", testAskedClaims},
		{"max_age", testMaxAge},
		{"refusals", testRefusals},
		{"code used twice", testCodeTwice},
		{"client_credentials", testClientCredentials},
		{"RP-initiated logout", testLogout},
		{"back-channel logout", testBackChannelLogout},
		{"new signing keys", testNewKeys}, // the last: it changes the provider
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, rp, op) })
	}
}

// offline is how this provider wants to be asked for refresh tokens.
func offline() oidcclient.BeginOptions { return oidcclient.BeginOptions{Prompt: []string{"consent"}} }

func testClientAuthentication(t *testing.T, rp *relyingParty, op *engine) {
	with := func(id, clientSecret, method string) oidcclient.Config {
		config := rp.config(op.issuer, id, clientSecret)
		config.AuthMethod = method
		return config
	}
	tests := map[string]oidcclient.Config{
		"basic":                     with("basic", secret, ""),
		"basic with odd characters": with("basic:odd/id", "p@ss:w/rd %+&=~", "client_secret_basic"),
		"post":                      with("post", secret, "client_secret_post"),
		"client_secret_jwt":         with("secretjwt", secret, "client_secret_jwt"),
		"none":                      with("public", "", "none"),
	}
	for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		for _, audience := range []string{"issuer", "token_endpoint", "endpoint"} {
			config := with("keyjwt", "", "private_key_jwt")
			config.Key, config.AssertionAudience = rp.key(t, alg), audience
			tests["private_key_jwt "+alg+" for "+audience] = config
		}
	}
	for name, config := range tests {
		t.Run(name, func(t *testing.T) {
			session, err := newBrowser(t, rp.origin).login(t, newClient(t, config), offline())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())
			assert.Equal(t, op.issuer, session.Issuer())
			assert.WithinDuration(t, time.Now().Add(5*time.Minute), session.Expiry(), time.Minute)
		})
	}
}

func testWrongCredentials(t *testing.T, rp *relyingParty, op *engine) {
	otherKey := rp.config(op.issuer, "keyjwt", "")
	otherKey.AuthMethod, otherKey.Key = "private_key_jwt", rp.key(t, "ES256")
	otherKey.AssertionAudience = "https://elsewhere.example"
	tests := map[string]oidcclient.Config{
		"secret":                rp.config(op.issuer, "basic", secret+"x"),
		"audience of assertion": otherKey,
	}
	for name, config := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := newBrowser(t, rp.origin).login(t, newClient(t, config), oidcclient.BeginOptions{})
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, oidcclient.StepExchange, failed.Step)
			assert.Equal(t, oidcclient.FaultProvider, failed.Fault)
			assert.Equal(t, "invalid_client", failed.Code)
			assert.Equal(t, http.StatusUnauthorized, failed.Status)
		})
	}
}

func testIDTokenAlgorithms(t *testing.T, rp *relyingParty, op *engine) {
	for _, alg := range []string{"PS256", "ES256", "EdDSA", "HS256"} {
		t.Run(alg, func(t *testing.T) {
			config := rp.config(op.issuer, "id-"+alg, secret)
			config.Algorithm = alg
			session, err := newBrowser(t, rp.origin).login(t, newClient(t, config), offline())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())

			config.Algorithm = "RS256"
			_, err = newBrowser(t, rp.origin).login(t, newClient(t, config), offline())
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed, "a client that expects RS256")
			assert.Equal(t, "header", failed.Check, "alg is the first thing that is looked at")
		})
	}
}

func testFormPost(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "basic", secret)
	config.ResponseMode = "form_post"
	client, person := newClient(t, config), newBrowser(t, rp.origin)
	pending, back := person.authorize(t, client, oidcclient.BeginOptions{})
	require.Equal(t, http.MethodPost, back.method)
	session, err := client.Complete(t.Context(), pending, back.values)
	require.NoError(t, err)
	assert.Equal(t, "alice", session.Subject())

	pending, back = person.authorize(t, client, oidcclient.BeginOptions{LoginHint: "deny", Prompt: []string{"login"}})
	require.Equal(t, http.MethodPost, back.method, "a refusal comes the same way")
	_, err = client.Complete(t.Context(), pending, back.values)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "access_denied", failed.Code)
}

func testRefresh(t *testing.T, rp *relyingParty, op *engine) {
	client := newClient(t, rp.config(op.issuer, "basic", secret))
	first, err := newBrowser(t, rp.origin).login(t, client, offline())
	require.NoError(t, err)
	require.True(t, first.CanRefresh())
	second, err := client.Refresh(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, first.Subject(), second.Subject())
	assert.NotEqual(t, first.Token().AccessToken, second.Token().AccessToken)
	require.NotEqual(t, first.Token().RefreshToken, second.Token().RefreshToken, "provider rotates")
	third, err := client.Refresh(t.Context(), second)
	require.NoError(t, err)

	// The used token first: using it twice is what ends the whole family.
	for i, dead := range []*oidcclient.Session{first, third} {
		_, err = client.Refresh(t.Context(), dead)
		var failed *oidcclient.Error
		require.ErrorAs(t, err, &failed, i)
		assert.Equal(t, "invalid_grant", failed.Code, i)
		assert.True(t, failed.LoginAgain(), i)
		assert.Nil(t, failed.Session, i)
	}
}

func testUserInfo(t *testing.T, rp *relyingParty, op *engine) {
	for _, id := range []string{"basic", "signed-userinfo"} {
		t.Run(id, func(t *testing.T) {
			config := rp.config(op.issuer, id, secret)
			config.UserInfo = true
			client := newClient(t, config)
			session, err := newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{LoginHint: "bob"})
			require.NoError(t, err)
			require.True(t, session.HasUserInfo())
			var claims struct {
				Subject  string `json:"sub"`
				Name     string `json:"name"`
				Email    string `json:"email"`
				Verified bool   `json:"email_verified"`
			}
			require.NoError(t, session.UserInfoClaims(&claims))
			assert.Equal(t, "bob", claims.Subject)
			assert.Equal(t, "Bób Ünïcode 名前", claims.Name)
			assert.Equal(t, "bob@example.test", claims.Email)
			assert.False(t, claims.Verified)
			again, err := client.UserInfo(t.Context(), session)
			require.NoError(t, err)
			assert.Equal(t, session.Subject(), again.Subject())
		})
	}
}

func testPairwise(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "pairwise", secret)
	config.UserInfo = true // whose subject has to be the pairwise one too
	session, err := newBrowser(t, rp.origin).login(t, newClient(t, config), oidcclient.BeginOptions{})
	require.NoError(t, err)
	home, err := url.Parse(rp.origin)
	require.NoError(t, err)
	assert.Equal(t, "pairwise-"+home.Host+"-alice", session.Subject())
}

func testAssurance(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "basic", secret)
	config.MinACR = "urn:test:loa2"
	client := newClient(t, config)
	session, err := newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{})
	require.NoError(t, err)
	assert.Equal(t, "urn:test:loa2", session.ACR())

	_, err = newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{ACRValues: []string{"urn:test:loa1"}})
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "acr", failed.Check)
}

func testMaxAge(t *testing.T, rp *relyingParty, op *engine) {
	fresh, hour := time.Duration(0), time.Hour
	client, person := newClient(t, rp.config(op.issuer, "basic", secret)), newBrowser(t, rp.origin)
	first, err := person.login(t, client, oidcclient.BeginOptions{MaxAge: &hour})
	require.NoError(t, err)
	second, err := person.login(t, client, oidcclient.BeginOptions{MaxAge: &hour})
	require.NoError(t, err)
	assert.Equal(t, authTime(t, first), authTime(t, second), "provider's session is still good enough")
	third, err := person.login(t, client, oidcclient.BeginOptions{MaxAge: &fresh})
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), authTime(t, third), 10*time.Second)
}

func authTime(t *testing.T, session *oidcclient.Session) time.Time {
	t.Helper()
	at, ok := session.IDToken().AuthTime()
	require.True(t, ok)
	return at
}

func testRefusals(t *testing.T, rp *relyingParty, op *engine) {
	for name, test := range map[string]struct {
		opts oidcclient.BeginOptions
		code string
	}{
		"person does not log in":    {oidcclient.BeginOptions{LoginHint: "deny"}, "access_denied"},
		"person does not consent":   {oidcclient.BeginOptions{LoginHint: "deny-consent"}, "access_denied"},
		"no login without a screen": {oidcclient.BeginOptions{Prompt: []string{"none"}}, "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, rp.config(op.issuer, "basic", secret))
			_, err := newBrowser(t, rp.origin).login(t, client, test.opts)
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, oidcclient.StepCallback, failed.Step)
			assert.Equal(t, oidcclient.FaultAnswer, failed.Fault)
			assert.Equal(t, test.code, failed.Code)
			assert.NotContains(t, failed.Error(), "test person", "the provider's own words")
		})
	}
}

func testCodeTwice(t *testing.T, rp *relyingParty, op *engine) {
	client := newClient(t, rp.config(op.issuer, "basic", secret))
	pending, back := newBrowser(t, rp.origin).authorize(t, client, oidcclient.BeginOptions{})
	_, err := client.Complete(t.Context(), pending, back.values)
	require.NoError(t, err)
	_, err = client.Complete(t.Context(), pending, back.values)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, oidcclient.FaultAnswer, failed.Fault)
	assert.Equal(t, "invalid_grant", failed.Code)
}

func testClientCredentials(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "machine", secret)
	config.RedirectURI, config.Scopes = "", nil
	token, err := newClient(t, config).Token(t.Context(), url.Values{
		"grant_type": {"client_credentials"}, "scope": {"api:read"},
	})
	require.NoError(t, err)
	assert.NotEmpty(t, token.AccessToken)
	assert.Equal(t, "api:read", token.Extra("scope"))
	assert.WithinDuration(t, time.Now().Add(5*time.Minute), token.Expiry, time.Minute)
}
