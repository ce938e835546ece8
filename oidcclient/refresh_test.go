package oidcclient

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

// refreshable is a session of anna's that can be refreshed.
func refreshable() *Session {
	return &Session{data: sessionData{
		Version: sessionVersion, ClientID: "client", Issuer: "https://op.example", Subject: "anna", AccessToken: "first", RefreshToken: "used",
	}}
}

// rotatedWith is a token response with another refresh token and an ID token of anna's.
func rotatedWith(t *testing.T, idToken string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"access_token": "second", "token_type": "Bearer", "refresh_token": "rotated", "id_token": idToken})
	require.NoError(t, err)
	return string(body)
}

func annasToken(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	return signing(t, key, map[string]any{"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60})
}

// signedKeys returns a key and the source that knows it.
func signedKeys(t *testing.T) (*ecdsa.PrivateKey, idtoken.KeySource) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	return key, keys
}

// What is wrong beside the tokens of a refresh is no reason to lose them.
func TestRefreshWithAnotherMemberWrong(t *testing.T) {
	signer, keys := signedKeys(t)
	others, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	const good, kept, lost = "good", "an error with the session", "an error"
	for member, want := range map[string]string{
		`"expires_in":60`:              good,
		`"authorization_details":[]`:   good,
		`"expires_in":9223372036`:      good,
		`"expires_in":-1`:              kept,
		`"expires_in":"soon"`:          kept,
		`"scope":["a"]`:                kept,
		`"id_token":{}`:                kept,
		`"authorization_details":[{}]`: kept,
		`"authorization_details":[{"type":"` + strings.Repeat("x", maxToken) + `"}]`: kept,
		`"expires_in":-1,"id_token":"` + annasToken(t, signer) + `"`:                 kept,
		`"expires_in":-1,"id_token":"` + annasToken(t, others) + `"`:                 lost,
		`"token_type":"mac"`: lost,
	} {
		t.Run(member[:min(len(member), 60)], func(t *testing.T) {
			kind := `"token_type":"Bearer",`
			if strings.HasPrefix(member, `"token_type"`) {
				kind = ""
			}
			network := &pushing{status: 200, kind: "application/json", body: `{"access_token":"second",` + kind + `"refresh_token":"rotated",` + member + `}`}
			c := staticClient(t, func(c *Config) { c.HTTPClient, c.Keys, c.Algorithm = network.client(), keys, "ES256" })
			fresh, err := c.Refresh(t.Context(), refreshable())
			var e *Error
			if errors.As(err, &e) {
				fresh = e.Session
				assert.Equal(t, FaultProvider != e.Fault, e.LoginAgain())
			}
			require.Equal(t, want == good, err == nil, err)
			require.Equal(t, want != lost, fresh != nil, err)
			if want != lost {
				assert.Equal(t, []string{"second", "rotated"}, []string{fresh.data.AccessToken, fresh.data.RefreshToken})
				assert.LessOrEqual(t, len(fresh.data.Details), maxToken)
			}
		})
	}
}

// An ID token of a refresh makes no login of a session that identifies nobody, whose nonce,
// acr and age nobody has asked for.
func TestRefreshIdentifiesNobodyAnew(t *testing.T) {
	signer, keys := signedKeys(t)
	network := &pushing{status: 200, kind: "application/json", body: rotatedWith(t, annasToken(t, signer))}
	c := staticClient(t, func(c *Config) { c.Keys, c.Algorithm, c.HTTPClient = keys, "ES256", network.client() })
	for _, subject := range []string{"anna", ""} {
		s := refreshable()
		s.data.Subject = subject
		fresh, err := c.Refresh(t.Context(), s)
		require.NoError(t, err)
		assert.Equal(t, subject, fresh.Subject())
		assert.Equal(t, subject != "", fresh.IDToken() != nil)
		assert.Equal(t, "rotated", fresh.data.RefreshToken)
	}
}

// vault has a decryption key beyond a network.
type vault struct {
	*ecdh.PrivateKey
	fails error
}

func (v vault) ECDHContext(_ context.Context, remote *ecdh.PublicKey) ([]byte, error) {
	if v.fails != nil {
		return nil, v.fails
	}
	return v.ECDH(remote)
}

// While the key to decrypt the new ID token is not reached, the new tokens are not lost.
func TestRefreshWhileADeviceIsDown(t *testing.T) {
	signer, keys := signedKeys(t)
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		fails error
		fault Fault
	}{
		"reached":          {nil, 0},
		"not reached":      {fmt.Errorf("vault: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}), FaultOutage},
		"can't decrypt it": {errors.New("object handle invalid"), FaultAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			network := &pushing{status: 200, kind: "application/json"}
			c := staticClient(t, func(c *Config) {
				c.Keys, c.Algorithm, c.HTTPClient, c.IDTokenEncrypted = keys, "ES256", network.client(), &Encrypted{Algorithm: "ECDH-ES", Encoding: "A256GCM"}
				c.DecryptionKeys = []DecryptionKey{{ID: "d", Private: vault{private, tt.fails}}}
			})
			published, err := c.PublicJWKS()
			require.NoError(t, err)
			set, err := jwx.ParsePublicSet(published, 1)
			require.NoError(t, err)
			sealed, err := jwx.Encrypt("ECDH-ES", "A256GCM", set[0].Public, map[string]string{"kid": "d", "cty": "JWT"}, []byte(annasToken(t, signer)))
			require.NoError(t, err)
			network.body = rotatedWith(t, sealed)
			fresh, err := c.Refresh(t.Context(), refreshable())
			if tt.fails == nil {
				require.NoError(t, err)
				assert.Equal(t, "rotated", fresh.data.RefreshToken)
				return
			}
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.fault, e.Fault, err)
			assert.Equal(t, tt.fault == FaultAnswer, e.LoginAgain())
			if tt.fault == FaultOutage {
				require.NotNil(t, e.Session)
				assert.Equal(t, "rotated", e.Session.data.RefreshToken)
			}
		})
	}
}
