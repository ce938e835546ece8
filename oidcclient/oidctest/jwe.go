package oidctest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" // RSA-OAEP of RFC 7518 §4.3 is defined with SHA-1
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"strings"
)

// errJWE is all that is said about a JWE that can't be opened.
var errJWE = errors.New("JWE can't be decrypted")

// parsedJWE is an encrypted JWT (RFC 7516 §7.1).
type parsedJWE struct {
	header                           map[string]any
	aad, key, iv, ciphertext, tagged []byte
}

func parseJWE(compact string) (parsedJWE, error) {
	parts := strings.Split(compact, ".")
	if len(compact) > maxJWT || len(parts) != 5 {
		return parsedJWE{}, errors.New("JWE has not five parts")
	}
	var decoded [5][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = b64.DecodeString(part); err != nil {
			return parsedJWE{}, errors.New("JWE is not base64url")
		}
	}
	header, err := decodeObject(decoded[0])
	if err != nil {
		return parsedJWE{}, errors.New("JWE header is no JSON object")
	}
	return parsedJWE{header, []byte(parts[0]), decoded[1], decoded[2], decoded[3], decoded[4]}, nil
}

// decrypt opens a JWE of RSA-OAEP or RSA-OAEP-256 with A256GCM or
// A128CBC-HS256.
func (e parsedJWE) decrypt(key *rsa.PrivateKey) ([]byte, error) {
	var oaep hash.Hash
	switch text(e.header, "alg") {
	case "RSA-OAEP":
		oaep = sha1.New()
	case "RSA-OAEP-256":
		oaep = crypto.SHA256.New()
	default:
		return nil, errors.New("JWE has an alg that is not supported")
	}
	cek, err := rsa.DecryptOAEP(oaep, nil, key, e.key, nil)
	if err != nil || len(cek) != 32 {
		return nil, errJWE
	}
	switch text(e.header, "enc") {
	case "A256GCM":
		return e.openGCM(cek)
	case "A128CBC-HS256":
		return e.openCBC(cek[:16], cek[16:])
	}
	return nil, errors.New("JWE has an enc that is not supported")
}

func (e parsedJWE) openGCM(cek []byte) ([]byte, error) {
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, errJWE
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil || len(e.iv) != gcm.NonceSize() || len(e.tagged) != gcm.Overhead() {
		return nil, errJWE
	}
	plain, err := gcm.Open(nil, e.iv, append(append([]byte(nil), e.ciphertext...), e.tagged...), e.aad)
	if err != nil {
		return nil, errJWE
	}
	return plain, nil
}

// openCBC is AES_128_CBC_HMAC_SHA_256 (RFC 7518 §5.2.3): the first half of the
// content key authenticates, the second decrypts.
func (e parsedJWE) openCBC(macKey, encKey []byte) ([]byte, error) {
	mac := hmac.New(sha256.New, macKey)
	for _, part := range [][]byte{e.aad, e.iv, e.ciphertext, binary.BigEndian.AppendUint64(nil, uint64(len(e.aad))*8)} {
		mac.Write(part)
	}
	if !hmac.Equal(mac.Sum(nil)[:16], e.tagged) || len(e.iv) != aes.BlockSize {
		return nil, errJWE
	}
	block, err := aes.NewCipher(encKey)
	if err != nil || len(e.ciphertext) == 0 || len(e.ciphertext)%aes.BlockSize != 0 {
		return nil, errJWE
	}
	plain := make([]byte, len(e.ciphertext))
	cipher.NewCBCDecrypter(block, e.iv).CryptBlocks(plain, e.ciphertext)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, errJWE
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errJWE
		}
	}
	return plain[:len(plain)-pad], nil
}
