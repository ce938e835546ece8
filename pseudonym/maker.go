package pseudonym

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/tink-crypto/tink-go/v2/daead/subtle"
)

// A Key makes and reads pseudonyms. It prints without its secret.
type Key struct {
	// ID is in each pseudonym that the key makes: 1 to 16 of a-z and 0-9.
	ID string
	// Secret is at least 32 random bytes.
	Secret []byte
}

// Format shows the ID under every verb of package fmt.
func (k Key) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "pseudonym.Key{"+k.ID+" [redacted]}")
}

// LogValue shows the ID in logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// MarshalJSON shows nothing.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// ErrPseudonym is returned for a text that is no pseudonym of this maker for
// that recipient, whatever the reason.
var ErrPseudonym = errors.New("pseudonym: not a pseudonym of this maker for this recipient")

// A Maker derives pseudonyms. It is immutable and safe for concurrent use.
type Maker struct {
	// keys are behind two pointers because package fmt, where it can't ask a Maker for its
	// text, shows what is in it, and follows one pointer under a verb that doesn't fit.
	keys *[]*derived
}

// derived are the keys of the two modes under one key id.
type derived struct {
	id     string
	siv    *subtle.AESSIV
	oneWay []byte
}

const (
	reversiblePrefix, oneWayPrefix = "p1r.", "p1o."
	block                          = 64
	maxRecipient                   = 2048
	maxPseudonym                   = 16 << 10 // characters
)

// NewMaker returns a maker of pseudonyms with the first key; the others only read
// those that they made before. A key that is dropped takes its pseudonyms with
// it.
func NewMaker(keys ...Key) (*Maker, error) {
	if len(keys) == 0 {
		return nil, errors.New("pseudonym: a maker needs a key")
	}
	m := &Maker{keys: &[]*derived{}}
	for _, key := range keys {
		if !validKeyID(key.ID) || m.find(key.ID) != nil {
			return nil, errors.New("pseudonym: a key's id is there twice or not 1 to 16 of a-z and 0-9")
		}
		if len(key.Secret) < 32 {
			return nil, errors.New("pseudonym: a key's secret is shorter than 32 bytes")
		}
		siv, err := hkdf.Key(sha256.New, key.Secret, nil, "rely pseudonym v1 reversible", subtle.AESSIVKeySize)
		if err != nil {
			return nil, err
		}
		d := &derived{id: key.ID}
		if d.siv, err = subtle.NewAESSIV(siv); err != nil {
			return nil, err
		}
		if d.oneWay, err = hkdf.Key(sha256.New, key.Secret, nil, "rely pseudonym v1 one-way", sha256.Size); err != nil {
			return nil, err
		}
		*m.keys = append(*m.keys, d)
	}
	return m, nil
}

func validKeyID(id string) bool {
	return id != "" && len(id) <= 16 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// all are the keys; none of a Maker that NewMaker did not make.
func (m *Maker) all() []*derived {
	if m.keys == nil {
		return nil
	}
	return *m.keys
}

func (m *Maker) find(id string) *derived {
	for _, key := range m.all() {
		if key.id == id {
			return key
		}
	}
	return nil
}

// String shows no key.
func (m Maker) String() string { return "pseudonym.Maker{[redacted]}" }

// Format shows no key under every verb of package fmt.
func (m Maker) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue shows no key in logs.
func (m Maker) LogValue() slog.Value { return slog.StringValue(m.String()) }

// Reversible returns the person's pseudonym for a recipient, from which
// [Maker.Reveal] finds the person again.
func (m *Maker) Reversible(id Identity, recipient string) (string, error) {
	plaintext, err := prepare(id, recipient)
	if err != nil {
		return "", err
	}
	key := m.all()[0]
	plaintext = append(plaintext, 0x80)
	plaintext = append(plaintext, make([]byte, (block-len(plaintext)%block)%block)...)
	sealed, err := key.siv.EncryptDeterministically(plaintext, []byte("v1r"+recipient))
	if err != nil {
		return "", errors.New("pseudonym: encryption failed")
	}
	return reversiblePrefix + key.id + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Reveal returns the person behind a reversible pseudonym that one of the
// maker's keys made for the recipient. Its error is [ErrPseudonym].
func (m *Maker) Reveal(pseudonym, recipient string) (Identity, error) {
	key, sealed := m.split(pseudonym, reversiblePrefix)
	if key == nil {
		return Identity{}, ErrPseudonym
	}
	plaintext, err := key.siv.DecryptDeterministically(sealed, []byte("v1r"+recipient))
	if err != nil {
		return Identity{}, ErrPseudonym
	}
	text, ok := bytes.CutSuffix(bytes.TrimRight(plaintext, "\x00"), []byte{0x80})
	if !ok {
		return Identity{}, ErrPseudonym
	}
	id, err := ParseIdentity(string(text))
	if err != nil {
		return Identity{}, ErrPseudonym
	}
	return id, nil
}

// OneWay returns the person's pseudonym for a recipient in a form from which
// nobody finds the person, except by trying people with [Maker.Matches].
func (m *Maker) OneWay(id Identity, recipient string) (string, error) {
	text, err := prepare(id, recipient)
	if err != nil {
		return "", err
	}
	return m.all()[0].tag(text, recipient), nil
}

// Candidates returns the one-way pseudonyms of the person for a recipient by each
// of the maker's keys, the newest first: what to look for in a table that holds
// pseudonyms of several keys.
func (m *Maker) Candidates(id Identity, recipient string) ([]string, error) {
	text, err := prepare(id, recipient)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(m.all()))
	for i, key := range m.all() {
		all[i] = key.tag(text, recipient)
	}
	return all, nil
}

// Matches reports whether a one-way pseudonym is the person's, for the recipient,
// by any of the maker's keys. It takes the same time whatever the answer.
func (m *Maker) Matches(pseudonym string, id Identity, recipient string) bool {
	key, _ := m.split(pseudonym, oneWayPrefix)
	text, err := prepare(id, recipient)
	if key == nil || err != nil {
		return false
	}
	return hmac.Equal([]byte(key.tag(text, recipient)), []byte(pseudonym))
}

func (d *derived) tag(text []byte, recipient string) string {
	mac := hmac.New(sha256.New, d.oneWay)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(recipient))))
	mac.Write([]byte(recipient))
	mac.Write(text)
	return oneWayPrefix + d.id + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// prepare returns the text of an identity, for a recipient that can be one.
func prepare(id Identity, recipient string) ([]byte, error) {
	if recipient == "" || len(recipient) > maxRecipient {
		return nil, errors.New("pseudonym: recipient is missing or too long")
	}
	return id.MarshalText()
}

// split returns the key and the bytes of a pseudonym, or no key.
func (m *Maker) split(pseudonym, prefix string) (*derived, []byte) {
	rest, ok := strings.CutPrefix(pseudonym, prefix)
	id, encoded, found := strings.Cut(rest, ".")
	if !ok || !found || len(pseudonym) > maxPseudonym || strings.ContainsAny(encoded, "\r\n") {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, nil
	}
	return m.find(id), raw
}
