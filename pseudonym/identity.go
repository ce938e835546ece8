package pseudonym

import (
	"database/sql/driver"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Identity is a person as one issuer knows them (OpenID Connect Core §2, §5.7:
// only iss and sub together identify). It is comparable, so it can be the key of
// a map; in text, JSON and SQL it is one string, and no two identities have the
// same one. The zero Identity is nobody, and has no text.
type Identity struct {
	Issuer  string // iss; at most 2048 bytes
	Subject string // sub; at most 255 bytes
}

// ErrIdentity is returned for an identity or text of one that is malformed: a
// part is missing, too long, not UTF-8, or has control characters; or the text is
// not the one form that MarshalText writes.
var ErrIdentity = errors.New("pseudonym: malformed identity")

const maxIssuer, maxSubject = 2048, 255

func (id Identity) valid() bool {
	return validPart(id.Issuer, maxIssuer) && validPart(id.Subject, maxSubject)
}

func validPart(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// The text form is issuer, "|" and subject, with "%" as "%25" and "|" as "%7C" in
// both.
const separator = "|"

func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), separator, "%7C")
}

func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "%7C", separator), "%25", "%")
}

// MarshalText returns the text form. It is injective: issuer and subject can be
// read back from it, and two identities never have the same text.
func (id Identity) MarshalText() ([]byte, error) {
	if !id.valid() {
		return nil, ErrIdentity
	}
	return []byte(escape(id.Issuer) + separator + escape(id.Subject)), nil
}

// ParseIdentity reads what MarshalText writes, and nothing else.
func ParseIdentity(text string) (Identity, error) {
	issuer, subject, _ := strings.Cut(text, separator)
	id := Identity{unescape(issuer), unescape(subject)}
	if again, err := id.MarshalText(); err != nil || string(again) != text {
		return Identity{}, ErrIdentity
	}
	return id, nil
}

// UnmarshalText implements encoding.TextUnmarshaler, and so JSON.
func (id *Identity) UnmarshalText(text []byte) error {
	parsed, err := ParseIdentity(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Value implements driver.Valuer: the text form.
func (id Identity) Value() (driver.Value, error) {
	text, err := id.MarshalText()
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

// Scan implements sql.Scanner for the text form.
func (id *Identity) Scan(value any) error {
	switch value := value.(type) {
	case string:
		return id.UnmarshalText([]byte(value))
	case []byte:
		return id.UnmarshalText(value)
	}
	return ErrIdentity
}
