package interop_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

// testCarriage logs in with the request pushed and in request objects (RFC 9101,
// RFC 9126).
func testCarriage(t *testing.T, rp *relyingParty, op *engine) {
	for name, change := range map[string]func(*oidcclient.Config){
		"pushed with a secret": func(c *oidcclient.Config) { c.Carriage = oidcclient.CarryPushed },
		"pushed with a posted secret": func(c *oidcclient.Config) {
			c.ClientID, c.AuthMethod, c.Carriage = "post", "client_secret_post", oidcclient.CarryPushed
		},
		"pushed by a public client": func(c *oidcclient.Config) {
			c.ClientID, c.ClientSecret, c.AuthMethod, c.Carriage = "public", "", "none", oidcclient.CarryPushed
		},
		"pushed with an assertion for the issuer":         keyed(t, rp, oidcclient.CarryPushed, "issuer"),
		"pushed with an assertion for the token endpoint": keyed(t, rp, oidcclient.CarryPushed, "token_endpoint"),
		"pushed with an assertion for the endpoint":       keyed(t, rp, oidcclient.CarryPushed, "endpoint"),
		"object":        keyed(t, rp, oidcclient.CarryObject, "issuer"),
		"pushed object": keyed(t, rp, oidcclient.CarryPushedObject, "issuer"),
		// Encrypted to the key that the provider publishes.
		"object encrypted to an RSA key": encrypting("RSA-OAEP-256", "A256GCM", keyed(t, rp, oidcclient.CarryObject, "issuer")),
		"object encrypted to an EC key":  encrypting("ECDH-ES", "A128CBC-HS256", keyed(t, rp, oidcclient.CarryObject, "issuer")),
		"pushed object encrypted":        encrypting("ECDH-ES", "A256GCM", keyed(t, rp, oidcclient.CarryPushedObject, "issuer")),
	} {
		t.Run(name, func(t *testing.T) {
			config := rp.config(op.issuer, "basic", secret)
			change(&config)
			client := newClient(t, config)
			session, err := newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{LoginHint: "bob", Prompt: []string{"consent"}})
			require.NoError(t, err)
			assert.Equal(t, "bob", session.Subject(), "the provider has read the request")
			if config.RequestEncryption != nil && config.Carriage == oidcclient.CarryObject {
				auth, _, err := client.Begin(t.Context(), oidcclient.BeginOptions{})
				require.NoError(t, err)
				sent, err := url.Parse(auth.URL)
				require.NoError(t, err)
				assert.Equal(t, 4, strings.Count(sent.Query().Get("request"), "."), "and nobody else can")
			}
		})
	}
	t.Run("somebody else's key", func(t *testing.T) {
		config := rp.config(op.issuer, "keyjwt", "")
		keyed(t, rp, oidcclient.CarryPushed, "https://elsewhere.example")(&config)
		_, _, err := newClient(t, config).Begin(t.Context(), oidcclient.BeginOptions{})
		var failed *oidcclient.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, oidcclient.StepPush, failed.Step)
		assert.Equal(t, "invalid_client", failed.Code)
	})
}

// encrypting makes a client encrypt its requests beyond that.
func encrypting(alg, enc string, change func(*oidcclient.Config)) func(*oidcclient.Config) {
	return func(c *oidcclient.Config) {
		change(c)
		c.RequestEncryption = &assertion.Encryption{Algorithm: alg, Encoding: enc}
	}
}

// keyed makes a client that signs with a key of its own.
func keyed(t *testing.T, rp *relyingParty, carriage oidcclient.Carriage, audience string) func(*oidcclient.Config) {
	return func(c *oidcclient.Config) {
		c.ClientID, c.ClientSecret, c.AuthMethod = "keyjwt", "", "private_key_jwt"
		c.Key, c.AssertionAudience, c.Carriage = rp.key(t, "ES256"), audience, carriage
	}
}
