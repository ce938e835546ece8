package assertion_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// readProof verifies a proof with the key that is in it, and returns what it says.
func readProof(t *testing.T, proof string) (header struct {
	Type      string          `json:"typ"`
	Algorithm string          `json:"alg"`
	Key       json.RawMessage `json:"jwk"`
}, claims map[string]any, thumbprint string) {
	t.Helper()
	parts := strings.Split(proof, ".")
	require.Len(t, parts, 3)
	for i, into := range []any{&header, &claims} {
		text, err := jose.Decode(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	set, err := jwx.ParseKeySet([]byte(`{"keys":[`+string(header.Key)+`]}`), 1)
	require.NoError(t, err)
	require.Len(t, set, 1)
	signature, err := jose.Decode(parts[2])
	require.NoError(t, err)
	require.NoError(t, jose.Verify(header.Algorithm, set[0].Public, parts[0]+"."+parts[1], signature))
	thumbprint, err = assertion.Thumbprint(set[0].Public)
	require.NoError(t, err)
	return header, claims, thumbprint
}

// The values that RFC 9449 prints: the proofs of §4.1 and §7.1, the token that the
// second is for, and the thumbprint of their key (§6.1).
const (
	rfcToken      = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfcHash       = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
	rfcThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

	rfcProofHeader = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
	rfcTokenProof  = rfcProofHeader + "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfcCallProof   = rfcProofHeader + "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)

// What ours say of the same requests is what the printed ones say, but for the jti.
func TestProofsOfRFC9449(t *testing.T) {
	ours, err := assertion.NewProofKey("ES256")
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		printed string
		proof   assertion.Proof
	}{
		"token request §4.1": {rfcTokenProof, assertion.Proof{
			Method: http.MethodPost, URL: "https://server.example.com/token", IssuedAt: time.Unix(1562262616, 0),
		}},
		"call §7.1": {rfcCallProof, assertion.Proof{
			Method: http.MethodGet, URL: "https://resource.example.org/protectedresource", AccessToken: rfcToken, IssuedAt: time.Unix(1562262618, 0),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			printedHeader, printed, thumbprint := readProof(t, tt.printed)
			assert.Equal(t, rfcThumbprint, thumbprint)
			if tt.proof.AccessToken != "" {
				assert.Equal(t, rfcHash, printed["ath"])
			}
			signed, err := ours.Sign(t.Context(), tt.proof)
			require.NoError(t, err)
			header, claims, _ := readProof(t, signed)
			assert.Equal(t, printedHeader.Type, header.Type)
			assert.Equal(t, printedHeader.Algorithm, header.Algorithm)
			delete(printed, "jti")
			delete(claims, "jti")
			assert.Equal(t, printed, claims)
		})
	}
}

// The thumbprint that RFC 7638 §3.1 prints, and that of RFC 8037 appendix A.3.
func TestThumbprintsOfTheRFCs(t *testing.T) {
	for name, tt := range map[string]struct{ jwk, want string }{
		"RFC 7638": {`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		"RFC 8037": {`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := jwx.ParseKeySet([]byte(`{"keys":[`+tt.jwk+`]}`), 1)
			require.NoError(t, err)
			got, err := assertion.Thumbprint(set[0].Public)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := assertion.Thumbprint((*ecdsa.PublicKey)(nil))
	assert.Error(t, err)
}

func TestProofKeysOfEachAlgorithm(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "ES512", "EdDSA", "PS256"} {
		t.Run(alg, func(t *testing.T) {
			made, err := assertion.NewProofKey(alg)
			require.NoError(t, err)
			kept, err := made.PKCS8()
			require.NoError(t, err)
			key, err := assertion.ParseProofKey(kept)
			require.NoError(t, err)
			assert.Equal(t, made.Thumbprint(), key.Thumbprint())
			assert.Equal(t, alg, key.Algorithm())
			proof, err := key.Sign(t.Context(), assertion.Proof{Method: "GET", URL: "https://api.example/", Nonce: "n-1"})
			require.NoError(t, err)
			header, claims, thumbprint := readProof(t, proof)
			assert.Equal(t, alg, header.Algorithm)
			assert.Equal(t, made.Thumbprint(), thumbprint)
			assert.Equal(t, "n-1", claims["nonce"])
			var members map[string]any
			require.NoError(t, json.Unmarshal(header.Key, &members))
			for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
				assert.NotContains(t, members, private)
			}
		})
	}
}

func TestProofOfAURL(t *testing.T) {
	key, err := assertion.NewProofKey("EdDSA")
	require.NoError(t, err)
	for raw, want := range map[string]string{
		"https://api.example":                   "https://api.example/",
		"HTTPS://api.example/a?b=c#d":           "https://api.example/a",
		"https://api.example:8443/a%2Fb/":       "https://api.example:8443/a%2Fb/",
		"https://api.example/a&b":               "https://api.example/a&b",
		"/relative":                             "",
		"mailto:person@api.example":             "",
		"https://api.example/\x7f":              "",
		"":                                      "",
		"https://api.example/?access_token=abc": "https://api.example/",
	} {
		proof, err := key.Sign(t.Context(), assertion.Proof{Method: "GET", URL: raw})
		if want == "" {
			assert.Error(t, err, raw)
			continue
		}
		require.NoError(t, err, raw)
		_, claims, _ := readProof(t, proof)
		assert.Equal(t, want, claims["htu"])
	}
	_, err = key.Sign(t.Context(), assertion.Proof{URL: "https://api.example/"})
	assert.Error(t, err, "without a method")
}

func TestProofsAreNeverTheSame(t *testing.T) {
	key, err := assertion.NewProofKey("EdDSA")
	require.NoError(t, err)
	seen := map[any]bool{}
	for range 100 {
		proof, err := key.Sign(t.Context(), assertion.Proof{Method: "GET", URL: "https://api.example/", IssuedAt: now})
		require.NoError(t, err)
		_, claims, _ := readProof(t, proof)
		assert.False(t, seen[claims["jti"]])
		seen[claims["jti"]] = true
	}
}

func TestProofKeysThatAreRefused(t *testing.T) {
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	for name, key := range map[string]assertion.Key{
		"none":                  {},
		"secret":                {Secret: make([]byte, 32), Algorithm: "HS256"},
		"symmetric name":        {Signer: ed25519.NewKeyFromSeed(make([]byte, 32)), Algorithm: "HS256"},
		"never filled in":       {Signer: (*ecdsa.PrivateKey)(nil), Algorithm: "ES256"},
		"curve without a name":  {Signer: small},
		"algorithm of another":  {Signer: ed25519.NewKeyFromSeed(make([]byte, 32)), Algorithm: "ES256"},
		"no algorithm by name":  {Signer: ed25519.NewKeyFromSeed(make([]byte, 32)), Algorithm: "none"},
		"algorithm to be wrong": {Signer: ed25519.NewKeyFromSeed(make([]byte, 32)), Algorithm: "PS256"},
	} {
		_, err := assertion.ProofKeyOf(key)
		assert.Error(t, err, name)
	}
	for _, alg := range []string{"", "none", "HS256", "RS256", "RSA1_5", "es256"} {
		_, err := assertion.NewProofKey(alg)
		assert.Error(t, err, alg)
	}
	_, err = assertion.ParseProofKey([]byte("x"))
	assert.Error(t, err)
	var empty *assertion.ProofKey
	for _, key := range []*assertion.ProofKey{empty, {}} {
		_, err = key.Sign(t.Context(), assertion.Proof{Method: "GET", URL: "https://api.example/"})
		assert.Error(t, err)
		_, err = key.PKCS8()
		assert.Error(t, err)
		assert.Empty(t, key.Thumbprint()+key.Algorithm())
	}
}

func TestNothingPrintsProofKeys(t *testing.T) {
	seed := []byte("this seed is of thirty-two bytes")
	key, err := assertion.ProofKeyOf(assertion.Key{Signer: ed25519.NewKeyFromSeed(seed)})
	require.NoError(t, err)
	for _, value := range []any{key, *key, struct{ K *assertion.ProofKey }{key}, struct{ K assertion.ProofKey }{*key}} {
		text := written(t, value)
		for _, secret := range []string{string(seed[:8]), numbers(seed, "%d", " "), numbers(seed, "0x%x", ", "), fmt.Sprintf("%x", seed[:4])} {
			assert.NotContains(t, text, strings.ToLower(secret))
		}
	}
}

func ExampleProofKey() {
	key, err := assertion.NewProofKey("ES256")
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequest(http.MethodGet, "https://api.example/orders?open=true", nil)
	if err != nil {
		panic(err)
	}
	proof, err := key.Sign(req.Context(), assertion.Proof{Method: req.Method, URL: req.URL.String(), AccessToken: "token"})
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "DPoP token")
	req.Header.Set("DPoP", proof)
	fmt.Println(len(key.Thumbprint()), strings.Count(proof, "."))
	// Output: 43 2
}
