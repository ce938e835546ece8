package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"time"
)

// What all cases are about: one login at one issuer.
const (
	issuer      = "https://op.example"
	clientID    = "client-1"
	nonce       = "n-0S6_WzA2MjUuK9v8xTqQ"
	accessToken = "SlAV32hkKGbnT6s8VbA1lQ"
	keyID       = "key-1"
	keysURL     = issuer + "/keys"
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// digestOf is SHA-256 of a signing input.
func digestOf(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	return sum[:]
}

// claims are those of an ordinary ID token.
func claims(more map[string]any) []byte {
	now := time.Now()
	all := map[string]any{
		"iss": issuer, "sub": "248289761001", "aud": clientID, "nonce": nonce, "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
		"auth_time": now.Unix(), "acr": "urn:mace:incommon:iap:silver", "email": "janedoe@example.com", "email_verified": true, "name": "Jane Doe",
		"given_name": "Jane", "family_name": "Doe", "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
	}
	for name, value := range more {
		all[name] = value
	}
	return must(json.Marshal(all))
}

// must is for what can't fail with the values of this package.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// key is a signer with the algorithm it signs with.
type key struct {
	alg    string
	signer crypto.Signer
}

func newKeys() []key {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	must(0, err)
	return []key{{"RS256", rsaKey}, {"PS256", rsaKey}, {"ES256", ecKey}, {"EdDSA", edKey}}
}

// sign signs the text of a header and claims.
func (k key) sign(header, claims []byte) string {
	input := encode(header) + "." + encode(claims)
	return input + "." + encode(k.signature(input))
}

func (k key) signature(input string) []byte {
	switch k.alg {
	case "PS256":
		return must(k.signer.Sign(rand.Reader, digestOf(input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}))
	case "EdDSA":
		return must(k.signer.Sign(rand.Reader, []byte(input), crypto.Hash(0)))
	case "ES256":
		var parts struct{ R, S *big.Int }
		must(asn1.Unmarshal(must(k.signer.Sign(rand.Reader, digestOf(input), crypto.SHA256)), &parts))
		out := make([]byte, 64)
		parts.R.FillBytes(out[:32])
		parts.S.FillBytes(out[32:])
		return out
	}
	return must(k.signer.Sign(rand.Reader, digestOf(input), crypto.SHA256))
}

// idToken is an ordinary ID token.
func (k key) idToken() string {
	return k.sign(must(json.Marshal(map[string]string{"alg": k.alg, "kid": keyID, "typ": "JWT"})), claims(map[string]any{"at_hash": k.atHash()}))
}

func (k key) atHash() string {
	hash := crypto.SHA256
	if k.alg == "EdDSA" {
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write([]byte(accessToken))
	return encode(h.Sum(nil)[:hash.Size()/2])
}

// jwks publishes the key.
func (k key) jwks() []byte {
	jwk := map[string]string{"kid": keyID, "use": "sig", "alg": k.alg}
	switch public := k.signer.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", encode(public.N.Bytes()), "AQAB"
	case *ecdsa.PublicKey:
		point := must(public.Bytes())
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", encode(public)
	}
	return must(json.Marshal(map[string]any{"keys": []any{jwk}}))
}

// asn1Of turns r‖s into what crypto/ecdsa takes.
func asn1Of(signature []byte) ([]byte, error) {
	half := len(signature) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
}
