package interop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// TestFosite logs in at the engine of Ory Hydra, which takes assertions for its token
// endpoint only, wherever they are sent, and ends all tokens of a login when a refresh
// token comes twice.
func TestFosite(t *testing.T) {
	rp := newRelyingParty(t)
	op := startFosite(t, rp)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *relyingParty, *engine)
	}{
		{"client authentication", testFositeAuthentication},
		{"audience", testFositeAudience},
		{"response modes", testFositeResponses},
		{"refusals", testFositeRefusals},
		{"refresh", testFositeRefresh},
		{"tokens of ours", testFositeTokens},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, rp, op) })
	}
}

// fositeConfig is that of the client for a way to authenticate.
func fositeConfig(t *testing.T, rp *relyingParty, op *engine, method string) oidcclient.Config {
	t.Helper()
	config := rp.config(op.issuer, map[string]string{
		"client_secret_basic": "basic", "client_secret_post": "post", "private_key_jwt": "keyjwt", "none": "public",
	}[method], "secret")
	config.AuthMethod, config.PostLogoutRedirectURI, config.UserInfo = method, "", true
	switch method {
	case "private_key_jwt":
		config.ClientSecret, config.Key, config.AssertionAudience = "", rp.key(t, "RS256"), "token_endpoint"
	case "none":
		config.ClientSecret = ""
	}
	return config
}

// testFositeAuthentication authenticates in each way at both endpoints that ask for it.
func testFositeAuthentication(t *testing.T, rp *relyingParty, op *engine) {
	for _, method := range []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"} {
		for name, carriage := range map[string]oidcclient.Carriage{
			"query": oidcclient.CarryQuery, "pushed": oidcclient.CarryPushed, "object": oidcclient.CarryObject,
		} {
			if carriage == oidcclient.CarryObject && method != "private_key_jwt" {
				continue // the others have no key
			}
			t.Run(method+" "+name, func(t *testing.T) {
				config := fositeConfig(t, rp, op, method)
				config.Carriage = carriage
				session, err := newBrowser(t, rp.origin).login(t, newClient(t, config), oidcclient.BeginOptions{LoginHint: "bob"})
				require.NoError(t, err)
				assert.Equal(t, "bob", session.Subject(), "the provider has read the request")
				var claims struct {
					Email string `json:"email"`
				}
				require.NoError(t, session.UserInfoClaims(&claims))
				assert.Equal(t, "bob@example.test", claims.Email)
			})
		}
	}
}

// testFositeAudience sends assertions for somebody else: for the issuer, which zitadel
// demands and FAPI 2.0 too, and for the endpoint at which they are used.
func testFositeAudience(t *testing.T, rp *relyingParty, op *engine) {
	for _, audience := range []string{"issuer", "endpoint"} {
		t.Run(audience+" where it is pushed", func(t *testing.T) {
			config := fositeConfig(t, rp, op, "private_key_jwt")
			config.Carriage, config.AssertionAudience = oidcclient.CarryPushed, audience
			_, _, err := newClient(t, config).Begin(t.Context(), oidcclient.BeginOptions{})
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, oidcclient.StepPush, failed.Step)
			assert.Equal(t, oidcclient.FaultProvider, failed.Fault)
			assert.Equal(t, "invalid_client", failed.Code)
		})
	}
	t.Run("issuer at the token endpoint", func(t *testing.T) {
		config := fositeConfig(t, rp, op, "private_key_jwt")
		config.AssertionAudience = "issuer"
		_, err := newBrowser(t, rp.origin).login(t, newClient(t, config), oidcclient.BeginOptions{})
		var failed *oidcclient.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, oidcclient.StepExchange, failed.Step)
		assert.Equal(t, "invalid_client", failed.Code)
	})
	t.Run("endpoint at the token endpoint", func(t *testing.T) {
		config := fositeConfig(t, rp, op, "private_key_jwt")
		config.AssertionAudience = "endpoint"
		_, err := newBrowser(t, rp.origin).login(t, newClient(t, config), oidcclient.BeginOptions{})
		require.NoError(t, err, "there it is the same")
	})
}

func testFositeResponses(t *testing.T, rp *relyingParty, op *engine) {
	for _, kind := range []string{"code", "code id_token", "id_token"} {
		for _, mode := range []string{"", "form_post"} {
			t.Run(kind+" "+mode, func(t *testing.T) {
				config := fositeConfig(t, rp, op, "client_secret_basic")
				config.ResponseType, config.ResponseMode, config.UserInfo = kind, mode, kind != "id_token"
				client := newClient(t, config)
				pending, back := newBrowser(t, rp.origin).authorize(t, client, oidcclient.BeginOptions{})
				want := http.MethodGet
				if mode == "form_post" {
					want = http.MethodPost
				}
				require.Equal(t, want, back.method)
				session, err := client.Complete(t.Context(), pending, back.values)
				require.NoError(t, err)
				assert.Equal(t, "alice", session.Subject())
			})
		}
	}
}

func testFositeRefusals(t *testing.T, rp *relyingParty, op *engine) {
	for name, carriage := range map[string]oidcclient.Carriage{"query": oidcclient.CarryQuery, "pushed": oidcclient.CarryPushed} {
		t.Run(name, func(t *testing.T) {
			config := fositeConfig(t, rp, op, "client_secret_basic")
			config.Carriage = carriage
			_, err := newBrowser(t, rp.origin).login(t, newClient(t, config), oidcclient.BeginOptions{LoginHint: "deny"})
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, oidcclient.StepCallback, failed.Step)
			assert.Equal(t, oidcclient.FaultAnswer, failed.Fault)
			assert.Equal(t, "access_denied", failed.Code)
			assert.NotContains(t, failed.Error(), "test person", "the provider's own words")
		})
	}
}

// testFositeRefresh rotates, and then does what a thief would do.
func testFositeRefresh(t *testing.T, rp *relyingParty, op *engine) {
	client := newClient(t, fositeConfig(t, rp, op, "client_secret_basic"))
	first, err := newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{})
	require.NoError(t, err)
	require.True(t, first.CanRefresh())
	second, err := client.Refresh(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, first.Subject(), second.Subject())
	require.NotEqual(t, first.Token().RefreshToken, second.Token().RefreshToken, "provider rotates")
	_, err = client.UserInfo(t.Context(), second)
	require.NoError(t, err)

	// The used token first: using it twice is what ends the whole family.
	for i, dead := range []*oidcclient.Session{first, second} {
		_, err = client.Refresh(t.Context(), dead)
		var failed *oidcclient.Error
		require.ErrorAs(t, err, &failed, i)
		assert.Equal(t, oidcclient.StepRefresh, failed.Step, i)
		assert.True(t, failed.LoginAgain(), i)
	}
}

// testFositeTokens asks about tokens (RFC 7662) and ends them (RFC 7009). Revocation
// takes each way to authenticate, introspection only Basic.
func testFositeTokens(t *testing.T, rp *relyingParty, op *engine) {
	basic := newClient(t, fositeConfig(t, rp, op, "client_secret_basic"))
	for _, method := range []string{"client_secret_basic", "private_key_jwt"} {
		t.Run(method, func(t *testing.T) {
			client := newClient(t, fositeConfig(t, rp, op, method))
			session, err := newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{})
			require.NoError(t, err)
			token := session.AccessToken().Value
			about, err := grants.Introspect(t.Context(), basic, token, "access_token")
			require.NoError(t, err)
			assert.True(t, about.Active)
			require.NoError(t, grants.Revoke(t.Context(), client, token, "access_token"))
			about, err = grants.Introspect(t.Context(), basic, token, "access_token")
			require.NoError(t, err)
			assert.False(t, about.Active)
		})
	}
	_, err := grants.Introspect(t.Context(), newClient(t, fositeConfig(t, rp, op, "private_key_jwt")), "a-token", "")
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, oidcclient.FaultProvider, failed.Fault)
	assert.Equal(t, "request_unauthorized", failed.Code, "a code that no specification has")
}
