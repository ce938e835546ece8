package jwe

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
)

const (
	wrapBlock = 8 // bytes of a block
	// wrapIV is the initial value, by which the result is recognised (RFC 3394
	// §2.2.3.1).
	wrapIV = 0xA6A6A6A6A6A6A6A6
)

// unwrap undoes AES key wrap (RFC 3394 §2.2.2) into key, and leaves key as it is
// when the wrapped text was not made with kek or is not a block longer than key.
func unwrap(kek, wrapped, key []byte) {
	block, err := aes.NewCipher(kek)
	if err != nil || len(key)%wrapBlock != 0 || len(wrapped) != len(key)+wrapBlock {
		return
	}
	n := len(key) / wrapBlock
	var buffer [aes.BlockSize]byte // A and one R
	copy(buffer[:], wrapped[:wrapBlock])
	registers := append([]byte(nil), wrapped[wrapBlock:]...)
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			register := registers[(i-1)*wrapBlock : i*wrapBlock]
			a := binary.BigEndian.Uint64(buffer[:]) ^ uint64(n*j+i)
			binary.BigEndian.PutUint64(buffer[:], a)
			copy(buffer[wrapBlock:], register)
			block.Decrypt(buffer[:], buffer[:])
			copy(register, buffer[wrapBlock:])
		}
	}
	var iv [wrapBlock]byte
	binary.BigEndian.PutUint64(iv[:], wrapIV)
	subtle.ConstantTimeCopy(subtle.ConstantTimeCompare(buffer[:wrapBlock], iv[:]), key, registers)
}
