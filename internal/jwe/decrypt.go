package jwe

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
)

// Agreed are the algorithms that were agreed with the sender, best one of each.
// All others are refused before a key is looked at. The zero Agreed refuses
// everything.
type Agreed struct {
	// Algorithms are values of alg.
	Algorithms []string
	// Encryptions are values of enc.
	Encryptions []string
}

// Decrypt returns the plaintext (RFC 7516 §5.2 steps 6 to 17). A kid in the
// header selects among keys; without one, at most four that fit are tried. keys
// that reach over a network get ctx if they take one; for others ctx is looked at
// before and after. The errors are [ErrAlgorithm], [ErrKey], [ErrDecrypt], those of
// ctx, and the outage of a key that was not reached, if no other decrypts the token.
//
// What a key can't decrypt goes on with a random content encryption key
// (§11.5), so that all failures are in the same last step.
func (c Compact) Decrypt(ctx context.Context, agreed Agreed, keys []Key) ([]byte, error) {
	// The zero Compact has the family of none.
	if c.management.family == 0 || !slices.Contains(agreed.Algorithms, c.Algorithm) || !slices.Contains(agreed.Encryptions, c.Encryption) {
		return nil, ErrAlgorithm
	}
	candidates := c.candidates(keys)
	if len(candidates) == 0 {
		return nil, ErrKey
	}
	failed := ErrDecrypt
	for _, k := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cek := randomBytes(c.content.key)
		outage := c.contentKey(ctx, k, cek)
		// A key that took no context may have come back long after it ended.
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if plaintext, ok := c.content.open(cek, c.iv, c.sealed, c.encoded); ok {
			return plaintext, nil
		}
		if outage != nil {
			failed = outage
		}
	}
	return nil, failed
}

// outageOf returns an error that says nothing about a token, only that a key somewhere
// else was not reached; of every other one nothing is left.
func outageOf(err error) error {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// contentKey replaces the random bytes in cek by the token's content encryption
// key, if k is the key for it.
func (c Compact) contentKey(ctx context.Context, k Key, cek []byte) (outage error) {
	if c.management.family == familyOAEP {
		return k.decryptOAEP(ctx, c.management.hash, c.encryptedKey, cek)
	}
	return c.agreeOn(ctx, k, cek)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	// It never fails (crypto/rand).
	_, _ = rand.Read(b)
	return b
}
