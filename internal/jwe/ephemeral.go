package jwe

import (
	"crypto/ecdh"
	"slices"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// ephemeralKey reads epk, the public key that the sender made for this token
// (RFC 7518 §4.6.1.1). It is a point of its curve: on another one, what the
// private key makes of it would tell the key away.
func ephemeralKey(header strictjson.Object) (*ecdh.PublicKey, error) {
	epk, _, err := header.Object("epk")
	if err != nil || epk.Has("d") {
		return nil, ErrHeader
	}
	// What is not there, or no string, is no name of a curve either.
	kty, _, _ := epk.String("kty")
	crv, _, _ := epk.String("crv")
	curve, size, ok := curveOf(kty, crv)
	if !ok {
		return nil, ErrHeader
	}
	encoded, err := coordinate(epk, "x", size)
	if err != nil {
		return nil, err
	}
	if kty == "EC" {
		y, err := coordinate(epk, "y", size)
		if err != nil {
			return nil, err
		}
		// SEC 1 §2.3.3, uncompressed.
		encoded = slices.Concat([]byte{4}, encoded, y)
	}
	key, err := curve.NewPublicKey(encoded)
	if err != nil {
		return nil, ErrHeader
	}
	return key, nil
}

// curveOf returns a curve and the bytes of a coordinate (RFC 7518 §6.2.1.1,
// RFC 8037 §2).
func curveOf(kty, crv string) (curve ecdh.Curve, size int, ok bool) {
	switch kty + " " + crv {
	case "EC P-256":
		return ecdh.P256(), 32, true
	case "EC P-384":
		return ecdh.P384(), 48, true
	case "EC P-521":
		return ecdh.P521(), 66, true
	case "OKP X25519":
		return ecdh.X25519(), 32, true
	}
	return nil, 0, false
}

// coordinate reads a member of exactly size bytes (RFC 7518 §6.2.1.2).
func coordinate(epk strictjson.Object, name string, size int) ([]byte, error) {
	text, ok, err := epk.String(name)
	if !ok || err != nil {
		return nil, ErrHeader
	}
	value, err := jose.Decode(text)
	if err != nil || len(value) != size {
		return nil, ErrHeader
	}
	return value, nil
}
