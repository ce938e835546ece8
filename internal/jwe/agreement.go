package jwe

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// ContextExchanger is what a key may have beside [ecdh.KeyExchanger] when it is
// somewhere else. It says as [ContextDecrypter] does that it is not reached.
type ContextExchanger interface {
	// ECDHContext is ECDH with a context.
	ECDHContext(ctx context.Context, remote *ecdh.PublicKey) ([]byte, error)
}

// agreeOn derives the content encryption key (RFC 7518 §4.6), or the key that it
// is wrapped with, into cek, and leaves cek as it is when it can't be unwrapped.
func (c Compact) agreeOn(ctx context.Context, k Key, cek []byte) (outage error) {
	secret, outage := k.sharedSecret(ctx, c.ephemeral)
	if c.management.wrap == 0 {
		copy(cek, concatKDF(secret, c.Encryption, c.apu, c.apv, len(cek)))
		return outage
	}
	kek := concatKDF(secret, c.Algorithm, c.apu, c.apv, c.management.wrap)
	unwrap(kek, c.encryptedKey, cek)
	return outage
}

// sharedSecret returns Z, or random bytes in its place when the key has none: for
// X25519 that can be the sender's doing, with a point of small order.
func (k Key) sharedSecret(ctx context.Context, remote *ecdh.PublicKey) (secret []byte, outage error) {
	secret = randomBytes(secretSize(k.curve))
	var shared []byte
	var err error
	if elsewhere, ok := k.exchanger.(ContextExchanger); ok {
		shared, err = elsewhere.ECDHContext(ctx, remote)
	} else {
		shared, err = k.exchanger.ECDH(remote)
	}
	// RFC 7748 §6.1: crypto/ecdh looks for zeros, others may not.
	if err == nil && len(shared) == len(secret) && subtle.ConstantTimeCompare(shared, make([]byte, len(shared))) == 0 {
		copy(secret, shared)
	}
	return secret, outageOf(err)
}

// secretSize is the length of a shared secret in bytes, or 0 for a curve that is
// not offered.
func secretSize(curve ecdh.Curve) int {
	switch curve {
	case ecdh.P256(), ecdh.X25519():
		return 32
	case ecdh.P384():
		return 48
	case ecdh.P521():
		return 66
	}
	return 0
}

// concatKDF derives a key of size bytes (RFC 7518 §4.6.2; NIST SP 800-56A
// §5.8.1). algorithm is enc where the key is used directly, and alg otherwise.
func concatKDF(secret []byte, algorithm string, apu, apv []byte, size int) []byte {
	prefixed := func(to, info []byte) []byte {
		return append(binary.BigEndian.AppendUint32(to, uint32(len(info))), info...)
	}
	// The counter of the rounds comes first.
	input := append(make([]byte, 4), secret...)
	input = prefixed(input, []byte(algorithm))
	input = prefixed(input, apu)
	input = prefixed(input, apv)
	input = binary.BigEndian.AppendUint32(input, uint32(8*size))
	key := make([]byte, 0, size+sha256.Size)
	for round := uint32(1); len(key) < size; round++ {
		binary.BigEndian.PutUint32(input, round)
		sum := sha256.Sum256(input)
		key = append(key, sum[:]...)
	}
	return key[:size]
}
