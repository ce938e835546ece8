package jose

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"math"
	"math/big"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// signers has one key for each algorithm with a public one.
func signers(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	all := map[string]crypto.Signer{}
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
		all[alg] = rsaKey()
	}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		all[alg] = key
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	all["EdDSA"] = key
	return all
}

func TestSignAndVerify(t *testing.T) {
	for alg, key := range signers(t) {
		signature, err := Sign(t.Context(), alg, key, "a.b")
		require.NoError(t, err, alg)
		assert.NoError(t, Verify(alg, key.Public(), "a.b", signature), alg)
		assert.ErrorIs(t, Verify(alg, key.Public(), "a.c", signature), ErrSignature, alg)
	}
	for _, alg := range []string{"HS256", "none", ""} {
		_, err := Sign(t.Context(), alg, rsaKey(), "a.b")
		assert.ErrorIs(t, err, ErrAlgorithm, alg)
	}
}

// scripted answers what it was told to.
type scripted struct {
	crypto.Signer
	answer []byte
	meet   func()
	err    error
}

func (s scripted) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	if s.meet != nil {
		s.meet()
	}
	return s.answer, s.err
}

func TestSignRefusesWhatIsNoSignature(t *testing.T) {
	for alg, key := range signers(t) {
		for name, answer := range map[string][]byte{
			"nothing": nil, "one byte": {1}, "r and s, not ASN.1": make([]byte, 96), "too long": make([]byte, maxRSABits/8+1),
		} {
			_, err := Sign(t.Context(), alg, scripted{Signer: key, answer: answer}, "a.b")
			assert.ErrorIs(t, err, errSigned, "%s: %s", alg, name)
		}
	}
}

// What a signer says is wrong comes back as it is.
func TestSignReturnsTheSignersError(t *testing.T) {
	for alg, key := range signers(t) {
		_, err := Sign(t.Context(), alg, scripted{Signer: key, err: io.ErrClosedPipe}, "a.b")
		assert.ErrorIs(t, err, io.ErrClosedPipe, alg)
	}
}

func TestSignEndsWithItsContext(t *testing.T) {
	for alg, key := range signers(t) {
		ctx, cancel := context.WithCancel(t.Context())
		signature, err := Sign(ctx, alg, key, "a.b")
		require.NoError(t, err, alg)

		der := signature
		if a, _ := lookup(alg); a.family == familyECDSA {
			der, err = key.Sign(rand.Reader, make([]byte, a.hash.Size()), a.hash)
			require.NoError(t, err)
		}
		_, err = Sign(ctx, alg, scripted{Signer: key, answer: der, meet: cancel}, "a.b")
		assert.ErrorIs(t, err, context.Canceled, "%s: ended while it signed", alg)

		asked := false
		_, err = Sign(ctx, alg, scripted{Signer: key, answer: der, meet: func() { asked = true }}, "a.b")
		assert.ErrorIs(t, err, context.Canceled, alg)
		assert.False(t, asked, "%s: a signer is not asked after the end", alg)
	}
}

// salty signs with another salt than it was asked for.
type salty struct{ *rsa.PrivateKey }

func (s salty) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return rsa.SignPSS(random, s.PrivateKey, options.HashFunc(), digest, &rsa.PSSOptions{SaltLength: 20})
}

func TestSaltIsAsLongAsTheHash(t *testing.T) {
	for _, alg := range []string{"PS256", "PS384", "PS512"} {
		signature, err := Sign(t.Context(), alg, salty{rsaKey()}, "a.b")
		require.NoError(t, err)
		assert.ErrorIs(t, Verify(alg, rsaKey().Public(), "a.b", signature), ErrSignature, alg)
	}
}

func TestHMAC(t *testing.T) {
	for alg, size := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} {
		secret := make([]byte, size)
		signature, err := SignHMAC(alg, secret, "a.b")
		require.NoError(t, err)
		require.NoError(t, VerifyHMAC(alg, secret, "a.b", signature))
		assert.ErrorIs(t, VerifyHMAC(alg, secret, "a.c", signature), ErrSignature)
		assert.ErrorIs(t, VerifyHMAC(alg, secret, "a.b", signature[:size-1]), ErrSignature)
		assert.ErrorIs(t, VerifyHMAC(alg, secret, "a.b", nil), ErrSignature)
		_, err = SignHMAC(alg, secret[1:], "a.b")
		assert.ErrorContains(t, err, "shorter than the hash")
		assert.ErrorContains(t, VerifyHMAC(alg, secret[1:], "a.b", signature), "shorter than the hash")
	}
	assert.ErrorIs(t, VerifyHMAC("RS256", make([]byte, 64), "a.b", nil), ErrAlgorithm)
}

func TestHalfHash(t *testing.T) {
	for alg, hash := range map[string]crypto.Hash{
		"RS256": crypto.SHA256, "PS384": crypto.SHA384, "ES512": crypto.SHA512, "HS256": crypto.SHA256, "EdDSA": crypto.SHA512,
	} {
		h := hash.New()
		h.Write([]byte("value"))
		half := Encode(h.Sum(nil)[:hash.Size()/2])
		assert.True(t, IsHalfHash(half, alg, "value"), alg)
		assert.False(t, IsHalfHash(half, alg, "valu"), alg)
		assert.False(t, IsHalfHash(half[1:], alg, "value"), alg)
		assert.False(t, IsHalfHash("", alg, "value"), alg)
		assert.Equal(t, alg == "HS256", Symmetric(alg))
	}
	for _, alg := range []string{"", "none", "rs256", "RS256 ", "ES256K", "Ed25519", "RS1", "A256GCM"} {
		assert.False(t, IsHalfHash("", alg, ""), alg)
		assert.False(t, Known(alg), alg)
		assert.False(t, Symmetric(alg), alg)
	}
}

// A key that nobody filled in is refused, not met with a panic.
func TestFitsRefusesUnfilledKeys(t *testing.T) {
	modulus := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	require.NoError(t, Fits("RS256", &rsa.PublicKey{N: modulus, E: 3}))
	for name, key := range map[string]*rsa.PublicKey{
		"nil": nil, "empty": {}, "no modulus": {E: 65537}, "no exponent": {N: modulus},
		"even exponent": {N: modulus, E: 65536}, "negative exponent": {N: modulus, E: -3},
		"long exponent": {N: modulus, E: math.MaxInt32 + 2}, "negative modulus": {N: new(big.Int).Neg(modulus), E: 65537},
	} {
		assert.Error(t, Fits("RS256", key), name)
		assert.Error(t, Verify("PS256", key, "a.b", make([]byte, 256)), name)
	}
	for name, key := range map[string]*ecdsa.PublicKey{"nil": nil, "empty": {}, "no point": {Curve: elliptic.P256()}} {
		assert.Error(t, Fits("ES256", key), name)
		assert.Error(t, Verify("ES256", key, "a.b", make([]byte, 64)), name)
	}
	assert.Error(t, Fits("EdDSA", ed25519.PublicKey(nil)))
	assert.Error(t, Verify("EdDSA", ed25519.PublicKey(nil), "a.b", make([]byte, 64)))
}
