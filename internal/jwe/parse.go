package jwe

import (
	"crypto/aes"
	"crypto/ecdh"
	"errors"
	"strings"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// Errors of [Parse] and [Compact.Decrypt]. Only ErrDecrypt comes after a key was
// used; the others follow from the token and the configuration alone.
var (
	// ErrSize is returned for tokens that are too long.
	ErrSize = errors.New("jwe: token is too long")
	// ErrShape is returned when the text is not five parts of canonical
	// base64url, or a part has a length that its algorithm can't have written.
	ErrShape = errors.New("jwe: not the five parts of a compact JWE")
	// ErrHeader is returned for headers that are no strict JSON object, lack a
	// member or have one of a wrong form, and for crit and zip.
	ErrHeader = errors.New("jwe: header is malformed or asks for what is not offered")
	// ErrAlgorithm is returned for an alg or enc that is not offered or was not
	// agreed.
	ErrAlgorithm = errors.New("jwe: alg or enc was not agreed")
	// ErrKey is returned when there is no key for the token's kid, alg and curve.
	ErrKey = errors.New("jwe: no key fits the header")
	// ErrDecrypt is returned when a key was tried and nothing came of it,
	// whatever the reason.
	ErrDecrypt = errors.New("jwe: can't be decrypted")
)

// Compact is a JWE in compact serialisation, split and decoded. Nothing in it is
// believed yet; the header is only protected once Decrypt succeeded. The zero
// Compact can't be decrypted.
type Compact struct {
	// Algorithm and Encryption are alg and enc, both of them offered.
	Algorithm, Encryption string
	// KeyID is kid, or "".
	KeyID string
	// Type and ContentType are typ and cty as they came, or "". A nested token
	// has the content type "JWT" (RFC 7519 §5.2).
	Type, ContentType string
	// Header is the whole header, for claims that are repeated in it (RFC 7519
	// §5.3).
	Header strictjson.Object

	management   management
	content      content
	encoded      string          // the header as it came, which is authenticated
	ephemeral    *ecdh.PublicKey // epk, of ECDH
	apu, apv     []byte
	encryptedKey []byte
	iv           []byte
	sealed       []byte // ciphertext and tag
}

// Parse splits a token of at most maxBytes bytes, decodes it and reads its header
// (RFC 7516 §7.1, §5.2 steps 1 to 5). Each text has one token and each token one
// text. The plaintext will be no longer than the token.
func Parse(token string, maxBytes int) (Compact, error) {
	if len(token) > maxBytes {
		return Compact{}, ErrSize
	}
	encoded, parts, err := split(token)
	if err != nil {
		return Compact{}, err
	}
	c, err := parseHeader(encoded)
	if err != nil {
		return Compact{}, err
	}
	c.encryptedKey, c.iv, c.sealed = parts[0], parts[1], append(parts[2], parts[3]...)
	if !c.lengths(len(parts[3])) {
		return Compact{}, ErrShape
	}
	return c, nil
}

// split returns the header as it came, and the decoded other parts.
func split(token string) (encoded string, parts [4][]byte, err error) {
	encoded, rest, more := strings.Cut(token, ".")
	for i := range parts {
		if !more {
			return "", parts, ErrShape
		}
		var part string
		part, rest, more = strings.Cut(rest, ".")
		if parts[i], err = jose.Decode(part); err != nil {
			return "", parts, ErrShape
		}
	}
	if more || encoded == "" {
		return "", parts, ErrShape
	}
	return encoded, parts, nil
}

// lengths reports whether all parts are as long as the algorithms make them. It
// needs no key, and so spares the work of one. Tags that are cut short would be
// guessed (RFC 7518 §5.2.2.2, §5.3). An RSA ciphertext is as long as the key,
// which is not known yet.
func (c Compact) lengths(tag int) bool {
	m, enc, key := c.management, c.content, len(c.encryptedKey)
	switch {
	case m.family == familyOAEP && key == 0,
		m.family == familyECDH && m.wrap == 0 && key != 0,
		m.family == familyECDH && m.wrap != 0 && key != enc.key+wrapBlock:
		return false
	case len(c.iv) != enc.iv, tag != enc.tag:
		return false
	}
	ciphertext := len(c.sealed) - tag
	return enc.hash == 0 || ciphertext > 0 && ciphertext%aes.BlockSize == 0
}
