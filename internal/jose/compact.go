package jose

import (
	"encoding/base64"
	"errors"
	"strings"
)

// Compact is a JWS in compact serialisation, split and decoded. Nothing in it
// is believed yet.
type Compact struct {
	// SigningInput is what the signature is over: header and payload as they
	// came.
	SigningInput string
	// HeaderPart is the header as it came.
	HeaderPart string
	// Header, Payload and Signature are the decoded parts.
	Header, Payload, Signature []byte
}

// Errors of ParseCompact.
var (
	ErrSize  = errors.New("jose: token is too long")
	ErrShape = errors.New("jose: not three parts of canonical base64url")
)

// ParseCompact splits and decodes a token of at most maxBytes bytes. Each text
// has one token and each token one text: padding, white space, line breaks and
// trailing bits that are not zero are refused.
func ParseCompact(token string, maxBytes int) (Compact, error) {
	if len(token) > maxBytes {
		return Compact{}, ErrSize
	}
	header, rest, ok := strings.Cut(token, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || header == "" || signature == "" || strings.IndexByte(signature, '.') >= 0 {
		return Compact{}, ErrShape
	}
	c := Compact{SigningInput: token[:len(header)+1+len(payload)], HeaderPart: header}
	var err error
	if c.Header, err = Decode(header); err != nil {
		return Compact{}, ErrShape
	}
	if c.Payload, err = Decode(payload); err != nil {
		return Compact{}, ErrShape
	}
	if c.Signature, err = Decode(signature); err != nil {
		return Compact{}, ErrShape
	}
	return c, nil
}

// Encode is base64url without padding (RFC 7515 §2).
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Decode is the inverse of Encode, and refuses whatever Encode does not write.
func Decode(s string) ([]byte, error) {
	// The standard library skips line breaks.
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return nil, ErrShape
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, ErrShape
	}
	return b, nil
}
