package oidctest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" // RSA-OAEP of RFC 7518 §4.3 is defined with SHA-1
	"crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"errors"
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

// contentKeySize returns the bytes of the content key of an enc (RFC 7518 §5.1), and the
// hash of its MAC where it has one.
func contentKeySize(enc string) (size int, mac crypto.Hash) {
	switch enc {
	case "A128GCM":
		return 16, 0
	case "A192GCM":
		return 24, 0
	case "A256GCM":
		return 32, 0
	case "A128CBC-HS256":
		return 32, crypto.SHA256
	case "A192CBC-HS384":
		return 48, crypto.SHA384
	case "A256CBC-HS512":
		return 64, crypto.SHA512
	}
	return 0, 0
}

// decrypt opens a JWE with a key of RSA or of ECDH: RSA-OAEP, RSA-OAEP-256, and ECDH-ES
// with and without key wrap, with each enc of RFC 7518.
func (e parsedJWE) decrypt(key signingKey) ([]byte, error) {
	size, mac := contentKeySize(text(e.header, "enc"))
	if size == 0 {
		return nil, errors.New("JWE has an enc that is not supported")
	}
	cek, err := e.contentKey(key, size)
	if err != nil || len(cek) != size {
		return nil, errJWE
	}
	if mac != 0 {
		return e.openCBC(mac, cek[:size/2], cek[size/2:])
	}
	return e.openGCM(cek)
}

func (e parsedJWE) contentKey(key signingKey, size int) ([]byte, error) {
	private, ok := key.private.(*rsa.PrivateKey)
	switch alg := text(e.header, "alg"); {
	case alg == "RSA-OAEP" && ok:
		return rsa.DecryptOAEP(sha1.New(), nil, private, e.key, nil)
	case alg == "RSA-OAEP-256" && ok:
		return rsa.DecryptOAEP(sha256.New(), nil, private, e.key, nil)
	case key.agree != nil:
		return e.agreed(key.agree, alg, size)
	}
	return nil, errJWE
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

// openCBC is AES-CBC with HMAC (RFC 7518 §5.2.2.2): the first half of the content key
// authenticates, the second decrypts.
func (e parsedJWE) openCBC(hash crypto.Hash, macKey, encKey []byte) ([]byte, error) {
	mac := hmac.New(hash.New, macKey)
	for _, part := range [][]byte{e.aad, e.iv, e.ciphertext, binary.BigEndian.AppendUint64(nil, uint64(len(e.aad))*8)} {
		mac.Write(part)
	}
	if !hmac.Equal(mac.Sum(nil)[:len(macKey)], e.tagged) || len(e.iv) != aes.BlockSize {
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
