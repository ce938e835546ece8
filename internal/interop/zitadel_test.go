package interop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// TestZitadel logs in at the provider of github.com/zitadel/oidc, which has a
// login form, takes assertions for its issuer only, and rotates refresh tokens.
func TestZitadel(t *testing.T) {
	rp := newRelyingParty(t)
	op := startZitadel(t, rp)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *relyingParty, *engine)
	}{
		{"client authentication", testZitadelAuthentication},
		{"form_post", testZitadelFormPost},
		{"refresh", testZitadelRefresh},
		{"logout", testZitadelLogout},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, rp, op) })
	}
}

// newZitadelUser is somebody who knows the example storage's password.
func newZitadelUser(t *testing.T, rp *relyingParty) *browser {
	t.Helper()
	person := newBrowser(t, rp.origin)
	person.knows["username"], person.knows["password"] = "test-user@127.0.0.1", "verysecure"
	return person
}

func testZitadelAuthentication(t *testing.T, rp *relyingParty, op *engine) {
	for method, id := range map[string]string{
		"client_secret_basic": "basic", "client_secret_post": "post", "private_key_jwt": "keyjwt",
	} {
		t.Run(method, func(t *testing.T) {
			config := rp.config(op.issuer, id, "secret")
			config.AuthMethod, config.UserInfo = method, true
			if method == "private_key_jwt" {
				config.ClientSecret, config.Key = "", rp.key(t, "RS256")
			}
			session, err := newZitadelUser(t, rp).login(t, newClient(t, config), oidcclient.BeginOptions{})
			require.NoError(t, err)
			assert.Equal(t, "id1", session.Subject())
			var claims struct {
				Email string `json:"email"`
			}
			require.NoError(t, session.UserInfoClaims(&claims))
			assert.Equal(t, "test-user@zitadel.ch", claims.Email)
		})
	}
	t.Run("assertion for the token endpoint", func(t *testing.T) {
		config := rp.config(op.issuer, "keyjwt", "")
		config.AuthMethod, config.Key, config.AssertionAudience = "private_key_jwt", rp.key(t, "RS256"), "token_endpoint"
		_, err := newZitadelUser(t, rp).login(t, newClient(t, config), oidcclient.BeginOptions{})
		var failed *oidcclient.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, oidcclient.StepExchange, failed.Step)
		assert.Equal(t, "invalid_grant", failed.Code, "where RFC 7523 §3.2 has invalid_client")
	})
}

func testZitadelFormPost(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "basic", "secret")
	config.ResponseMode = "form_post"
	client := newClient(t, config)
	pending, back := newZitadelUser(t, rp).authorize(t, client, oidcclient.BeginOptions{})
	require.Equal(t, http.MethodPost, back.method)
	session, err := client.Complete(t.Context(), pending, back.values)
	require.NoError(t, err)
	assert.Equal(t, "id1", session.Subject())
}

func testZitadelRefresh(t *testing.T, rp *relyingParty, op *engine) {
	client := newClient(t, rp.config(op.issuer, "basic", "secret"))
	first, err := newZitadelUser(t, rp).login(t, client, oidcclient.BeginOptions{})
	require.NoError(t, err)
	require.True(t, first.CanRefresh())
	second, err := client.Refresh(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, first.Subject(), second.Subject())
	require.NotEqual(t, first.Token().RefreshToken, second.Token().RefreshToken, "provider rotates")
	_, err = client.Refresh(t.Context(), second)
	require.NoError(t, err)
	_, err = client.Refresh(t.Context(), first)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed, "a used refresh token")
	assert.Equal(t, oidcclient.StepRefresh, failed.Step)
}

func testZitadelLogout(t *testing.T, rp *relyingParty, op *engine) {
	client, person := newClient(t, rp.config(op.issuer, "basic", "secret")), newZitadelUser(t, rp)
	session, err := person.login(t, client, oidcclient.BeginOptions{})
	require.NoError(t, err)
	person.logOut(t, client, session)
}
