package oidctest

import (
	"crypto/aes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// agreementCurves are those of the keys for ECDH-ES, by their crv (RFC 7518 §6.2.1.1,
// RFC 8037 §2), in the order in which they are published.
func agreementCurves() []string { return []string{"P-256", "P-384", "P-521", "X25519"} }

func agreementCurve(crv string) ecdh.Curve {
	switch crv {
	case "P-256":
		return ecdh.P256()
	case "P-384":
		return ecdh.P384()
	case "P-521":
		return ecdh.P521()
	case "X25519":
		return ecdh.X25519()
	}
	return nil
}

// agreementKeys makes one key of each curve.
func agreementKeys() ([]signingKey, error) {
	var keys []signingKey
	for _, crv := range agreementCurves() {
		private, err := agreementCurve(crv).GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		keys = append(keys, signingKey{keySpec: keySpec{"ECDH-ES", "enc"}, kid: random(16), agree: private})
	}
	return keys, nil
}

// agreementJWK writes the members of a public key for ECDH-ES.
func agreementJWK(key *ecdh.PublicKey, m map[string]any) {
	for _, crv := range agreementCurves() {
		if agreementCurve(crv) == key.Curve() {
			m["crv"] = crv
		}
	}
	point := key.Bytes()
	if m["crv"] == "X25519" {
		m["kty"], m["x"] = "OKP", b64.EncodeToString(point)
		return
	}
	half := len(point) / 2 // after the 4 of an uncompressed point
	m["kty"], m["x"], m["y"] = "EC", b64.EncodeToString(point[1:1+half]), b64.EncodeToString(point[1+half:])
}

// agreed is the content key of ECDH-ES, with or without key wrap (RFC 7518 §4.6).
func (e parsedJWE) agreed(private *ecdh.PrivateKey, alg string, size int) ([]byte, error) {
	epk, _ := e.header["epk"].(map[string]any)
	curve := agreementCurve(text(epk, "crv"))
	if curve == nil || curve != private.Curve() {
		return nil, errJWE
	}
	x, errX := b64.DecodeString(text(epk, "x"))
	y, errY := b64.DecodeString(text(epk, "y"))
	if errX != nil || errY != nil {
		return nil, errJWE
	}
	if text(epk, "crv") != "X25519" {
		x = append(append([]byte{4}, x...), y...)
	}
	public, err := curve.NewPublicKey(x)
	if err != nil {
		return nil, errJWE
	}
	secret, err := private.ECDH(public)
	if err != nil {
		return nil, errJWE
	}
	wrapped := map[string]int{"ECDH-ES+A128KW": 16, "ECDH-ES+A192KW": 24, "ECDH-ES+A256KW": 32}[alg]
	switch {
	case wrapped != 0:
		return unwrapKey(deriveKey(secret, alg, wrapped), e.key)
	case alg == "ECDH-ES" && len(e.key) == 0:
		return deriveKey(secret, text(e.header, "enc"), size), nil
	}
	return nil, errJWE
}

// deriveKey is the Concat KDF without party info (RFC 7518 §4.6.2).
func deriveKey(secret []byte, name string, size int) []byte {
	var out []byte
	for counter := uint32(1); len(out) < size; counter++ {
		h := sha256.New()
		for _, part := range [][]byte{
			binary.BigEndian.AppendUint32(nil, counter), secret, binary.BigEndian.AppendUint32(nil, uint32(len(name))), []byte(name),
			make([]byte, 8), binary.BigEndian.AppendUint32(nil, uint32(size)*8),
		} {
			h.Write(part)
		}
		out = h.Sum(out)
	}
	return out[:size]
}

// unwrapKey is AES key unwrap, with the index of its registers (RFC 3394 §2.2.2).
func unwrapKey(kek, wrapped []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil || len(wrapped) < 24 || len(wrapped)%8 != 0 {
		return nil, errJWE
	}
	out := append([]byte(nil), wrapped...)
	n := len(wrapped)/8 - 1
	for s := 6 * n; s >= 1; s-- {
		r := out[8*((s-1)%n+1):][:8]
		b := append(binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(out)^uint64(s)), r...)
		block.Decrypt(b, b)
		copy(out, b[:8])
		copy(r, b[8:])
	}
	if binary.BigEndian.Uint64(out) != 0xA6A6A6A6A6A6A6A6 {
		return nil, errJWE
	}
	return out[8:], nil
}
