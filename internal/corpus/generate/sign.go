package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha1" // for signatures that must be refused
	"crypto/sha256"
	_ "crypto/sha512" // crypto.SHA384, crypto.SHA512
	"encoding/asn1"
	"io"
	"math/big"
)

func hashOf(alg string) crypto.Hash {
	switch alg[len(alg)-3:] {
	case "384":
		return crypto.SHA384
	case "512", "DSA":
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digest(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signature signs the same text with the same bytes each time: ECDSA as in RFC
// 6979, PSS with a fixed salt.
func signature(key crypto.Signer, alg, input string) []byte {
	hash := hashOf(alg)
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, []byte(input))
	case *rsa.PrivateKey:
		if alg[0] == 'P' {
			salt := bytes.Repeat([]byte{7}, hash.Size())
			return must(rsa.SignPSS(io.Reader(bytes.NewReader(salt)), key, hash, digest(hash, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return must(rsa.SignPKCS1v15(nil, key, hash, digest(hash, input)))
	case *ecdsa.PrivateKey:
		r, s := ecdsaNumbers(must(key.Sign(nil, digest(hash, input), hash)))
		size := (key.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	panic("no such key")
}

func ecdsaNumbers(der []byte) (r, s *big.Int) {
	var numbers struct{ R, S *big.Int }
	must(asn1.Unmarshal(der, &numbers))
	return numbers.R, numbers.S
}

func hmac256(secret []byte, input string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(input))
	return h.Sum(nil)
}

// compact signs texts of a header and claims. alg says how it is signed, whatever
// the header says.
func compact(key crypto.Signer, alg, header, claims string) string {
	input := encode([]byte(header)) + "." + encode([]byte(claims))
	return input + "." + encode(signature(key, alg, input))
}

// half is the value of at_hash and its like.
func half(hash crypto.Hash, value string) string {
	return encode(digest(hash, value)[:hash.Size()/2])
}
