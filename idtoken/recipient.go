package idtoken

import (
	"context"
	"crypto"

	"github.com/rely-go/rely/internal/jwx"
)

// EncryptionKey returns the key to which a message to the issuer is encrypted with alg
// (RFC 7518 §4.1), and its kid: an *rsa.PublicKey, an *ecdsa.PublicKey, or an
// *ecdh.PublicKey of X25519. With a keyID it is that key, unless the issuer says that it
// is for something else; without one it is a key with use enc that fits alg: one
// that names alg before one that names none, and of several the first of the set.
//
// Keys are fetched and kept as those that verify are. Its error is an [*Error]; when no
// key fits, which is looked for anew once in a cool-down, nothing is Unavailable.
func (r *RemoteKeys) EncryptionKey(ctx context.Context, alg, keyID string) (key crypto.PublicKey, id string, err error) {
	known, err := r.get(ctx)
	if err != nil {
		return nil, "", unavailable(err)
	}
	found, ok := jwx.Recipient(known.recipients, alg, keyID)
	if !ok {
		if newer, _ := r.after(ctx, known.number, false); newer != nil {
			found, ok = jwx.Recipient(newer.recipients, alg, keyID)
		}
	}
	if !ok {
		return nil, "", refused(CheckKey, "issuer publishes no key for encryption that fits")
	}
	return found.Public, found.ID, nil
}
