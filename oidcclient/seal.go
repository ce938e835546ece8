package oidcclient

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/strictjson"
)

// SealerKeySize is the length of a sealing key in bytes.
const SealerKeySize = 32

// A Sealer turns logins and sessions into text that can be kept in a cookie or
// a database: encrypted and authenticated, so that nobody without the key reads
// or changes it. It is immutable and safe for concurrent use.
//
// Each text is sealed by AES-256-GCM under a key of its own, derived with HKDF
// (RFC 5869) from the sealing key, the purpose and 24 random bytes, so that any
// number of texts may be sealed with one key. A text opens for the purpose, and
// with the bound data, that it was sealed with and no other. Texts do not hide
// their length, and do not expire by themselves: a [Pending] does.
type Sealer struct {
	keys []sealingKey
}

type sealingKey struct {
	id     [keyIDSize]byte
	secret []byte
}

const (
	sealPrefix = "v1."
	keyIDSize  = 4
	saltSize   = 24
	maxSealed  = 1 << 20 // characters
)

// maxPlain is the longest plaintext of a text that opens, in bytes.
const maxPlain = (maxSealed-len(sealPrefix))/4*3 - keyIDSize - saltSize - 16

// ErrSealed is returned when a sealed text can't be opened, whatever the
// reason: it is damaged, of another purpose or bound to something else, or its
// key is no longer there.
var ErrSealed = errors.New("oidcclient: sealed text can't be opened")

// NewSealer makes a Sealer of keys of [SealerKeySize] random bytes each. The
// first seals; all of them open, so that keys are changed by putting a new one
// in front and dropping the last when nothing sealed with it is alive.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("oidcclient: a sealer needs a key")
	}
	s := &Sealer{}
	for _, secret := range keys {
		if len(secret) != SealerKeySize {
			return nil, errors.New("oidcclient: a sealing key has 32 bytes")
		}
		k := sealingKey{secret: append([]byte(nil), secret...)}
		id, err := hkdf.Key(sha256.New, k.secret, nil, "rely key id", keyIDSize)
		if err != nil {
			return nil, err
		}
		copy(k.id[:], id)
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// Seal encrypts plaintext for a purpose. bound is not in the text but has to be
// the same when it is opened: the name of the cookie, the id of the row. What is longer
// than Open takes, three quarters of a megabyte, is an error.
func (s *Sealer) Seal(purpose string, plaintext, bound []byte) (string, error) {
	if len(plaintext) > maxPlain {
		return "", errors.New("oidcclient: too long to be sealed")
	}
	key := s.keys[0]
	sealed := make([]byte, keyIDSize+saltSize, keyIDSize+saltSize+len(plaintext)+16)
	copy(sealed, key.id[:])
	rand.Read(sealed[keyIDSize:])
	aead, err := key.aead(purpose, sealed[keyIDSize:])
	if err != nil {
		return "", err
	}
	// The key is used once, so the nonce may be constant.
	sealed = aead.Seal(sealed, make([]byte, aead.NonceSize()), plaintext, bound)
	return sealPrefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open decrypts what Seal returned. Its error is [ErrSealed].
func (s *Sealer) Open(purpose, text string, bound []byte) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, sealPrefix)
	if !ok || len(text) > maxSealed || strings.IndexByte(encoded, '\n') >= 0 || strings.IndexByte(encoded, '\r') >= 0 {
		return nil, ErrSealed
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(sealed) < keyIDSize+saltSize {
		return nil, ErrSealed
	}
	for _, key := range s.keys {
		if string(key.id[:]) != string(sealed[:keyIDSize]) {
			continue
		}
		aead, err := key.aead(purpose, sealed[keyIDSize:keyIDSize+saltSize])
		if err != nil {
			return nil, ErrSealed
		}
		plaintext, err := aead.Open(nil, make([]byte, aead.NonceSize()), sealed[keyIDSize+saltSize:], bound)
		if err == nil {
			return plaintext, nil
		}
	}
	return nil, ErrSealed
}

func (k sealingKey) aead(purpose string, salt []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, k.secret, salt, "rely seal "+purpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

const (
	purposePending = "pending"
	purposeSession = "session"
)

// SealPending seals a login that waits for its callback.
func (s *Sealer) SealPending(p *Pending) (string, error) {
	return s.sealJSON(purposePending, p.data)
}

// OpenPending opens what SealPending returned. It does not tell whether the
// login is still young enough: Complete does.
func (s *Sealer) OpenPending(text string) (*Pending, error) {
	p := &Pending{}
	if err := s.openJSON(purposePending, text, &p.data); err != nil || p.data.Version != pendingVersion {
		return nil, ErrSealed
	}
	return p, nil
}

// SealSession seals a session with its tokens.
func (s *Sealer) SealSession(session *Session) (string, error) {
	return s.SealSessionWith(session, nil, nil)
}

// OpenSession opens what SealSession returned.
func (s *Sealer) OpenSession(text string) (*Session, error) {
	session, beside, err := s.OpenSessionWith(text, nil)
	if err != nil || len(beside) > 0 {
		return nil, ErrSealed
	}
	return session, nil
}

// SealSessionWith seals a session and, beside it, data of the caller's, so that
// neither can be exchanged for another's. bound is as in [Sealer.Seal].
func (s *Sealer) SealSessionWith(session *Session, beside, bound []byte) (string, error) {
	d := session.data
	if session.legacy != nil {
		stored, err := session.legacy.Store()
		if err != nil {
			return "", err
		}
		d.Legacy = string(stored)
	}
	d.ProofKey = string(session.proofKey.sealed())
	own := d.pack()
	plain := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+len(beside)+len(own)), uint64(len(beside)))
	plain = append(append(plain, beside...), own...)
	return s.Seal(purposeSession, plain, bound)
}

// OpenSessionWith opens what SealSessionWith returned.
func (s *Sealer) OpenSessionWith(text string, bound []byte) (session *Session, beside []byte, err error) {
	plain, err := s.Open(purposeSession, text, bound)
	if err != nil {
		return nil, nil, err
	}
	length, size := binary.Uvarint(plain)
	if size <= 0 || length > uint64(len(plain)-size) {
		return nil, nil, ErrSealed
	}
	beside, own := plain[size:size+int(length)], plain[size+int(length):]
	session = &Session{}
	if !session.data.unpack(own) {
		return nil, nil, ErrSealed
	}
	// What is restored was verified before it was sealed, and nobody without the
	// key can have sealed it.
	switch d := &session.data; {
	case d.IDToken != "":
		session.idToken = &keptToken{raw: d.IDToken}
	case d.Legacy != "":
		if session.legacy, err = idtoken.RestoreLegacy([]byte(d.Legacy)); err != nil {
			return nil, nil, ErrSealed
		}
	case session.Identified() || d.AccessToken == "":
		return nil, nil, ErrSealed // nobody's is good for its access token
	}
	session.proofKey = openProofKey([]byte(session.data.ProofKey))
	return session, beside, nil
}

func (s *Sealer) sealJSON(purpose string, v any) (string, error) {
	plaintext, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return s.Seal(purpose, plaintext, nil)
}

func (s *Sealer) openJSON(purpose, text string, v any) error {
	plaintext, err := s.Open(purpose, text, nil)
	if err != nil {
		return err
	}
	// Closed: a member that this version doesn't know was written by another.
	return strictjson.UnmarshalClosed(plaintext, v, maxDepth)
}

// String shows no key.
func (s *Sealer) String() string { return "oidcclient.Sealer{" + redacted + "}" }

// Format keeps secrets out of every verb of package fmt.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue shows no key.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(s.String()) }
