package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// A provider found by a URL, at which the application registers itself, and that
// fetches its requests: all of it by the configuration file.
func TestDynamicClient(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	op, err := oidctest.New(oidctest.Config{ClientKey: key.Public(), InitialAccessToken: "initial"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	address := freeAddress(t)
	base := "http://" + address
	config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"op": map[string]any{
		"profile": "oidc", "webfinger": op.URL() + "/anna", "dynamic_registration": true, "initial_access_token": "initial",
		"redirect_uris": []string{base + "/callback/op"}, "backchannel_logout_uri": base + "/backchannel-logout/op",
		"request": "uri", "request_object_signing_alg": "ES256", "userinfo": true, "default_acr_values": []string{"1"},
		"private_key_file": write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}}})
	require.NoError(t, err)
	op.Down(true)
	start(t, "-addr", address, "-config", write(t, "config.json", config))
	p := sit(t, base)
	answer, _ := p.send(http.MethodGet, "/login/op", nil)
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode, "a provider that is down does not stop the program")
	op.Down(false)
	answer, body := p.send(http.MethodGet, "/login/op", nil)
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	_, body = p.send(http.MethodGet, "/session", nil)
	var session struct{ Client, Issuer string }
	require.NoError(t, json.Unmarshal([]byte(body), &session), body)
	assert.Equal(t, []string{"op", op.Issuer()}, []string{session.Client, session.Issuer})

	sent := op.Sent(oidctest.StepRegister)
	require.Len(t, sent, 1)
	var registered map[string]any
	require.NoError(t, json.Unmarshal(sent[0].Body, &registered))
	for name, want := range map[string]any{
		"request_uris": []any{base + "/request/op/"}, "backchannel_logout_uri": base + "/backchannel-logout/op",
		"request_object_signing_alg": "ES256", "default_acr_values": []any{"1"},
	} {
		assert.Equal(t, want, registered[name], name)
	}
	assert.NotEmpty(t, registered["jwks"])
	assert.NotContains(t, string(sent[0].Body), `"d"`, "no private key")
	authorize := op.Sent(oidctest.StepAuthorize)
	require.Len(t, authorize, 1)
	assert.Contains(t, authorize[0].Query.Get("request_uri"), base+"/request/op/")
	// The same client for the next login.
	sit(t, base).send(http.MethodGet, "/login/op", nil)
	assert.Len(t, op.Sent(oidctest.StepRegister), 1)
}
