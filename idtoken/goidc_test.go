package idtoken_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

func issueToken(t testing.TB, key crypto.Signer, claims string) string {
	input := jose.Encode([]byte(`{"alg":"ES256"}`)) + "." + jose.Encode([]byte(claims))
	signature, err := jose.Sign(t.Context(), "ES256", key, input)
	require.NoError(t, err)
	return input + "." + jose.Encode(signature)
}

// The key sources of both libraries serve the other.
func TestKeySetsOfGoOIDC(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	raw := issueToken(t, key, fmt.Sprintf(`{"iss":"https://op.example","aud":"client","sub":"anna","iat":%d,"exp":%d}`, now.Unix(), now.Unix()+60))

	theirs := &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}}
	verifier, err := idtoken.NewVerifier(idtoken.Config{Issuer: "https://op.example", ClientID: "client", Algorithms: []string{"ES256"}, Keys: theirs})
	require.NoError(t, err)
	token, err := verifier.Verify(t.Context(), raw, idtoken.Expect{})
	require.NoError(t, err)
	assert.Equal(t, "anna", token.Subject())

	ours, err := idtoken.PinnedPublicKeys(key.Public())
	require.NoError(t, err)
	got, err := oidc.NewVerifier("https://op.example", ours, &oidc.Config{ClientID: "client", SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), raw)
	require.NoError(t, err)
	assert.Equal(t, "anna", got.Subject)

	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	forged := issueToken(t, stranger, `{}`)
	_, err = verifier.Verify(t.Context(), forged, idtoken.Expect{})
	assert.ErrorContains(t, err, "signature")
	_, err = ours.VerifySignature(t.Context(), forged)
	assert.Error(t, err)
}

// A RemoteKeySet that is answered no keys says nothing against a token; one that has
// them refuses a forged one.
func TestRemoteKeySetOfGoOIDC(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	claims := fmt.Sprintf(`{"iss":"https://op.example","aud":"client","sub":"anna","iat":%d,"exp":%d}`, now.Unix(), now.Unix()+60)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		status int
		body   string
		signer *ecdsa.PrivateKey
		check  idtoken.Check // 0: believed
		later  bool
	}{
		"good":                  {200, string(set), key, 0, false},
		"forged":                {200, string(set), stranger, idtoken.CheckSignature, false},
		"no keys":               {200, `{"keys":[]}`, key, idtoken.CheckSignature, false},
		"unavailable":           {503, "down", key, idtoken.CheckKey, true},
		"an error":              {500, "down", key, idtoken.CheckKey, true},
		"no JSON":               {200, "<html>", key, idtoken.CheckKey, true},
		"forged, and no answer": {503, "down", stranger, idtoken.CheckKey, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			theirs := oidc.NewRemoteKeySet(t.Context(), server.URL)
			verifier, err := idtoken.NewVerifier(idtoken.Config{Issuer: "https://op.example", ClientID: "client", Algorithms: []string{"ES256"}, Keys: theirs})
			require.NoError(t, err)
			_, err = verifier.Verify(t.Context(), issueToken(t, tt.signer, claims), idtoken.Expect{})
			if tt.check == 0 {
				require.NoError(t, err)
				return
			}
			var refused *idtoken.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.check, refused.Check)
			assert.Equal(t, tt.later, refused.Retryable())
			assert.NoError(t, refused.Unwrap(), "it would quote the answer or the token")
		})
	}
}

func ExampleVerifier_Verify() {
	// A JWK Set, as it is published at jwks_uri or given by the provider.
	keys, err := idtoken.PinnedKeys([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1",
		"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := idtoken.NewVerifier(idtoken.Config{
		Issuer: "https://op.example", ClientID: "client", Algorithms: []string{"EdDSA"}, Keys: keys,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = verifier.Verify(context.Background(), "eyJhbGciOiJub25lIn0.e30.AA", idtoken.Expect{Nonce: "n"})
	fmt.Println(err)
	// Output: idtoken: header: alg is not what was agreed (EdDSA)
}
