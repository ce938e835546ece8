// Package jwx is the one importer of github.com/lestrrat-go/jwx/v2, whose v2
// line has ended: reading JWKs and JWE encryption. No type of it leaves this
// package, and nothing reaches it that strictjson has not read first.
package jwx

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/x25519"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// Key is one public key of a JWK Set (RFC 7517 §4).
type Key struct {
	ID        string           // kid
	Algorithm string           // alg
	Use       string           // use
	Ops       []string         // key_ops
	Public    crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey, or *ecdh.PublicKey of X25519
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
	k := Key{}
	for name, into := range map[string]*string{"kid": &k.ID, "alg": &k.Algorithm, "use": &k.Use} {
		if *into, _, err = object.String(name); err != nil {
			return Key{}, errNotPublic
		}
	}
	if k.Ops, _, err = object.Strings("key_ops"); err != nil {
		return Key{}, errNotPublic
	}
	if k.Public, err = publicKey(object); err != nil {
		return Key{}, errNotPublic
	}
	return k, nil
}

// members are the public parts of a key by its kty (RFC 7518 §6, RFC 8037 §2);
// those that are numbers or octets are base64url.
func members(kty string) (names, octets []string) {
	switch kty {
	case "RSA":
		return nil, []string{"n", "e"}
	case "EC":
		return []string{"crv"}, []string{"x", "y"}
	case "OKP":
		return []string{"crv"}, []string{"x"}
	}
	return nil, nil
}

// publicKey gives jwx nothing but the members that make the key, by their exact
// names and in canonical base64url: it would take "KTY" for "kty", and skip what
// is no base64url.
func publicKey(object strictjson.Object) (crypto.PublicKey, error) {
	kty, _, _ := object.String("kty")
	names, octets := members(kty)
	plain := map[string]string{"kty": kty}
	for _, name := range slices.Concat(names, octets) {
		value, ok, err := object.String(name)
		if _, malformed := jose.Decode(value); !ok || err != nil || malformed != nil && slices.Contains(octets, name) {
			return nil, errNotPublic
		}
		plain[name] = value
	}
	text, err := json.Marshal(plain)
	if err != nil || len(octets) == 0 {
		return nil, errNotPublic
	}
	key, err := jwk.ParseKey(text)
	if err != nil {
		return nil, errNotPublic
	}
	var public any
	if err := key.Raw(&public); err != nil {
		return nil, errNotPublic
	}
	// What jwx leaves open: it cuts an exponent off at 64 bits, which makes
	// another key of it; it takes points off the curve, and Ed25519 keys of any
	// length, on which crypto/ed25519 panics.
	if exponent, err := jose.Decode(plain["e"]); err != nil || len(bytes.TrimLeft(exponent, "\x00")) > maxExponent {
		return nil, errNotPublic
	}
	if key, ok := public.(x25519.PublicKey); ok {
		// It signs nothing, so package jose does not know it.
		return ecdh.X25519().NewPublicKey(key)
	}
	if _, err := jose.NewPublicKey(public); err != nil {
		return nil, errNotPublic
	}
	return public, nil
}

// isPrivateMember names the members that only private and symmetric keys have.
func isPrivateMember(name string) bool {
	return slices.Contains([]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}, name)
}

// ParsePublicSet reads a JWK Set of our own: unlike [ParseKeySet] it passes over
// nothing, and refuses the set for a key that is private or can't be used.
func ParsePublicSet(text []byte, maxKeys int) ([]Key, error) {
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return nil, errors.New("not a JWK Set: " + err.Error())
	}
	members, ok, err := object.List("keys")
	if !ok || err != nil || len(members) == 0 || len(members) > maxKeys {
		return nil, errors.New("not a JWK Set: no array of keys, or none or too many in it")
	}
	var keys []Key
	for _, member := range members {
		if key, err := strictjson.ParseObject([]byte(member), maxDepth); err == nil && slices.ContainsFunc(slices.Collect(key.Names()), isPrivateMember) {
			return nil, errors.New("JWK Set has a private or symmetric key")
		}
		key, err := parsePublic([]byte(member))
		if err != nil {
			return nil, errors.New("JWK Set has a key that is weak, malformed or unknown")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ParsePrivateKey reads one private JWK that signs: RSA, EC or Ed25519.
func ParsePrivateKey(text []byte) (key crypto.Signer, kid, alg string, err error) {
	raw, kid, alg, err := parsePrivate(text)
	if err != nil {
		return nil, "", "", err
	}
	key, ok := raw.(crypto.Signer)
	if !ok {
		return nil, "", "", errors.New("JWK is not a private key that signs")
	}
	return key, kid, alg, nil
}

// ParseDecryptionKey reads one private JWK that decrypts: an *rsa.PrivateKey, an
// *ecdsa.PrivateKey, or an *ecdh.PrivateKey of X25519 (RFC 8037 §2).
func ParseDecryptionKey(text []byte) (key any, kid, alg string, err error) {
	key, kid, alg, err = parsePrivate(text)
	if err != nil {
		return nil, "", "", err
	}
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, *ecdh.PrivateKey:
		return key, kid, alg, nil
	}
	return nil, "", "", errors.New("JWK is not a private key that decrypts")
}

func parsePrivate(text []byte) (key any, kid, alg string, err error) {
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
	if err := parsed.Raw(&key); err != nil {
		return nil, "", "", errors.New("not a JWK that can be read")
	}
	if theirs, ok := key.(x25519.PrivateKey); ok {
		if key, err = ecdh.X25519().NewPrivateKey(theirs.Seed()); err != nil {
			return nil, "", "", errors.New("JWK's numbers are not a key")
		}
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
func sound(key any) error {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		key.Precompute() // twice as fast with it
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
		public := k.Public
		if agrees, ok := public.(*ecdh.PublicKey); ok && agrees != nil && agrees.Curve() == ecdh.X25519() {
			public = x25519.PublicKey(agrees.Bytes())
		}
		key, err := jwk.FromRaw(public)
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
