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
