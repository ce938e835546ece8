package oidcclient

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// signing signs what a provider would.
func signing(t *testing.T, key *ecdsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	payload = bytes.ReplaceAll(payload, []byte(`\u003c`), []byte("<")) // as others write it
	input := jose.Encode([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + jose.Encode(payload)
	signature, err := jose.Sign(t.Context(), "ES256", key, input)
	require.NoError(t, err)
	return input + "." + jose.Encode(signature)
}

// A signed response goes as far as the code exchange, which the network refuses
// here, and each bad one ends before.
func TestSignedResponse(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	network := &pushing{status: 400, kind: "application/json", body: `{"error":"invalid_grant"}`}
	client := func(mode string) *Client {
		return staticClient(t, func(c *Config) {
			c.ResponseMode, c.Keys, c.HTTPClient = mode, keys, network.client()
			if isSignedMode(mode) {
				c.ResponseAlgorithm = "ES256"
			}
			c.Provider.ResponseIssuerSupported = true
		})
	}
	for _, mode := range []string{"jwt", "query.jwt", "form_post.jwt", "fragment.jwt"} {
		c := client(mode)
		auth, pending, err := c.Begin(t.Context(), BeginOptions{})
		require.NoError(t, err)
		u, err := url.Parse(auth.URL)
		require.NoError(t, err)
		assert.Equal(t, mode, u.Query().Get("response_mode"))
		assert.Equal(t, mode == "form_post.jwt", pending.Posted())
		response := func(change map[string]any) url.Values {
			claims := map[string]any{"iss": "https://op.example", "aud": "client", "exp": testNow.Unix() + 60, "code": "the-code", "state": pending.State()}
			maps.Copy(claims, change)
			maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
			return url.Values{"response": {signing(t, key, claims)}}
		}
		beside := func(name, value string) url.Values {
			values := response(nil)
			values.Add(name, value)
			return values
		}
		for name, tt := range map[string]struct {
			values url.Values
			check  string
			code   string
		}{
			"good":              {response(nil), "", "invalid_grant"},
			"an error":          {response(map[string]any{"code": nil, "error": "access_denied"}), "", "access_denied"},
			"another issuer":    {response(map[string]any{"iss": "https://op.example1"}), "iss", ""},
			"no issuer":         {response(map[string]any{"iss": nil}), "iss", ""},
			"another audience":  {response(map[string]any{"aud": "client1"}), "aud", ""},
			"no audience":       {response(map[string]any{"aud": nil}), "aud", ""},
			"expired":           {response(map[string]any{"exp": testNow.Unix() - 60}), "exp", ""},
			"no expiry":         {response(map[string]any{"exp": nil}), "exp", ""},
			"another state":     {response(map[string]any{"state": "x"}), "state", ""},
			"no state":          {response(map[string]any{"state": nil}), "state", ""},
			"tokens in it":      {response(map[string]any{"access_token": "at"}), "parameters", ""},
			"unsigned":          {url.Values{"code": {"the-code"}, "state": {pending.State()}, "iss": {"https://op.example"}}, "response", ""},
			"a code beside it":  {beside("code", "x"), "response", ""},
			"a state beside it": {beside("state", pending.State()), "response", ""},
			"twice":             {url.Values{"response": {"a.b.c", "a.b.c"}}, "response", ""},
			"empty":             {url.Values{"response": {""}}, "shape", ""},
			"no JWT":            {url.Values{"response": {"x"}}, "shape", ""},
		} {
			sent := len(network.sent)
			_, err := c.Complete(t.Context(), pending, tt.values)
			var refused *Error
			require.ErrorAs(t, err, &refused, name)
			assert.Equal(t, tt.code, refused.Code, name)
			assert.Equal(t, tt.check, refused.Check, name)
			assert.Equal(t, name == "good", len(network.sent) > sent, "%s: the code is sent for a good one only", name)
		}
		plain := client("query")
		_, err = plain.Complete(t.Context(), pending, response(nil))
		assert.ErrorContains(t, err, "another response mode")
	}
}

// What is agreed about signed responses is refused where none are asked for.
func TestSettingsOfSignedResponses(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"ResponseAlgorithm": func(c *Config) { c.ResponseAlgorithm = "ES256" },
		"ResponseEncrypted": func(c *Config) { c.ResponseEncrypted = &Encrypted{Algorithm: "RSA-OAEP-256"} },
	} {
		config := Config{
			Profile: Profile{Name: "x"}, Issuer: "https://op.example", ClientID: "c", ClientSecret: "s", ResponseMode: "jwt",
			DecryptionKeys: []DecryptionKey{{ID: "d", Private: fapiRSA()}},
		}
		change(&config)
		_, err := New(config)
		require.NoError(t, err)
		config.ResponseMode = ""
		_, err = New(config)
		var wrong *ConfigError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, field, wrong.Field)
		assert.Contains(t, wrong.Reason, "only for signed responses")
	}
}

// A signed response waits for the provider's keys: while it can't be found, nothing is
// believed.
func TestSignedResponseWithoutProvider(t *testing.T) {
	c := discoveringClient(t, func(*http.Request) (int, string, string) { return 0, "", "" }, func(c *Config) { c.ResponseMode = "jwt" })
	_, err := c.ReadResponse(t.Context(), url.Values{"response": {"a.b.c"}})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []any{StepDiscover, FaultOutage}, []any{refused.Step, refused.Fault})
}

// Nothing that counts stands unsigned beside a signed response.
func TestParametersBesideASignedResponse(t *testing.T) {
	c := staticClient(t, func(c *Config) { c.ResponseMode = "jwt" })
	for _, name := range []string{"code", "state", "error", "access_token", "id_token"} {
		_, err := c.ReadResponse(t.Context(), url.Values{"response": {"a.b.c"}, name: {"x"}})
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "response", refused.Check)
		assert.Contains(t, refused.Reason, "beside", name)
	}
}
