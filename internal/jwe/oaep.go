package jwe

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // RSA-OAEP
	_ "crypto/sha256" // RSA-OAEP-256
	"io"
)

// ContextDecrypter is what a decrypter may have beside [crypto.Decrypter] when
// its key is somewhere else. That it is not reached it says by a [net.Error] or a
// context's error: any other is taken for a token that can't be decrypted.
type ContextDecrypter interface {
	// DecryptContext is Decrypt with a context.
	DecryptContext(ctx context.Context, rand io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error)
}

// decryptOAEP decrypts the content encryption key (RFC 7518 §4.3) into cek if it
// is one of that length, and leaves cek as it is otherwise: of the errors only an
// outage leaves this function, and no branch before the last depends on one.
func (k Key) decryptOAEP(ctx context.Context, hash crypto.Hash, encrypted, cek []byte) (outage error) {
	options := &rsa.OAEPOptions{Hash: hash, MGFHash: hash}
	var key []byte
	var err error
	if elsewhere, ok := k.decrypter.(ContextDecrypter); ok {
		key, err = elsewhere.DecryptContext(ctx, rand.Reader, encrypted, options)
	} else {
		key, err = k.decrypter.Decrypt(rand.Reader, encrypted, options)
	}
	if err == nil && len(key) == len(cek) {
		copy(cek, key)
	}
	return outageOf(err)
}
