package oidcclient_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// headerOf reads the header of a compact serialisation.
func headerOf(t *testing.T, token string) map[string]any {
	t.Helper()
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	require.NoError(t, err)
	var header map[string]any
	require.NoError(t, json.Unmarshal(text, &header))
	return header
}

// encrypting returns the client that encrypts its requests so, at op.
func encrypting(t *testing.T, op *oidctest.Provider, how *assertion.Encryption) (*oidcclient.Client, error) {
	t.Helper()
	config, err := relying.Config(op)
	require.NoError(t, err)
	config.Carriage, config.RequestEncryption = oidcclient.CarryObject, how
	config.Key = &assertion.Key{Signer: op.Client().PrivateKey, ID: "s"}
	return oidcclient.New(config)
}

// Requests encrypted to what the provider publishes, with each pair of algorithms, and
// to each of its keys by kid.
func TestEncryptedRequests(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	var set struct {
		Keys []struct{ Kid, Use, Kty, Crv string }
	}
	require.NoError(t, json.Unmarshal(op.JWKS(), &set))
	kids := map[string][]string{}
	for _, key := range set.Keys {
		if key.Use == "enc" {
			family := map[string]string{"RSA": "RSA", "EC": "ECDH", "OKP": "ECDH"}[key.Kty]
			kids[family] = append(kids[family], key.Kid)
		}
	}
	require.Len(t, kids["RSA"], 1)
	require.Len(t, kids["ECDH"], 4, "P-256, P-384, P-521 and X25519")
	logins := func(alg, enc, kid string) {
		client, err := encrypting(t, op, &assertion.Encryption{Algorithm: alg, Encoding: enc, KeyID: kid})
		require.NoError(t, err)
		_, err = (&rig{op, client}).login(t.Context())
		require.NoError(t, err, "%s %s", alg, enc)
		sent := op.Sent(oidctest.StepAuthorize)
		object := sent[len(sent)-1].Query.Get("request")
		assert.Equal(t, 4, strings.Count(object, "."))
		header := headerOf(t, object)
		assert.Equal(t, []any{alg, enc, "JWT"}, []any{header["alg"], header["enc"], header["cty"]})
		if kid == "" {
			family, _, _ := strings.Cut(alg, "-")
			kid = kids[family][0] // the first that fits
		}
		assert.Equal(t, kid, header["kid"])
		assert.NotContains(t, header, "zip")
	}
	for _, alg := range []string{"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"} {
		for _, enc := range []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"} {
			logins(alg, enc, "")
		}
		family, _, _ := strings.Cut(alg, "-")
		for _, kid := range kids[family] {
			logins(alg, "A256GCM", kid)
		}
	}
}

// When the provider has no key that fits, a login fails before it is sent, by name.
func TestNoKeyToEncryptTo(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	client, err := encrypting(t, op, &assertion.Encryption{Algorithm: "ECDH-ES", Encoding: "A256GCM", KeyID: "of nobody"})
	require.NoError(t, err)
	_, _, err = client.Begin(t.Context(), oidcclient.BeginOptions{})
	var refused *oidcclient.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []any{oidcclient.StepBegin, oidcclient.FaultProvider, "request_encryption"}, []any{refused.Step, refused.Fault, refused.Check})
	assert.Equal(t, http.StatusBadGateway, refused.HTTPStatus())

	client, err = encrypting(t, op, &assertion.Encryption{Algorithm: "ECDH-ES", Encoding: "A256GCM"})
	require.NoError(t, err)
	op.Down(true)
	_, _, err = client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.ErrorAs(t, err, &refused)
	assert.True(t, refused.Retryable())
	op.Down(false)
}

func TestRequestEncryptionIsChecked(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	point := newSigner(t).Public()
	for name, how := range map[string]assertion.Encryption{
		"RSA1_5":           {Algorithm: "RSA1_5", Encoding: "A256GCM", Key: private.Public()},
		"dir":              {Algorithm: "dir", Encoding: "A256GCM"},
		"PBES2":            {Algorithm: "PBES2-HS256+A128KW", Encoding: "A256GCM"},
		"no enc":           {Algorithm: "ECDH-ES", Key: point},
		"EC for RSA":       {Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: point},
		"RSA for EC":       {Algorithm: "ECDH-ES", Encoding: "A256GCM", Key: private.Public()},
		"a nil key of RSA": {Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: (*rsa.PublicKey)(nil)},
		"a nil point":      {Algorithm: "ECDH-ES", Encoding: "A256GCM", Key: (*ecdsa.PublicKey)(nil)},
		"private":          {Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: private},
	} {
		_, err := encrypting(t, op, &how)
		var wrong *oidcclient.ConfigError
		require.ErrorAs(t, err, &wrong, name)
		assert.Equal(t, "RequestEncryption", wrong.Field, name)
	}
	for _, how := range []assertion.Encryption{
		{Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: private.Public()}, {Algorithm: "ECDH-ES", Encoding: "A256GCM", Key: point},
	} {
		_, err := encrypting(t, op, &how)
		assert.NoError(t, err)
	}
}
