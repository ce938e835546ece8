package jwe

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/rsa"
	"io"
)

// rsaDevice is an RSA key that is somewhere else. It counts its work, and can
// answer something of its own.
type rsaDevice struct {
	*rsa.PrivateKey
	calls  int
	answer func() ([]byte, error)
}

func (d *rsaDevice) Decrypt(random io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	d.calls++
	if d.answer != nil {
		return d.answer()
	}
	return d.PrivateKey.Decrypt(random, ciphertext, opts)
}

// ecDevice is the same for a curve.
type ecDevice struct {
	ecdh.KeyExchanger
	calls  int
	answer func() ([]byte, error)
}

func (d *ecDevice) ECDH(remote *ecdh.PublicKey) ([]byte, error) {
	d.calls++
	if d.answer != nil {
		return d.answer()
	}
	return d.KeyExchanger.ECDH(remote)
}

// rsaService and ecService take a context.
type rsaService struct {
	*rsa.PrivateKey
	seen context.Context
}

func (s *rsaService) DecryptContext(ctx context.Context, random io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	s.seen = ctx
	return s.PrivateKey.Decrypt(random, ciphertext, opts)
}

type ecService struct {
	ecdh.KeyExchanger
	seen context.Context
}

func (s *ecService) ECDHContext(ctx context.Context, remote *ecdh.PublicKey) ([]byte, error) {
	s.seen = ctx
	return s.KeyExchanger.ECDH(remote)
}

// handle has the methods of both kinds of keys and can do one.
type handle struct {
	ecdh.KeyExchanger
	public crypto.PublicKey
}

func (h handle) Public() crypto.PublicKey { return h.public }

func (h handle) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return nil, rsa.ErrDecryption
}
