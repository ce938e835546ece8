package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// jwkOf writes a private key, and its public half.
func jwkOf(t *testing.T, kid, use string) (private, public map[string]string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	d, err := key.Bytes()
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	public = map[string]string{"kty": "EC", "crv": "P-256", "kid": kid, "use": use, "x": encode(point[1:33]), "y": encode(point[33:])}
	private = map[string]string{"d": encode(d)}
	for name, value := range public {
		private[name] = value
	}
	return private, public
}

// A provider that fetches this application's keys in the middle of a change, and whose
// published key the requests are encrypted to: all of it by the configuration file.
func TestChangeOfKeys(t *testing.T) {
	signs, _ := jwkOf(t, "present", "sig")
	_, next := jwkOf(t, "next", "sig")
	decrypts, _ := jwkOf(t, "decrypts", "enc")
	last, _ := jwkOf(t, "last", "enc")
	address := freeAddress(t)
	base := "http://" + address
	op, err := oidctest.New(oidctest.Config{AuthMethod: "private_key_jwt", ClientJWKSURI: base + "/jwks/op", RedirectURIs: []string{base + "/callback/op"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	set := func(keys ...map[string]string) map[string]any { return map[string]any{"keys": keys} }
	config, err := json.Marshal(map[string]any{"base_url": base, "clients": map[string]any{"op": map[string]any{
		"profile": "oidc", "issuer": op.Issuer(), "client_id": op.Client().ClientID, "redirect_uris": []string{base + "/callback/op"},
		"token_endpoint_auth_method": "private_key_jwt", "request": "object", "request_object_encryption_alg": "ECDH-ES+A128KW",
		"jwks": set(signs, decrypts), "published_jwks": set(next), "unpublished_jwks": set(last),
	}}})
	require.NoError(t, err)
	start(t, "-addr", address, "-config", write(t, "config.json", config))
	p := sit(t, base)
	answer, body := p.send(http.MethodGet, "/login/op", nil)
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	_, body = p.send(http.MethodGet, "/session", nil)
	assert.Contains(t, body, op.Issuer())
	_, body = p.send(http.MethodGet, "/jwks/op", nil)
	var published struct{ Keys []map[string]string }
	require.NoError(t, json.Unmarshal([]byte(body), &published))
	var kids []string
	for _, key := range published.Keys {
		kids = append(kids, key["kid"])
		assert.NotContains(t, key, "d")
	}
	assert.ElementsMatch(t, []string{"present", "next", "decrypts"}, kids)
}
