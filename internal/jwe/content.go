package jwe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
)

// open decrypts the content and checks that it and the header are what was
// encrypted. sealed is ciphertext and tag, of lengths that fit.
func (e content) open(cek, iv, sealed []byte, aad string) ([]byte, bool) {
	if e.hash == 0 {
		return openGCM(cek, iv, sealed, aad)
	}
	return e.openCBC(cek, iv, sealed, aad)
}

// openGCM is RFC 7518 §5.3.
func openGCM(cek, iv, sealed []byte, aad string) ([]byte, bool) {
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, false
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, false
	}
	plaintext, err := gcm.Open(nil, iv, sealed, []byte(aad))
	return plaintext, err == nil
}

// openCBC is RFC 7518 §5.2.2.2: nothing is decrypted before the MAC holds, so
// that nobody without the key gets to see what the padding does.
func (e content) openCBC(cek, iv, sealed []byte, aad string) ([]byte, bool) {
	macKey, key := cek[:e.key/2], cek[e.key/2:]
	ciphertext, tag := sealed[:len(sealed)-e.tag], sealed[len(sealed)-e.tag:]
	mac := hmac.New(e.hash.New, macKey)
	mac.Write([]byte(aad))
	mac.Write(iv)
	mac.Write(ciphertext)
	mac.Write(binary.BigEndian.AppendUint64(nil, 8*uint64(len(aad))))
	if subtle.ConstantTimeCompare(mac.Sum(nil)[:e.tag], tag) != 1 {
		return nil, false
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	plaintext := make([]byte, len(ciphertext))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plaintext, ciphertext)
	return unpad(plaintext)
}

// unpad removes the padding of PKCS #7 (RFC 5652 §6.3), looking at the whole last
// block whatever it holds.
func unpad(plaintext []byte) ([]byte, bool) {
	last := plaintext[len(plaintext)-aes.BlockSize:]
	size := int(last[aes.BlockSize-1])
	good := subtle.ConstantTimeLessOrEq(1, size) & subtle.ConstantTimeLessOrEq(size, aes.BlockSize)
	for i, b := range last {
		inPadding := subtle.ConstantTimeLessOrEq(aes.BlockSize-size, i)
		good &= subtle.ConstantTimeSelect(inPadding, subtle.ConstantTimeByteEq(b, byte(size)), 1)
	}
	if good != 1 {
		return nil, false
	}
	return plaintext[:len(plaintext)-size], true
}
