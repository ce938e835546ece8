package oidctest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
)

// maxJWT bounds every JWT that the provider reads; a chain of four certificates
// fits several times.
const maxJWT = 128 << 10

// b64 is base64url without padding (RFC 7515 §2), refusing stray bits.
var b64 = base64.RawURLEncoding.Strict()

// jwsAlg says how an algorithm of RFC 7518 §3 or RFC 8037 signs.
type jwsAlg struct {
	family string // RS, PS, ES, Ed, HS
	hash   crypto.Hash
}

func jwsAlgOf(alg string) (jwsAlg, bool) {
	if alg == "EdDSA" {
		return jwsAlg{"Ed", 0}, true
	}
	if alg == "ES256" {
		return jwsAlg{"ES", crypto.SHA256}, true
	}
	if len(alg) != len("RS256") || !slices.Contains([]string{"RS", "PS", "HS"}, alg[:2]) {
		return jwsAlg{}, false
	}
	sizes := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}
	hash, ok := sizes[alg[2:]]
	return jwsAlg{alg[:2], hash}, ok
}

// encodeObject writes a JSON object with the members named in order first, as
// the published samples have them, and the rest sorted.
func encodeObject(m map[string]any, order []string) ([]byte, error) {
	var names []string
	for name := range m {
		if !slices.Contains(order, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out bytes.Buffer
	out.WriteByte('{')
	for _, name := range slices.Concat(order, names) {
		value, ok := m[name]
		if !ok {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		if err := encodeMember(&out, name, value); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func encodeMember(out *bytes.Buffer, name string, value any) error {
	for i, v := range []any{name, value} {
		var one bytes.Buffer
		encoder := json.NewEncoder(&one)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("oidctest: member %q: %w", name, err)
		}
		out.Write(bytes.TrimSuffix(one.Bytes(), []byte{'\n'}))
		if i == 0 {
			out.WriteByte(':')
		}
	}
	return nil
}

// signJWT makes a compact JWS (RFC 7515 §7.1). The header's alg decides; a nil
// key leaves the signature empty.
func signJWT(key any, header, claims map[string]any, headerOrder, claimOrder []string) (string, error) {
	h, err := encodeObject(header, headerOrder)
	if err != nil {
		return "", err
	}
	c, err := encodeObject(claims, claimOrder)
	if err != nil {
		return "", err
	}
	input := b64.EncodeToString(h) + "." + b64.EncodeToString(c)
	if key == nil {
		return input + ".", nil
	}
	alg, _ := header["alg"].(string)
	sig, err := sign(alg, key, []byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + b64.EncodeToString(sig), nil
}

func digest(h crypto.Hash, input []byte) []byte {
	sum := h.New()
	sum.Write(input)
	return sum.Sum(nil)
}

// sign makes the signature bytes. A key of type []byte is for the HS family.
func sign(name string, key any, input []byte) ([]byte, error) {
	alg, ok := jwsAlgOf(name)
	if !ok {
		return nil, fmt.Errorf("oidctest: can't sign with %q", name)
	}
	switch key := key.(type) {
	case []byte:
		mac := hmac.New(alg.hash.New, key)
		mac.Write(input)
		return mac.Sum(nil), nil
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest(alg.hash, input))
		if err != nil {
			return nil, err
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out, nil
	case ed25519.PrivateKey:
		return ed25519.Sign(key, input), nil
	case *rsa.PrivateKey:
		if alg.family == "PS" {
			return rsa.SignPSS(rand.Reader, key, alg.hash, digest(alg.hash, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, key, alg.hash, digest(alg.hash, input))
	}
	return nil, errors.New("oidctest: can't sign with this key")
}

// fits reports whether a key is of the family of an algorithm.
func fits(alg jwsAlg, public any) bool {
	switch key := public.(type) {
	case []byte:
		return alg.family == "HS"
	case *ecdsa.PublicKey:
		return alg.family == "ES" && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg.family == "Ed"
	case *rsa.PublicKey:
		return (alg.family == "RS" || alg.family == "PS") && key.N.BitLen() >= 2048
	}
	return false
}

// verify checks signature bytes. A key of type []byte is for the HS family.
func verify(name string, public any, input, sig []byte) bool {
	alg, ok := jwsAlgOf(name)
	if !ok || !fits(alg, public) {
		return false
	}
	switch key := public.(type) {
	case []byte:
		mac := hmac.New(alg.hash.New, key)
		mac.Write(input)
		return hmac.Equal(mac.Sum(nil), sig)
	case *ecdsa.PublicKey:
		if len(sig) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
		return ecdsa.Verify(key, digest(alg.hash, input), r, s)
	case ed25519.PublicKey:
		return ed25519.Verify(key, input, sig)
	case *rsa.PublicKey:
		if alg.family == "PS" {
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(key, alg.hash, digest(alg.hash, input), sig, opts) == nil
		}
		return rsa.VerifyPKCS1v15(key, alg.hash, digest(alg.hash, input), sig) == nil
	}
	return false
}

// parsedJWT is a JWT whose signature has not been checked yet.
type parsedJWT struct {
	header, claims map[string]any
	input, sig     []byte
}

func (t parsedJWT) alg() string { s, _ := t.header["alg"].(string); return s }

func (t parsedJWT) verify(public any) bool { return verify(t.alg(), public, t.input, t.sig) }

// parseJWT takes a compact JWS apart: three canonical base64url parts, the first
// two being JSON objects. Numbers stay json.Number.
func parseJWT(compact string) (parsedJWT, error) {
	if len(compact) > maxJWT {
		return parsedJWT{}, errors.New("JWT is too long")
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return parsedJWT{}, errors.New("JWT has not three parts")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = b64.DecodeString(part); err != nil {
			return parsedJWT{}, errors.New("JWT is not base64url")
		}
	}
	t := parsedJWT{input: []byte(parts[0] + "." + parts[1]), sig: decoded[2]}
	var err error
	if t.header, err = decodeObject(decoded[0]); err != nil {
		return parsedJWT{}, errors.New("JWT header is no JSON object")
	}
	if t.claims, err = decodeObject(decoded[1]); err != nil {
		return parsedJWT{}, errors.New("JWT payload is no JSON object")
	}
	return t, nil
}

// decodeObject reads one JSON object in which no name occurs twice.
func decodeObject(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	m := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := name.(string)
		if _, twice := m[key]; !ok || twice {
			return nil, errors.New("a name occurs twice")
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		m[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON object")
	}
	return m, nil
}

// seconds reads a NumericDate that is a whole JSON number.
func seconds(claims map[string]any, name string) (int64, bool) {
	n, ok := claims[name].(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// text reads a claim that is a string; "" when it is none.
func text(claims map[string]any, name string) string {
	s, _ := claims[name].(string)
	return s
}

// leftHalf is the at_hash of a token (OpenID Connect Core §3.1.3.6).
func leftHalf(alg, token string) string {
	a, ok := jwsAlgOf(alg)
	if !ok || a.hash == 0 {
		a.hash = crypto.SHA512 // Ed25519 hashes with SHA-512
	}
	sum := digest(a.hash, []byte(token))
	return b64.EncodeToString(sum[:len(sum)/2])
}

// random returns n random bytes as base64url.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b64.EncodeToString(b)
}

// uuid returns a random UUID of version 4 (RFC 9562 §5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
