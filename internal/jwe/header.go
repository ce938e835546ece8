package jwe

import (
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

const (
	maxDepth = 8   // of a header
	maxParty = 512 // bytes of apu and of apv
)

// parseHeader reads the members that matter (RFC 7516 §4.1, RFC 7518 §4.6.1). It
// ignores those that name keys by themselves or by an address, and those of
// algorithms that are not offered.
func parseHeader(encoded string) (Compact, error) {
	text, err := jose.Decode(encoded)
	if err != nil {
		return Compact{}, ErrShape
	}
	c := Compact{encoded: encoded}
	if c.Header, err = strictjson.ParseObject(text, maxDepth); err != nil {
		return Compact{}, ErrHeader
	}
	// No extension is known (RFC 7516 §4.1.13), and what was compressed has no
	// bounded size.
	if c.Header.Has("crit") || c.Header.Has("zip") {
		return Compact{}, ErrHeader
	}
	for _, m := range []struct {
		name     string
		into     *string
		required bool
	}{
		{"alg", &c.Algorithm, true}, {"enc", &c.Encryption, true},
		{"kid", &c.KeyID, false}, {"typ", &c.Type, false}, {"cty", &c.ContentType, false},
	} {
		value, err := optional(c.Header, m.name)
		if err != nil || m.required && !c.Header.Has(m.name) {
			return Compact{}, ErrHeader
		}
		*m.into = value
	}
	var known, knownEnc bool
	c.management, known = managementOf(c.Algorithm)
	c.content, knownEnc = contentOf(c.Encryption)
	if !known || !knownEnc {
		return Compact{}, ErrAlgorithm
	}
	if c.management.family == familyECDH {
		err = c.readAgreement()
	}
	return c, err
}

// optional reads a member that is a string where it is there. One that is null is
// neither there nor left out.
func optional(header strictjson.Object, name string) (string, error) {
	value, ok, err := header.String(name)
	if err != nil || !ok && header.Has(name) {
		return "", ErrHeader
	}
	return value, nil
}

// readAgreement reads the members of ECDH-ES.
func (c *Compact) readAgreement() (err error) {
	if c.ephemeral, err = ephemeralKey(c.Header); err != nil {
		return err
	}
	if c.apu, err = party(c.Header, "apu"); err != nil {
		return err
	}
	c.apv, err = party(c.Header, "apv")
	return err
}

// party reads apu or apv: what the two sides have said about themselves. It goes
// through a hash, whose cost the sender must not choose.
func party(header strictjson.Object, name string) ([]byte, error) {
	text, err := optional(header, name)
	if err != nil {
		return nil, err
	}
	info, err := jose.Decode(text)
	if err != nil || len(info) > maxParty {
		return nil, ErrHeader
	}
	return info, nil
}
