package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
)

// keyring has the private keys by name. rsa-1, ec-1, ec-384, ec-521 and ed-1 are
// the provider's; rsa-2 and ec-2 are the attacker's; root and sub are
// authorities; the last two are too short for anything.
type keyring map[string]crypto.Signer

func newKeys() map[string]func() (crypto.Signer, error) {
	rsaKey := func(bits int) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
	}
	ecKey := func(curve elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
	}
	return map[string]func() (crypto.Signer, error){
		"rsa-1": rsaKey(2048), "rsa-2": rsaKey(2048), "rsa-1024": rsaKey(1024),
		"ec-1": ecKey(elliptic.P256()), "ec-2": ecKey(elliptic.P256()), "ec-224": ecKey(elliptic.P224()),
		"ec-384": ecKey(elliptic.P384()), "ec-521": ecKey(elliptic.P521()),
		"root": ecKey(elliptic.P256()), "sub": ecKey(elliptic.P256()),
		"ed-1": func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		},
	}
}

// loadKeys reads the keys of a folder, and makes those that are not there.
func loadKeys(folder string) (keyring, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	keys := keyring{}
	for name, generate := range newKeys() {
		path := filepath.Join(folder, name+".pem")
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			text, err = writeKey(path, generate)
		}
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s is not PEM", path)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys[name] = key.(crypto.Signer)
	}
	return keys, nil
}

func writeKey(path string, generate func() (crypto.Signer, error)) ([]byte, error) {
	key, err := generate()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return text, os.WriteFile(path, text, 0o644)
}

// public returns the public JWK of a key: its own members and more.
func (k keyring) public(name string, more ...any) object {
	jwk := object{}
	switch key := k[name].Public().(type) {
	case *rsa.PublicKey:
		jwk = object{"kty": "RSA", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point := must(key.Bytes())
		half := (len(point) - 1) / 2
		jwk = object{"kty": "EC", "crv": key.Curve.Params().Name, "x": encode(point[1 : 1+half]), "y": encode(point[1+half:])}
	case ed25519.PublicKey:
		jwk = object{"kty": "OKP", "crv": "Ed25519", "x": encode(key)}
	}
	return with(jwk, more...)
}

// keySet returns the text of a JWK Set.
func keySet(keys ...any) string { return toJSON(object{"keys": keys}) }

// provider returns the keys that the provider publishes.
func (k keyring) provider() string {
	var keys []any
	for _, name := range []string{"rsa-1", "ec-1", "ec-384", "ec-521", "ed-1"} {
		keys = append(keys, k.public(name, "kid", name, "use", "sig"))
	}
	return keySet(keys...)
}

// object is a JSON object: marshalled, its members are in order of their names.
type object map[string]any

// gone as a value removes a member.
type gone struct{}

// with returns a copy of o with members changed: a name and a value in turn.
func with(o object, pairs ...any) object {
	out := object{}
	for name, value := range o {
		out[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		name := pairs[i].(string)
		if _, remove := pairs[i+1].(gone); remove {
			delete(out, name)
			continue
		}
		out[name] = pairs[i+1]
	}
	return out
}

func toJSON(v any) string { return string(must(json.Marshal(v))) }

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// must is for what fails only by a mistake in this program.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
