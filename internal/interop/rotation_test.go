package interop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

// testRotation changes the client's key at a provider that fetches its keys and keeps
// them: with overlap nothing is refused, whatever it knows yet.
func testRotation(t *testing.T, rp *relyingParty, op *engine) {
	keys := map[string]*ecdsa.PrivateKey{}
	for _, id := range []string{"first", "second"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		keys[id] = key
	}
	signingWith := func(signing, published string) *oidcclient.Client {
		config := rp.config(op.issuer, "keyjwt-uri", "")
		config.AuthMethod, config.Key = "private_key_jwt", &assertion.Key{Signer: keys[signing], ID: signing}
		config.PublishedKeys = []oidcclient.PublishedKey{{ID: published, Public: keys[published].Public()}}
		return newClient(t, config)
	}
	before, after := signingWith("first", "second"), signingWith("second", "first")
	login := func(c *oidcclient.Client) *oidcclient.Session {
		session, err := newBrowser(t, rp.origin).login(t, c, offline())
		require.NoError(t, err)
		assert.Equal(t, "alice", session.Subject())
		return session
	}
	publish := func(c *oidcclient.Client) {
		set, err := c.PublicJWKS()
		require.NoError(t, err)
		rp.jwks.Store(set)
	}
	publish(before)
	session := login(before)
	// The provider has fetched the set and keeps it: the second key is in it.
	publish(after)
	login(after)
	login(before) // on a machine that has not been told
	_, err := after.Refresh(t.Context(), session)
	require.NoError(t, err)
}
