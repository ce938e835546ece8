package jose

import (
	"encoding/base64"
	"errors"
	"strings"
)

// Compact is a JWS in compact serialisation, split and decoded but for its
// header: one that was read before need not be read again. Nothing in it is
// believed yet.
type Compact struct {
	// SigningInput is what the signature is over: header and payload as they
	// came.
	SigningInput string
	// HeaderPart is the header as it came; Decode it.
	HeaderPart string
	// Payload and Signature are the decoded parts.
	Payload, Signature []byte
}

// Errors of ParseCompact.
var (
	ErrSize  = errors.New("jose: token is too long")
	ErrShape = errors.New("jose: not three parts of canonical base64url")
)

// ParseCompact splits a token of at most maxBytes bytes and decodes payload and
// signature. Each text has one token and each token one text: padding, white
// space, line breaks and trailing bits that are not zero are refused.
func ParseCompact(token string, maxBytes int) (Compact, error) {
	if len(token) > maxBytes {
		return Compact{}, ErrSize
	}
	header, rest, ok := strings.Cut(token, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || header == "" || signature == "" {
		return Compact{}, ErrShape
	}
	both := make([]byte, 0, base64.RawURLEncoding.DecodedLen(len(payload))+base64.RawURLEncoding.DecodedLen(len(signature)))
	decoded, err := appendDecoded(both, payload)
	if err != nil {
		return Compact{}, err
	}
	end := len(decoded)
	if decoded, err = appendDecoded(decoded, signature); err != nil {
		return Compact{}, err
	}
	return Compact{
		SigningInput: token[:len(header)+1+len(payload)],
		HeaderPart:   header,
		Payload:      decoded[:end:end],
		Signature:    decoded[end:],
	}, nil
}

// Encode is base64url without padding (RFC 7515 §2).
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Decode is the inverse of Encode, and refuses whatever Encode does not write.
func Decode(s string) ([]byte, error) { return appendDecoded(nil, s) }

func appendDecoded(to []byte, s string) ([]byte, error) {
	// The standard library skips line breaks.
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return nil, ErrShape
	}
	decoded, err := base64.RawURLEncoding.Strict().AppendDecode(to, []byte(s))
	if err != nil {
		return nil, ErrShape
	}
	return decoded, nil
}
