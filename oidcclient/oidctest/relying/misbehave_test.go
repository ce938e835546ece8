package relying_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

const redirectURI = "http://127.0.0.1:1/callback"

// visit logs in, asks for userinfo and refreshes.
func visit(ctx context.Context, client *oidcclient.Client) (*oidcclient.Session, error) {
	auth, pending, err := client.Begin(ctx, oidcclient.BeginOptions{})
	if err != nil {
		return nil, err
	}
	values, err := relying.Browse(ctx, redirectURI, auth)
	if err != nil {
		return nil, err
	}
	session, err := client.Complete(ctx, pending, values)
	if err != nil {
		return session, err
	}
	if session, err = client.UserInfo(ctx, session); err != nil {
		return session, err
	}
	return client.Refresh(ctx, session)
}

// newClient has the client's own timeout where timeout is zero.
func newClient(t *testing.T, op *oidctest.Provider, timeout time.Duration) *oidcclient.Client {
	t.Helper()
	config, err := relying.Config(op)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	config.HTTPClient = &http.Client{Timeout: timeout, Transport: transport}
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	return client
}

func TestMisbehavioursEndWhereTheyMust(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{SigningAlg: "ES256", RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	_, err = visit(t.Context(), newClient(t, op, 0))
	require.NoError(t, err, "the provider behaves")
	for _, m := range oidctest.Misbehaviours() {
		t.Run(m.Name, func(t *testing.T) {
			op.Misbehave(m)
			var patience time.Duration
			if strings.HasSuffix(m.Name, " slow") {
				patience = 250 * time.Millisecond
			}
			session, err := visit(t.Context(), newClient(t, op, patience))
			op.Misbehave(oidctest.Misbehaviour{})
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed)
			assert.Nil(t, session)
			assert.Equal(t, m.Step, string(failed.Step), failed)
			assert.Equal(t, m.Check, failed.Check, failed)
			assert.Equal(t, m.Outage, failed.Retryable(), failed)
			for _, foreign := range []string{"hotel", "other.example", "foreign-client", "foreign-subject", "not now", "eyJ"} {
				assert.NotContains(t, err.Error(), foreign)
			}
			_, err = visit(t.Context(), newClient(t, op, 0))
			assert.NoError(t, err, "it behaves again")
		})
	}
	for _, r := range op.Requests() {
		assert.NotEqual(t, oidctest.Elsewhere, r.Path, "a redirect was followed")
	}
}

func TestMisbehavioursAreNamed(t *testing.T) {
	checks := map[string]bool{"": true, "issuer": true, "parameters": true, "state": true, "iss": true, "code": true, "token_type": true, "access_token": true, "userinfo sub": true}
	for _, c := range idtoken.Checks() {
		checks[c.String()] = true
	}
	steps := []string{"discovery", "callback", "code exchange", "identity", "userinfo", "refresh"}
	seen := map[string]bool{}
	for _, m := range oidctest.Misbehaviours() {
		assert.False(t, seen[m.Name], m.Name)
		seen[m.Name] = true
		assert.NotEmpty(t, m.About, m.Name)
		assert.Regexp(t, `^T[0-9]{2}$`, m.Class, m.Name)
		assert.Contains(t, steps, m.Step, m.Name)
		assert.True(t, checks[m.Check], m.Name)
	}
}
