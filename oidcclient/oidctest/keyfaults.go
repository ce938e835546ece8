package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// keyFaults publish key sets with which no signature can be believed.
func keyFaults() []Misbehaviour {
	set := func(name, class, check, about string, change func(keys []any) []any) Misbehaviour {
		return Misbehaviour{
			Name: "keys " + name, About: about, Class: class, Step: "identity", Check: check,
			fault: fault{step: StepKeys, answer: editObject(func(_ *Provider, m map[string]any) {
				honest, _ := m["keys"].([]any)
				m["keys"] = change(honest)
			})},
		}
	}
	only := func(name, about string, key map[string]any) Misbehaviour {
		return set(name, "T12", "key", about, func([]any) []any { return []any{key} })
	}
	each := func(name, class, check, about string, change func(key map[string]any)) Misbehaviour {
		return set(name, class, check, about, func(keys []any) []any { return changed(keys, change) })
	}
	coordinate := strings.Repeat("A", 42) + "E"
	many := set("10,000", "T12", "key", "The set has 10,000 keys.", func(keys []any) []any { return slices.Repeat(keys, 10_000) })
	many.Outage = true // nothing of it is read
	return []Misbehaviour{
		many,
		set("none", "T12", "key", "The set is empty.", func([]any) []any { return []any{} }),
		only("symmetric", "The only key is a symmetric one.", map[string]any{"kty": "oct", "k": "c2VjcmV0"}),
		only("unknown kty", "The only key is of an unknown type.", map[string]any{"kty": "XYZ", "kid": "x"}),
		only("unknown crv", "The only key is on an unknown curve.", map[string]any{"kty": "EC", "crv": "P-999", "x": "AQ", "y": "AQ"}),
		only("off curve", "The only key is no point of its curve.", map[string]any{"kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate}),
		each("private", "T12", "key", "The keys are published with their private parts.", func(key map[string]any) { key["d"] = coordinate }),
		each("for encryption", "T05", "key", "The keys are for encryption.", func(key map[string]any) { key["use"] = "enc" }),
		each("without kid", "T12", "key", "The keys have no kid, and the token names one.", func(key map[string]any) { delete(key, "kid") }),
		each("withdrawn", "T13", "key", "The key that signed was replaced before anybody asked for it.", func(key map[string]any) {
			replaceKey(key)
			key["kid"] = "newer"
		}),
		each("of another issuer", "T13", "signature", "The key with the right kid is another issuer's.", replaceKey),
		set("of one kid", "T12", "key", "Six keys have the same kid.", func(keys []any) []any {
			return slices.Concat(changed(keys, replaceKey), changed(keys, replaceKey), changed(keys, replaceKey), changed(keys, replaceKey), changed(keys, replaceKey), keys)
		}),
	}
}

// changed returns copies of keys with a change.
func changed(keys []any, change func(key map[string]any)) []any {
	var out []any
	for _, key := range keys {
		if key, ok := key.(map[string]any); ok {
			key = maps.Clone(key)
			change(key)
			out = append(out, key)
		}
	}
	return out
}

// replaceKey puts a fresh P-256 key into a JWK and leaves its other members.
func replaceKey(jwk map[string]any) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return
	}
	jwk["kty"], jwk["crv"] = "EC", "P-256"
	jwk["x"], jwk["y"] = base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
}
