package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/corpus"
)

// configuration is the input of a case.
type configuration struct {
	Client       string `json:"client"`
	Key          string `json:"key"`
	Secret       string `json:"secret"`
	Alg          string `json:"alg"`
	KeyID        string `json:"kid"`
	Naming       string `json:"naming"`
	Certificates string `json:"certificates"`
	Bind         bool   `json:"bind"`
	Lifetime     int64  `json:"lifetime"`
	BackDate     int64  `json:"backdate"`
	NotBefore    bool   `json:"nbf"`
	Audience     string `json:"audience"`
}

// config returns what package assertion makes of a case. The clock stands in the
// middle of a second.
func (c configuration) config(t *testing.T) assertion.Config {
	t.Helper()
	config := assertion.Config{
		ClientID: c.Client, BindCertificate: c.Bind, NotBefore: c.NotBefore, Clock: func() time.Time { return time.Unix(1_790_000_000, 5e8) },
		Lifetime: time.Duration(c.Lifetime) * time.Second, BackDate: time.Duration(c.BackDate) * time.Second,
		Key: assertion.Key{ID: c.KeyID, Algorithm: c.Alg},
	}
	switch c.Naming {
	case "":
	case "x5c":
		config.Key.Naming = assertion.NameX5C
	case "x5t#S256":
		config.Key.Naming = assertion.NameThumbprint
	default:
		config.Key.Naming = 9
	}
	if c.Secret != "" {
		config.Key.Secret = []byte(c.Secret)
	}
	var err error
	if c.Key != "" {
		text, err := fs.ReadFile(corpus.Files(), "keys/"+c.Key+".pem")
		require.NoError(t, err)
		config.Key.Signer, err = assertion.ParseKeyPEM(text)
		require.NoError(t, err)
	}
	if c.Certificates != "" {
		config.Key.Certificates, err = assertion.ParseCertificatesPEM([]byte(c.Certificates))
		require.NoError(t, err)
	}
	return config
}

func TestCorpus(t *testing.T) {
	cases, err := corpus.Assertion().Load(corpus.Files())
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			var input configuration
			require.NoError(t, json.Unmarshal([]byte(c.Input), &input))
			config := input.config(t)
			signer, err := assertion.New(config)
			text := ""
			if err == nil {
				text, err = signer.ClientAssertion(t.Context(), input.Audience)
			}
			if c.Expect == "refused" {
				require.Error(t, err)
				assert.Empty(t, text)
				if input.Secret != "" {
					assert.NotContains(t, err.Error(), input.Secret)
				}
				return
			}
			require.NoError(t, err)
			assertAssertion(t, input, config, text)
		})
	}
}

// assertAssertion reads an assertion with the standard library only.
func assertAssertion(t *testing.T, input configuration, config assertion.Config, text string) {
	t.Helper()
	parts := strings.Split(text, ".")
	require.Len(t, parts, 3)
	var header, claims map[string]any
	require.NoError(t, json.Unmarshal(decodePart(t, parts[0]), &header))
	require.NoError(t, json.Unmarshal(decodePart(t, parts[1]), &claims))

	alg, _ := header["alg"].(string)
	assert.True(t, verified(t, alg, config.Key, parts[0]+"."+parts[1], decodePart(t, parts[2])), "signature by %s", alg)
	if input.Alg != "" {
		assert.Equal(t, input.Alg, alg)
	}
	want := map[string]any{"alg": alg, "typ": "JWT"}
	switch {
	case input.Naming == "x5c":
		chain := []any{}
		for _, cert := range config.Key.Certificates {
			chain = append(chain, base64.StdEncoding.EncodeToString(cert.Raw))
		}
		want["x5c"] = chain
	case input.Naming != "":
		sum := sha256.Sum256(config.Key.Certificates[0].Raw)
		want["x5t#S256"] = base64.RawURLEncoding.EncodeToString(sum[:])
	case input.KeyID != "":
		want["kid"] = input.KeyID
	}
	assert.Equal(t, want, header, "and nothing else")

	lifetime := input.Lifetime
	if lifetime == 0 {
		lifetime = 60
	}
	issuedAt := 1_790_000_000 - input.BackDate
	id, _ := claims["jti"].(string)
	assert.GreaterOrEqual(t, len(decodePart(t, id)), 16, "128 bits")
	want = map[string]any{
		"iss": input.Client, "sub": input.Client, "aud": input.Audience, "jti": id, "iat": float64(issuedAt), "exp": float64(issuedAt + lifetime),
	}
	if input.NotBefore {
		want["nbf"] = float64(issuedAt)
	}
	assert.Equal(t, want, claims, "aud is one string")
}

func decodePart(t *testing.T, part string) []byte {
	t.Helper()
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
	require.NoError(t, err)
	return decoded
}

// verified judges a signature by RFC 7518 §3.
func verified(t *testing.T, alg string, key assertion.Key, input string, signature []byte) bool {
	t.Helper()
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512, "DSA": 0}[alg[len(alg)-3:]]
	if len(key.Secret) > 0 {
		mac := hmac.New(hash.New, key.Secret)
		mac.Write([]byte(input))
		return hmac.Equal(mac.Sum(nil), signature)
	}
	if public, ok := key.Signer.Public().(ed25519.PublicKey); ok {
		return alg == "EdDSA" && ed25519.Verify(public, []byte(input), signature)
	}
	h := hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	switch public := key.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		size := (public.Params().BitSize + 7) / 8
		require.Len(t, signature, 2*size)
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return alg[:2] == "ES" && ecdsa.Verify(public, digest, r, s)
	case *rsa.PublicKey:
		if alg[:2] == "PS" {
			return rsa.VerifyPSS(public, hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return alg[:2] == "RS" && rsa.VerifyPKCS1v15(public, hash, digest, signature) == nil
	}
	return false
}

// T24, RFC 7523 §3: a server that remembers jti must never see one twice.
func TestAssertionsAreNeverTheSame(t *testing.T) {
	config := assertion.Config{ClientID: "client-1", Clock: clock, Key: assertion.Key{Secret: []byte(strings.Repeat("s", 32))}}
	signer, err := assertion.New(config)
	require.NoError(t, err)
	seen := map[string]bool{}
	for range 10_000 {
		text, err := signer.ClientAssertion(t.Context(), "https://op.example")
		require.NoError(t, err)
		var claims struct {
			ID string `json:"jti"`
		}
		require.NoError(t, json.Unmarshal(decodePart(t, strings.Split(text, ".")[1]), &claims))
		require.False(t, seen[claims.ID], "jti is there twice")
		seen[claims.ID] = true
	}
}
