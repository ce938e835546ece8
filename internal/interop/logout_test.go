package interop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// logOut takes the person to the provider to end the session there, and returns
// with the state.
func (b *browser) logOut(t *testing.T, client *oidcclient.Client, session *oidcclient.Session) {
	t.Helper()
	b.knows["logout"] = "yes"
	target, err := client.LogoutURL(t.Context(), session, "state of the logout")
	require.NoError(t, err)
	require.NotEmpty(t, target)
	back := b.visit(t, http.MethodGet, target, nil)
	assert.Equal(t, "/logged-out", back.path)
	assert.Equal(t, "state of the logout", back.values.Get("state"))
}

func testLogout(t *testing.T, rp *relyingParty, op *engine) {
	client, person := newClient(t, rp.config(op.issuer, "basic", secret)), newBrowser(t, rp.origin)
	session, err := person.login(t, client, offline())
	require.NoError(t, err)
	silent := oidcclient.BeginOptions{Prompt: []string{"none"}}
	_, err = person.login(t, client, silent)
	require.NoError(t, err, "provider remembers the person")
	person.logOut(t, client, session)
	_, err = person.login(t, client, silent)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed, "provider forgot the person")
	assert.Equal(t, "login_required", failed.Code)
}

func testBackChannelLogout(t *testing.T, rp *relyingParty, op *engine) {
	for id, hasSession := range map[string]bool{"logout": true, "logout-sub": false} {
		t.Run(id, func(t *testing.T) {
			client, person := newClient(t, rp.config(op.issuer, id, secret)), newBrowser(t, rp.origin)
			session, err := person.login(t, client, oidcclient.BeginOptions{})
			require.NoError(t, err)
			person.logOut(t, client, session)
			form := rp.logoutToken(t)
			require.Equal(t, id, form.Get("client"))

			token, err := client.VerifyLogoutToken(t.Context(), form.Get("logout_token"))
			require.NoError(t, err)
			assert.Equal(t, op.issuer, token.Issuer())
			assert.NotEmpty(t, token.JWTID())
			assert.Equal(t, session.SessionID(), token.SessionID())
			assert.Equal(t, hasSession, token.SessionID() != "")
			assert.Equal(t, "alice", token.Subject())

			other := newClient(t, rp.config(op.issuer, "basic", secret))
			_, err = other.VerifyLogoutToken(t.Context(), form.Get("logout_token"))
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed, "a logout token of another client")
			assert.Equal(t, "aud", failed.Check)
			_, err = client.VerifyLogoutToken(t.Context(), session.IDToken().Raw())
			require.ErrorAs(t, err, &failed, "an ID token in the place of a logout token")
		})
	}
}
