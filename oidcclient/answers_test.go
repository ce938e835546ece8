package oidcclient_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// What was granted in detail is read as the application types it, survives sealing and a
// refresh, and is never taken for granted (RFC 9396 §7).
func TestAuthorizationDetailsOfAnAnswer(t *testing.T) {
	type payment struct {
		Type   string `json:"type"`
		Amount string `json:"amount"`
	}
	asked := []payment{{"payment", "1000.00"}}
	r := newRig(t, oidctest.Config{}, func(c *oidcclient.Config) {
		c.Authorize.AuthorizationDetails = `[{"type":"payment","amount":"1000.00"}]`
	})
	var answer any = []any{map[string]any{"type": "payment", "amount": "10.00"}}
	r.op.OnToken(func(i *oidctest.Issue) {
		if answer != nil && i.Answer != nil {
			i.Answer["authorization_details"] = answer
		}
	})
	session, err := r.login(t.Context())
	require.NoError(t, err)
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	sealed, err := sealer.SealSession(session)
	require.NoError(t, err)
	opened, err := sealer.OpenSession(sealed)
	require.NoError(t, err)
	answer = nil
	refreshed, err := r.client.Refresh(t.Context(), opened)
	require.NoError(t, err)
	for _, s := range []*oidcclient.Session{session, opened, refreshed} {
		granted := asked
		said, err := s.AuthorizationDetails(&granted)
		require.NoError(t, err)
		assert.True(t, said)
		assert.Equal(t, []payment{{"payment", "10.00"}}, granted, "less than was asked for")
	}
	silent, err := r.login(t.Context())
	require.NoError(t, err)
	granted := asked
	said, err := silent.AuthorizationDetails(&granted)
	require.NoError(t, err)
	assert.False(t, said, "nobody said that it was granted")
	answer = []any{}
	nothing, err := r.login(t.Context())
	require.NoError(t, err)
	said, err = nothing.AuthorizationDetails(&granted)
	require.NoError(t, err)
	assert.True(t, said, "that nothing was granted")
	assert.Empty(t, granted)
	for _, wrong := range []any{map[string]any{"type": "payment"}, []any{map[string]any{"TYPE": "payment"}}, []any{map[string]any{"amount": "1"}}, "payment"} {
		answer = wrong
		_, err := r.login(t.Context())
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused, "%v", wrong)
		assert.Contains(t, refused.Reason, "authorization_details")
	}
}

// Nothing that holds a secret shows it, however it is printed.
func TestPrintedSecrets(t *testing.T) {
	const secret = "TOP-SECRET"
	for _, value := range []any{
		oidcclient.RegistrationRequest{AccessToken: secret}, &oidcclient.RegistrationRequest{AccessToken: secret},
		oidcclient.Registrar{AccessToken: secret}, &oidcclient.Registrar{AccessToken: secret},
		oidcclient.Config{ClientSecret: secret}, &oidcclient.Config{ClientSecret: secret, Register: &oidcclient.RegistrationRequest{AccessToken: secret}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), secret, "%T %s", value, verb)
		}
		text, err := json.Marshal(value)
		require.NoError(t, err, "%T", value)
		assert.NotContains(t, string(text), secret)
	}
	var nobody *oidcclient.Session
	assert.Equal(t, "<nil>", fmt.Sprint(nobody), "and what is not there is not called redacted")
}

// What a program forgot is an error, and never a panic.
func TestForgotten(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	_, err := r.client.LogoutURL(t.Context(), nil, "")
	assert.Error(t, err)
	for name, transport := range map[string]*oidcclient.Transport{
		"Tokens": {Origins: []string{"https://api.example"}}, "Origins": {Tokens: &fixedTokens{}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example/", nil)
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		if resp != nil {
			_ = resp.Body.Close()
		}
		assert.ErrorContains(t, err, name)
	}
	for _, age := range []time.Duration{-time.Second, 1500 * time.Millisecond} {
		_, _, err := r.client.Begin(t.Context(), oidcclient.BeginOptions{MaxAge: &age})
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "max_age", refused.Check)
	}
	_, err = oidcclient.Registrar{}.Read(t.Context(), &oidcclient.Registration{})
	assert.ErrorContains(t, err, "RFC 7592")
}

// What was discovered can be read, and changing it changes nothing.
func TestProviderMetadataOfAClient(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	m, err := r.client.ProviderMetadata(t.Context())
	require.NoError(t, err)
	assert.Equal(t, r.op.Issuer(), m.Issuer)
	assert.NotEmpty(t, m.RegistrationEndpoint)
	require.NotEmpty(t, m.CodeChallengeMethods)
	m.CodeChallengeMethods[0] = "changed"
	again, err := r.client.ProviderMetadata(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "S256", again.CodeChallengeMethods[0])
}
