// Package jwx is the one importer of github.com/lestrrat-go/jwx/v2, whose v2
// line has ended: reading JWKs and JWE encryption. No type of it leaves this
// package, and nothing reaches it that strictjson has not read first.
package jwx

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/rely-go/rely/internal/strictjson"
)

// Key is one public key of a JWK Set (RFC 7517 §4).
type Key struct {
	ID        string           // kid
	Algorithm string           // alg
	Use       string           // use
	Ops       []string         // key_ops
	Public    crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

const (
	maxDepth    = 8
	maxKey      = 64 << 10 // bytes of one JWK
	maxExponent = 4        // bytes of an RSA exponent, as in crypto/rsa
)

// ParseKeySet reads a JWK Set of at most maxKeys keys. Keys that are unknown,
// broken, symmetric or private are passed over, each for itself: a set is not
// lost for one of them (RFC 7517 §5).
func ParseKeySet(text []byte, maxKeys int) ([]Key, error) {
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return nil, errors.New("not a JWK Set: " + err.Error())
	}
	members, ok, err := object.List("keys")
	if !ok || err != nil {
		return nil, errors.New("not a JWK Set: no array of keys")
	}
	if len(members) > maxKeys {
		return nil, errors.New("JWK Set has too many keys")
	}
	keys := make([]Key, 0, len(members))
	for _, member := range members {
		if key, err := parsePublic([]byte(member)); err == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

var errNotPublic = errors.New("not a public key that can be used")

func parsePublic(text []byte) (Key, error) {
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil || len(text) > maxKey {
		return Key{}, errNotPublic
	}
	if slices.ContainsFunc(slices.Collect(object.Names()), isPrivateMember) {
		return Key{}, errNotPublic
	}
	key, err := jwk.ParseKey(text)
	if err != nil {
		return Key{}, errNotPublic
	}
	var public any
	if err := key.Raw(&public); err != nil {
		return Key{}, errNotPublic
	}
	k := Key{ID: key.KeyID(), Use: key.KeyUsage()}
	if alg := key.Algorithm(); alg != nil {
		k.Algorithm = alg.String()
	}
	for _, op := range key.KeyOps() {
		k.Ops = append(k.Ops, string(op))
	}
	switch public := public.(type) {
	case *rsa.PublicKey:
		// jwx cuts an exponent off at 64 bits, which makes another key of it.
		rsaKey, ok := key.(jwk.RSAPublicKey)
		if !ok || len(bytes.TrimLeft(rsaKey.E(), "\x00")) > maxExponent {
			return Key{}, errNotPublic
		}
		k.Public = public
	case *ecdsa.PublicKey:
		// The curve's own check: jwx does not make it for every curve.
		if _, err := public.ECDH(); err != nil {
			return Key{}, errNotPublic
		}
		k.Public = public
	case ed25519.PublicKey:
		// jwx takes any length, and crypto/ed25519 panics on a wrong one.
		if len(public) != ed25519.PublicKeySize {
			return Key{}, errNotPublic
		}
		k.Public = public
	default:
		return Key{}, errNotPublic
	}
	return k, nil
}

// isPrivateMember names the members that only private and symmetric keys have.
func isPrivateMember(name string) bool {
	return slices.Contains([]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}, name)
}

// ParsePrivateKey reads one private JWK: RSA, EC or Ed25519.
func ParsePrivateKey(text []byte) (key crypto.Signer, kid, alg string, err error) {
	if len(text) > maxKey {
		return nil, "", "", errors.New("JWK is too long")
	}
	if _, err := strictjson.ParseObject(text, maxDepth); err != nil {
		return nil, "", "", errors.New("not a JWK: " + err.Error())
	}
	parsed, err := jwk.ParseKey(text)
	if err != nil {
		return nil, "", "", errors.New("not a JWK that can be read")
	}
	var raw any
	if err := parsed.Raw(&raw); err != nil {
		return nil, "", "", errors.New("not a JWK that can be read")
	}
	key, ok := raw.(crypto.Signer)
	if !ok {
		return nil, "", "", errors.New("JWK is not a private key that signs")
	}
	if err := sound(key); err != nil {
		return nil, "", "", errors.New("JWK's numbers are not a key")
	}
	if a := parsed.Algorithm(); a != nil {
		alg = a.String()
	}
	return key, parsed.KeyID(), alg, nil
}

// sound makes the standard library's own checks, which jwx leaves out.
func sound(key crypto.Signer) error {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key.Validate()
	case *ecdsa.PrivateKey:
		_, err := key.ECDH()
		return err
	}
	return nil
}

// MarshalPublic writes a JWK Set of the public keys.
func MarshalPublic(keys []Key) ([]byte, error) {
	set := jwk.NewSet()
	for _, k := range keys {
		key, err := jwk.FromRaw(k.Public)
		if err != nil {
			return nil, errors.New("key has no JWK form")
		}
		for name, value := range map[string]string{jwk.KeyIDKey: k.ID, jwk.AlgorithmKey: k.Algorithm, jwk.KeyUsageKey: k.Use} {
			if value == "" {
				continue
			}
			if err := key.Set(name, value); err != nil {
				return nil, errors.New("key can't have that " + name)
			}
		}
		if err := set.AddKey(key); err != nil {
			return nil, errors.New("key is there twice")
		}
	}
	return json.Marshal(set)
}
