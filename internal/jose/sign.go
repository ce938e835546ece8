package jose

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
)

// ContextSigner is what a signer may have beside crypto.Signer when its key is
// somewhere else.
type ContextSigner interface {
	// SignContext is Sign with a context.
	SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// Sign signs with any crypto.Signer whose public key fits alg. A signer that is
// a [ContextSigner] gets ctx; for others ctx is looked at before and after.
func Sign(ctx context.Context, alg string, signer crypto.Signer, signingInput string) ([]byte, error) {
	a, ok := lookup(alg)
	if !ok || a.family == familyHMAC {
		return nil, ErrAlgorithm
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var full digest
	var message []byte
	options := crypto.SignerOpts(a.hash)
	switch a.family {
	case familyEdDSA:
		message, options = []byte(signingInput), crypto.Hash(0)
	case familyPSS:
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.hash}
		fallthrough
	default:
		message = a.sum(signingInput, &full)
	}
	signature, err := sign(ctx, signer, message, options)
	if err != nil {
		return nil, err
	}
	// A signer that took no context may have come back long after it ended.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return shaped(a, signature)
}

// errSigned is returned for what a signer returned without an error, and yet it
// can't be a signature. A signer somewhere else may well answer that.
var errSigned = errors.New("jose: signer returned no signature of the algorithm")

// shaped returns a signature as JWS has it. The public key is not asked for: for
// a key somewhere else that can be one more request.
func shaped(a algorithm, signature []byte) ([]byte, error) {
	minSize, maxSize := minRSABits/8, maxRSABits/8
	switch a.family {
	case familyECDSA:
		return fromASN1(signature, a.coordinate())
	case familyEdDSA:
		minSize, maxSize = ed25519.SignatureSize, ed25519.SignatureSize
	}
	if len(signature) < minSize || len(signature) > maxSize {
		return nil, errSigned
	}
	return signature, nil
}

func sign(ctx context.Context, signer crypto.Signer, message []byte, options crypto.SignerOpts) ([]byte, error) {
	if s, ok := signer.(ContextSigner); ok {
		return s.SignContext(ctx, rand.Reader, message, options)
	}
	return signer.Sign(rand.Reader, message, options)
}

// fromASN1 turns what crypto.Signer returns for ECDSA into r‖s.
func fromASN1(signature []byte, size int) ([]byte, error) {
	var parts struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &parts)
	if err != nil || len(rest) > 0 || parts.R.Sign() <= 0 || parts.S.Sign() <= 0 ||
		parts.R.BitLen() > 8*size || parts.S.BitLen() > 8*size {
		return nil, errSigned
	}
	out := make([]byte, 2*size)
	parts.R.FillBytes(out[:size])
	parts.S.FillBytes(out[size:])
	return out, nil
}

// SignHMAC computes an HMAC with a secret that is long enough for it.
func SignHMAC(alg string, secret []byte, signingInput string) ([]byte, error) {
	if err := CheckSecret(alg, secret); err != nil {
		return nil, err
	}
	a, _ := lookup(alg)
	mac := hmac.New(a.hash.New, secret)
	mac.Write([]byte(signingInput))
	return mac.Sum(nil), nil
}
