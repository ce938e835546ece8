package interop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testRegistration registers a client, logs in with it, changes it and ends it.
func testRegistration(t *testing.T, rp *relyingParty, op *engine) {
	metadata := map[string]any{
		"redirect_uris": []string{rp.origin + "/callback"}, "grant_types": []string{"authorization_code", "refresh_token"}, "client_name": "first",
	}
	r := oidcclient.Registrar{Endpoint: op.issuer + "/reg"}
	_, err := r.Register(t.Context(), metadata)
	var refused *oidcclient.Error
	require.ErrorAs(t, err, &refused, "without the initial access token")
	r.AccessToken = "an-initial-access-token"
	client, err := r.Register(t.Context(), metadata)
	require.NoError(t, err)

	session, err := newBrowser(t, rp.origin).login(t, newClient(t, rp.config(op.issuer, client.ClientID, client.ClientSecret)), offline())
	require.NoError(t, err)
	assert.Equal(t, "alice", session.Subject())

	metadata["client_name"] = "second"
	client, err = r.Update(t.Context(), client, metadata)
	require.NoError(t, err)
	client, err = r.Read(t.Context(), client)
	require.NoError(t, err)
	var now struct {
		Name string `json:"client_name"`
	}
	require.NoError(t, client.Metadata(&now))
	assert.Equal(t, "second", now.Name)
	require.NoError(t, r.Delete(t.Context(), client))
	_, err = r.Read(t.Context(), client)
	assert.Error(t, err)
}

// testLateRegistration logs in with a client that registers itself on the way.
func testLateRegistration(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "", "")
	config.Register = &oidcclient.RegistrationRequest{AccessToken: "an-initial-access-token"}
	config.Algorithm, config.UserInfo = "ES256", true
	c := newClient(t, config)
	for range 2 {
		session, err := newBrowser(t, rp.origin).login(t, c, offline())
		require.NoError(t, err)
		assert.Equal(t, "alice", session.Subject())
		assert.Equal(t, c.ClientID(), session.ClientID())
		_, err = c.Refresh(t.Context(), session)
		require.NoError(t, err)
	}
	config.Register.AccessToken = "another"
	_, _, err := newClient(t, config).Begin(t.Context(), oidcclient.BeginOptions{})
	var refused *oidcclient.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, oidcclient.StepRegister, refused.Step)
}
