package interop_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testNewKeys changes the provider's keys under a client that knows the old ones.
func testNewKeys(t *testing.T, rp *relyingParty, op *engine) {
	client, person := newClient(t, rp.config(op.issuer, "basic", secret)), newBrowser(t, rp.origin)
	before, err := person.login(t, client, offline())
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, op.issuer+"/rotate-keys", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)

	after, err := person.login(t, client, offline())
	require.NoError(t, err)
	assert.NotEqual(t, keyID(t, before), keyID(t, after))
	refreshed, err := client.Refresh(t.Context(), before)
	require.NoError(t, err, "the refreshed ID token has a new key, the original an old one")
	assert.Equal(t, keyID(t, after), keyID(t, refreshed))
}

// keyID returns the kid of a session's ID token.
func keyID(t *testing.T, session *oidcclient.Session) string {
	t.Helper()
	token, err := jose.ParseSigned(session.IDToken().Raw(), []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(t, err)
	require.NotEmpty(t, token.Signatures[0].Protected.KeyID)
	return token.Signatures[0].Protected.KeyID
}

// TestOutage takes the provider away at each step, and back: every call says that
// it may be tried again, and the same client goes on when the provider is back
// with other keys and without any memory.
func TestOutage(t *testing.T) {
	rp := newRelyingParty(t)
	op := startOIDCProvider(t, rp)
	address, err := url.Parse(op.issuer)
	require.NoError(t, err)
	config := rp.config(op.issuer, "basic", secret)
	client, person := newClient(t, config), newBrowser(t, rp.origin)
	session, err := person.login(t, client, offline())
	require.NoError(t, err)
	pending, back := person.authorize(t, client, offline())
	require.NotEmpty(t, back.values.Get("code"))
	op.stop(t)

	late := newClient(t, config) // starts although the provider is down
	for name, call := range map[string]func() error{
		"readiness at first": func() error { return late.Ready(t.Context()) },
		"begin at first":     func() error { _, _, err := late.Begin(t.Context(), offline()); return err },
		"complete":           func() error { _, err := client.Complete(t.Context(), pending, back.values); return err },
		"refresh":            func() error { _, err := client.Refresh(t.Context(), session); return err },
		"userinfo":           func() error { _, err := client.UserInfo(t.Context(), session); return err },
	} {
		var failed *oidcclient.Error
		require.ErrorAs(t, call(), &failed, name)
		assert.Equal(t, oidcclient.FaultOutage, failed.Fault, name)
		assert.True(t, failed.Retryable(), name)
		assert.False(t, failed.LoginAgain(), name)
	}

	startOIDCProvider(t, rp, "PORT="+address.Port())
	for name, client := range map[string]*oidcclient.Client{"old client": client, "new client": late} {
		assert.NoError(t, client.Ready(t.Context()), name)
		_, err = newBrowser(t, rp.origin).login(t, client, offline())
		assert.NoError(t, err, name)
	}
	_, err = client.Refresh(t.Context(), session)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed, "provider has forgotten the refresh token")
	assert.True(t, failed.LoginAgain())
}
