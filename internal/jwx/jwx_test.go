package jwx_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jwx"
)

// The public keys of RFC 7517 appendix A.1 and RFC 8037 appendix A.2.
const (
	ecJWK = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}`
	edJWK = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA","key_ops":["verify"]}`
)

func TestParseKeySet(t *testing.T) {
	keys, err := jwx.ParseKeySet([]byte(`{"keys":[`+ecJWK+`,`+edJWK+`],"more":1}`), 2)
	require.NoError(t, err)
	require.Len(t, keys, 2)
	assert.Equal(t, "1", keys[0].ID)
	assert.Equal(t, "enc", keys[0].Use)
	assert.IsType(t, &ecdsa.PublicKey{}, keys[0].Public)
	assert.Equal(t, "EdDSA", keys[1].Algorithm)
	assert.Equal(t, []string{"verify"}, keys[1].Ops)
	assert.IsType(t, ed25519.PublicKey{}, keys[1].Public)
}

func TestParseKeySetPassesOver(t *testing.T) {
	for name, bad := range map[string]string{
		"unknown type":  `{"kty":"XX"}`,
		"no type":       `{}`,
		"not an object": `7`,
		"null":          `null`,
		"symmetric":     `{"kty":"oct","k":"AAAA"}`,
		"private":       strings.Replace(ecJWK, `"use"`, `"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use"`, 1),
		"off the curve": strings.Replace(ecJWK, "4Etl6", "5Etl6", 1),
		"unknown curve": strings.Replace(ecJWK, "P-256", "secp256k1", 1),
		"no coordinate": strings.Replace(ecJWK, `"y"`, `"z"`, 1),
		"double member": strings.Replace(ecJWK, `"kid"`, `"kty":"EC","kid"`, 1),
		"kid a number":  strings.Replace(ecJWK, `"1"`, `1`, 1),
		"short Ed25519": strings.Replace(edJWK, "HURo", "", 1),
		"RSA without n": `{"kty":"RSA","e":"AQAB"}`,
		"huge":          `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("A", 65<<10) + `"}`,
		"long exponent": `{"kty":"RSA","e":"AQAAAAAAAQAB","n":"` + strings.Repeat("_", 344) + `"}`,
		"larger":        strings.Replace(edJWK, `"alg"`, `"more":"`+strings.Repeat("A", 64<<10)+`","alg"`, 1),
		"key_ops":       strings.Replace(edJWK, `["verify"]`, `7`, 1),
		"other case":    strings.Replace(edJWK, `"kty"`, `"KTY"`, 1),
		"x other case":  strings.Replace(edJWK, `"x"`, `"X"`, 1),
		"padding":       strings.Replace(edJWK, "HURo", "HURo=", 1),
		"line break":    strings.Replace(edJWK, "HURo", `HU\nRo`, 1),
		"trailing bits": strings.Replace(edJWK, "HURo", "HURp", 1),
		"short X25519":  `{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcH"}`,
		"X448":          `{"kty":"OKP","crv":"X448","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	} {
		keys, err := jwx.ParseKeySet([]byte(`{"keys":[`+bad+`,`+edJWK+`]}`), 10)
		if name == "double member" {
			assert.Error(t, err, "a text that two readers understand differently is lost as a whole")
			continue
		}
		require.NoError(t, err, name)
		assert.Len(t, keys, 1, name)
	}
	for name, text := range map[string]string{
		"nothing": ``, "array": `[]`, "no keys": `{}`, "keys null": `{"keys":null}`, "keys object": `{"keys":{}}`,
		"too many": `{"keys":[{},{}]}`, "twice": `{"keys":[],"keys":[]}`, "deep": `{"keys":[` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `]}`,
	} {
		_, err := jwx.ParseKeySet([]byte(text), 1)
		assert.Error(t, err, name)
	}
}

// The key beside "long exponent" above: without its exponent it is a good one.
func TestParseKeySetReadsExponents(t *testing.T) {
	for e, want := range map[string]int{"Aw": 3, "AQAB": 65537, "AAEAAQ": 65537, "f____w": 1<<31 - 1} {
		keys, err := jwx.ParseKeySet([]byte(`{"keys":[{"kty":"RSA","e":"`+e+`","n":"`+strings.Repeat("_", 344)+`"}]}`), 1)
		require.NoError(t, err)
		require.Len(t, keys, 1, e)
		assert.Equal(t, want, keys[0].Public.(*rsa.PublicKey).E)
	}
}

func TestMarshalPublic(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	text, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := jwx.ParseKeySet(text, 1)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.True(t, key.PublicKey.Equal(keys[0].Public))
	assert.Equal(t, "k", keys[0].ID)
}

func TestEncryptRefuses(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, err = jwx.Encrypt("RSA-OAEP", "A256GCM", key.Public(), map[string]string{"typ": "JWT"}, []byte("x"))
	require.NoError(t, err)
	for _, pair := range [][2]string{{"RSA1_5", "A256GCM"}, {"dir", "A256GCM"}, {"RSA-OAEP", "A128"}, {"A256KW", "A256GCM"}, {"ECDH-1PU", "A256GCM"}, {"PBES2-HS256+A128KW", "A256GCM"}, {"", ""}} {
		_, err := jwx.Encrypt(pair[0], pair[1], key.Public(), nil, []byte("x"))
		assert.ErrorIs(t, err, jwx.ErrEncryption)
	}
	_, err = jwx.Encrypt("RSA-OAEP", "A256GCM", key.Public(), map[string]string{"jwk": "not a key"}, []byte("x"))
	assert.Error(t, err)
	_, err = jwx.Encrypt("RSA-OAEP", "A256GCM", ed25519.PublicKey{}, nil, []byte("x"))
	assert.Error(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	_, err = jwx.Encrypt("RSA-OAEP", "A256GCM", weak.Public(), nil, []byte("x"))
	assert.Error(t, err)
	_, err = jwx.MarshalPublic([]jwx.Key{{Public: nil}})
	assert.Error(t, err)
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	ecPrivate := strings.Replace(ecJWK, `"use"`, `"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use"`, 1)
	_, kid, _, err := jwx.ParsePrivateKey([]byte(ecPrivate))
	require.NoError(t, err)
	assert.Equal(t, "1", kid)
	for name, text := range map[string]string{
		"public": edJWK, "symmetric": `{"kty":"oct","k":"AAAA"}`, "nothing": ``,
		"short seed":   `{"kty":"OKP","crv":"Ed25519","d":"AA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"another half": `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"21qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"short RSA":    `{"kty":"RSA","n":"AQ","e":"AQ","d":"AQ","p":"AQ","q":"AQ"}`,
		"twice":        strings.Replace(ecPrivate, `"kty"`, `"crv":"P-256","kty"`, 1),
		"long":         strings.Replace(ecPrivate, `"kty"`, `"more":"`+strings.Repeat("A", 64<<10)+`","kty"`, 1),
		"zero EC":      `{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}`,
	} {
		assert.NotPanics(t, func() {
			_, _, _, err := jwx.ParsePrivateKey([]byte(text))
			assert.Error(t, err, name)
		}, name)
	}
}

func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[` + ecJWK + `,` + edJWK + `]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := jwx.ParseKeySet(text, 20)
		if err == nil {
			for _, key := range keys {
				if key.Public == nil {
					t.Fatal("a key without a key")
				}
			}
		}
		_, _, _, _ = jwx.ParsePrivateKey(text)
		_, _, _, _ = jwx.ParseDecryptionKey(text)
		if own, err := jwx.ParsePublicSet(text, 20); err == nil && len(own) != len(keys) {
			t.Fatal("a key was passed over")
		}
	})
}

// A set of our own is refused for one key, and a key that decrypts may be of X25519.
func TestParseOwnKeys(t *testing.T) {
	const x25519JWK = `{"kty":"OKP","crv":"X25519","kid":"x","alg":"ECDH-ES","d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}`
	keys, err := jwx.ParsePublicSet([]byte(`{"keys":[`+ecJWK+`,`+edJWK+`]}`), 2)
	require.NoError(t, err)
	assert.Len(t, keys, 2)
	for name, set := range map[string]string{
		"private": ecJWK + `,` + x25519JWK, "symmetric": `{"kty":"oct","k":"AAAA"}`, "none": ``, "unknown": `{"kty":"XX"}`, "no object": `1`,
		"weak": `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 171) + `"}`, "too many": ecJWK + `,` + edJWK + `,` + ecJWK,
	} {
		_, err := jwx.ParsePublicSet([]byte(`{"keys":[`+set+`]}`), 2)
		assert.Error(t, err, name)
	}
	private, kid, alg, err := jwx.ParseDecryptionKey([]byte(x25519JWK))
	require.NoError(t, err)
	assert.Equal(t, []string{"x", "ECDH-ES"}, []string{kid, alg})
	assert.IsType(t, &ecdh.PrivateKey{}, private)
	_, _, _, err = jwx.ParsePrivateKey([]byte(x25519JWK))
	assert.Error(t, err, "X25519 signs nothing")
	for name, text := range map[string]string{
		"Ed25519":      `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"another half": strings.Replace(x25519JWK, `"hSDw`, `"iSDw`, 1), "public": ecJWK, "symmetric": `{"kty":"oct","k":"AAAA"}`, "short": strings.Replace(x25519JWK, "25LCo", "25LC", 1),
	} {
		assert.NotPanics(t, func() {
			_, _, _, err := jwx.ParseDecryptionKey([]byte(text))
			assert.Error(t, err, name)
		}, name)
	}
}
