package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/conformance"
)

// A provider that is known by its trust anchor alone, and that knows the application
// in the same way: all of it by the configuration file.
func TestFederation(t *testing.T) {
	address := freeAddress(t)
	base := "http://" + address
	op := conformance.New(false)
	t.Cleanup(op.Close)
	op.Alg, op.Now = "ES256", time.Now()
	op.Client = conformance.Client{ID: base + "/rp/op", RedirectURI: base + "/callback/op"}
	joined := op.JoinFederation()
	members := func(clientID string) []byte {
		config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"op": map[string]any{
			"profile": "oidc", "issuer": op.Issuer, "client_id": clientID, "redirect_uris": []string{op.Client.RedirectURI},
			"jwks": privateJWKS(t), "id_token_signed_response_alg": "ES256", "federation": map[string]any{
				"trust_anchors":   []any{map[string]any{"entity_id": joined.Anchor, "jwks": map[string]any{"keys": []any{joined.AnchorKey.JWK}}}},
				"authority_hints": []string{joined.Anchor}, "jwks": privateJWKS(t),
			},
		}}})
		require.NoError(t, err)
		return config
	}
	start(t, "-addr", address, "-config", write(t, "config.json", members(op.Client.ID)))
	p := sit(t, base)
	answer, _ := p.send(http.MethodGet, "/rp/op/.well-known/openid-federation", nil)
	assert.Equal(t, "application/entity-statement+jwt", answer.Header.Get("Content-Type"))
	answer, body := p.send(http.MethodGet, "/login/op", nil)
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	_, body = p.send(http.MethodGet, "/session", nil)
	var session struct{ Client, Issuer string }
	require.NoError(t, json.Unmarshal([]byte(body), &session), body)
	assert.Equal(t, []string{"op", op.Issuer}, []string{session.Client, session.Issuer})
	assert.Empty(t, op.Calls(conformance.Discovery))

	for _, elsewhere := range []string{"https://elsewhere.example/rp", base + "/{id}", base + "/a.b"} {
		_, err := open(write(t, "wrong.json", members(elsewhere)), base, slog.New(slog.DiscardHandler))
		assert.ErrorContains(t, err, "client_id", elsewhere)
	}
}

// privateJWKS is a set with one private key.
func privateJWKS(t *testing.T) any {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := key.Bytes()
	require.NoError(t, err)
	public, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "kid": "1", "x": encode(public[1:33]), "y": encode(public[33:]), "d": encode(private),
	}}}
}
