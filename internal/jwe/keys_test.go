package jwe

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newP256(t testing.TB) *ecdh.PrivateKey {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key
}

func TestNewKeyRefuses(t *testing.T) {
	good := rsaKey(t)
	small := &rsaDevice{PrivateKey: &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}}}
	broken := *good
	broken.D = big.NewInt(3)
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	elsewhere := *signer
	elsewhere.PublicKey = ecdsa.PublicKey{Curve: elliptic.P256()}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, private := range map[string]any{
		"nothing": nil, "nil RSA": (*rsa.PrivateKey)(nil), "nil ECDSA": (*ecdsa.PrivateKey)(nil), "nil ECDH": (*ecdh.PrivateKey)(nil),
		"empty RSA": &rsa.PrivateKey{}, "empty ECDSA": &ecdsa.PrivateKey{}, "empty ECDH": &ecdh.PrivateKey{},
		"small": small, "another exponent": &broken, "a value": *good, "P-224": p224, "no point": &elsewhere,
		"no number": &ecdsa.PrivateKey{PublicKey: signer.PublicKey}, "Ed25519": ed, "secret": []byte("0123456789abcdef"),
		"public": &good.PublicKey, "public ECDH": newP256(t).PublicKey(),
		"handle of nothing": handle{KeyExchanger: &ecdh.PrivateKey{}}, "handle of a nil key": handle{KeyExchanger: &ecdh.PrivateKey{}, public: (*rsa.PublicKey)(nil)},
	} {
		key, err := NewKey("k", "", private)
		assert.Error(t, err, name)
		assert.Equal(t, Key{}, key, name)
	}
	for alg, private := range map[string]any{"ECDH-ES": good, "RSA-OAEP": signer, "RSA-OAEP-256": newP256(t), "RSA1_5": good, "dir": signer} {
		_, err := NewKey("k", alg, private)
		assert.Error(t, err, alg)
	}
}

func TestNewKey(t *testing.T) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	oaep := rsaKey(t)
	for _, private := range []any{oaep, &rsaDevice{PrivateKey: oaep}, handle{public: oaep.Public()}} {
		key := newKey(t, "k", "", private)
		assert.Equal(t, "k", key.ID())
		assert.True(t, key.Fits("RSA-OAEP") && key.Fits("RSA-OAEP-256"))
		assert.False(t, key.Fits("ECDH-ES") || key.Fits("RSA1_5") || key.Fits(""))
	}
	for _, private := range []any{newP256(t), signer, &ecDevice{KeyExchanger: newP256(t)}, handle{KeyExchanger: newP256(t), public: newP256(t).Public()}} {
		key := newKey(t, "", "", private)
		assert.True(t, key.Fits("ECDH-ES") && key.Fits("ECDH-ES+A192KW"))
		assert.False(t, key.Fits("RSA-OAEP") || key.Fits("A192KW"))
	}
	bare := &rsa.PrivateKey{PublicKey: oaep.PublicKey, D: oaep.D, Primes: oaep.Primes}
	assert.NotNil(t, newKey(t, "", "", bare).decrypter.(*rsa.PrivateKey).Precomputed.Qinv)
	assert.Nil(t, bare.Precomputed.Qinv)
	one := newKey(t, "", "RSA-OAEP-256", oaep)
	assert.True(t, one.Fits("RSA-OAEP-256"))
	assert.False(t, one.Fits("RSA-OAEP"))
	assert.False(t, Key{}.Fits("RSA-OAEP") || Key{}.Fits("ECDH-ES"))
	assert.True(t, KnownAlgorithm("ECDH-ES+A256KW") && KnownEncryption("A192GCM"))
	assert.False(t, KnownAlgorithm("dir") || KnownAlgorithm("RSA1_5") || KnownAlgorithm("") || KnownEncryption("A128CBC") || KnownEncryption(""))
}

// Which keys are tried, and how many.
func TestCandidates(t *testing.T) {
	p256, oaep := newP256(t), rsaKey(t)
	p384, err := ecdh.P384().GenerateKey(rand.Reader)
	require.NoError(t, err)
	s := sealing{alg: "ECDH-ES", enc: "A128GCM"}
	plain := s.seal(t, p256.PublicKey(), nested)
	s.header = map[string]any{"kid": "k"}
	named := s.seal(t, p256.PublicKey(), nested)
	s.header = map[string]any{"kid": ""}
	unnamed := s.seal(t, p256.PublicKey(), nested)
	right := func(id, alg string) Key { return newKey(t, id, alg, p256) }
	wrong := func(id string) Key { return newKey(t, id, "", newP256(t)) }
	for name, c := range map[string]struct {
		token string
		keys  []Key
		want  error
	}{
		"one":                 {plain, []Key{right("k", "")}, nil},
		"none":                {plain, nil, ErrKey},
		"zero":                {plain, []Key{{}}, ErrKey},
		"kid":                 {named, []Key{wrong("j"), right("k", "")}, nil},
		"kid of another":      {named, []Key{right("j", "")}, ErrKey},
		"kid, key without":    {named, []Key{right("", "")}, ErrKey},
		"kid twice":           {named, []Key{wrong("k"), right("k", "")}, nil},
		"kid of a wrong key":  {named, []Key{wrong("k"), right("j", "")}, ErrDecrypt},
		"empty kid":           {unnamed, []Key{right("", "")}, nil},
		"empty kid, key with": {unnamed, []Key{right("k", "")}, ErrKey},
		"algorithm":           {plain, []Key{right("", "ECDH-ES")}, nil},
		"another algorithm":   {plain, []Key{right("", "ECDH-ES+A128KW")}, ErrKey},
		"another curve":       {plain, []Key{newKey(t, "", "", p384)}, ErrKey},
		"another kind":        {plain, []Key{newKey(t, "", "", oaep)}, ErrKey},
		"the fourth":          {plain, []Key{wrong(""), wrong("a"), wrong(""), right("", "")}, nil},
		"the fifth":           {plain, []Key{wrong(""), wrong("a"), wrong(""), wrong(""), right("", "")}, ErrDecrypt},
		"others not counted":  {plain, []Key{newKey(t, "", "", p384), newKey(t, "", "", oaep), {}, right("", "ECDH-ES+A128KW"), right("", "")}, nil},
		"named not counted":   {named, []Key{wrong("a"), wrong("b"), wrong("c"), wrong("d"), right("k", "")}, nil},
	} {
		_, err := decrypt(t, c.token, c.keys...)
		assert.Equal(t, c.want, err, name)
	}
}

// crypto/rsa would take a ciphertext without its leading zeros.
func TestEncryptedKeyHasItsLength(t *testing.T) {
	oaep := rsaKey(t)
	s := sealing{alg: "RSA-OAEP", enc: "A128GCM", cek: randomBytes(16)}
	for {
		s.encryptedKey = encrypted(t, managed(t, s.alg), &oaep.PublicKey, s.cek)
		if s.encryptedKey[0] == 0 {
			break
		}
	}
	key := newKey(t, "", "", oaep)
	_, err := decrypt(t, s.seal(t, &oaep.PublicKey, nested), key)
	require.NoError(t, err)
	s.encryptedKey = s.encryptedKey[1:]
	_, err = decrypt(t, s.seal(t, &oaep.PublicKey, nested), key)
	assert.Equal(t, ErrKey, err)
	s.encryptedKey = append([]byte{0, 0}, s.encryptedKey...)
	_, err = decrypt(t, s.seal(t, &oaep.PublicKey, nested), key)
	assert.Equal(t, ErrKey, err)
}

func managed(t testing.TB, alg string) management {
	t.Helper()
	m, ok := managementOf(alg)
	require.True(t, ok)
	return m
}

// What was not agreed is refused before a key is asked.
func TestNotAgreed(t *testing.T) {
	oaep := &rsaDevice{PrivateKey: rsaKey(t)}
	c, err := Parse(sealing{alg: "RSA-OAEP", enc: "A128GCM"}.seal(t, oaep.Public(), nested), 1000)
	require.NoError(t, err)
	for name, agreed := range map[string]Agreed{
		"nothing": {}, "alg only": {Algorithms: []string{"RSA-OAEP"}}, "enc only": {Encryptions: []string{"A128GCM"}},
		"another alg": {[]string{"RSA-OAEP-256"}, []string{"A128GCM"}}, "another enc": {[]string{"RSA-OAEP"}, []string{"A256GCM", "A128CBC-HS256"}},
		"the other way": {[]string{"A128GCM"}, []string{"RSA-OAEP"}},
	} {
		_, err := c.Decrypt(t.Context(), agreed, []Key{newKey(t, "", "", oaep)})
		assert.Equal(t, ErrAlgorithm, err, name)
	}
	_, err = Compact{}.Decrypt(t.Context(), Agreed{[]string{""}, []string{""}}, []Key{newKey(t, "", "", oaep)})
	assert.Equal(t, ErrAlgorithm, err, "nothing was parsed")
	assert.Zero(t, oaep.calls)
	_, err = c.Decrypt(t.Context(), Agreed{[]string{"ECDH-ES", "RSA-OAEP"}, []string{"A128GCM"}}, []Key{newKey(t, "", "", oaep)})
	require.NoError(t, err)
	assert.Equal(t, 1, oaep.calls)
}

type mark struct{}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), mark{}, 1))
	oaep, p256 := &rsaService{PrivateKey: rsaKey(t)}, &ecService{KeyExchanger: newP256(t)}
	c, err := Parse(sealing{alg: "RSA-OAEP", enc: "A128GCM"}.seal(t, oaep.Public(), nested), 1000)
	require.NoError(t, err)
	_, err = c.Decrypt(ctx, everything(), []Key{newKey(t, "", "", oaep)})
	require.NoError(t, err)
	assert.Equal(t, ctx, oaep.seen)
	e, err := Parse(sealing{alg: "ECDH-ES", enc: "A128GCM"}.seal(t, p256.PublicKey(), nested), 1000)
	require.NoError(t, err)
	_, err = e.Decrypt(ctx, everything(), []Key{newKey(t, "", "", p256)})
	require.NoError(t, err)
	assert.Equal(t, ctx, p256.seen)

	late := &rsaDevice{PrivateKey: oaep.PrivateKey}
	late.answer = func() ([]byte, error) { cancel(); return nil, errors.New("device") }
	_, err = c.Decrypt(ctx, everything(), []Key{newKey(t, "", "", late)})
	assert.Equal(t, context.Canceled, err, "ended meanwhile")
	_, err = c.Decrypt(ctx, everything(), []Key{newKey(t, "", "", late)})
	assert.Equal(t, context.Canceled, err, "ended before")
	assert.Equal(t, 1, late.calls)
}
