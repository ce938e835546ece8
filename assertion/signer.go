package assertion

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/certchain"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// Config says who signs and how long what is signed is good.
type Config struct {
	// Key signs. Required.
	Key Key
	// ClientID is iss and sub of assertions, iss and client_id of request
	// objects. Required.
	ClientID string
	// BindCertificate demands that the leaf certificate names ClientID in its
	// organizationIdentifier or serialNumber.
	BindCertificate bool
	// Lifetime is exp − iat, a whole number of seconds up to five minutes; 0
	// means 60 seconds.
	Lifetime time.Duration
	// BackDate puts iat that much into the past, up to three seconds, for
	// servers whose clocks are behind and who tolerate nothing.
	BackDate time.Duration
	// NotBefore also sends nbf, equal to iat.
	NotBefore bool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// A Signer signs for one client. It is immutable and safe for concurrent use, as
// far as its crypto.Signer is.
type Signer struct {
	// config is behind a pointer because package fmt, where it can't ask a
	// Signer for its text, shows what is in it, but follows no pointer there.
	config *Config
	now    func() time.Time
	header string // encoded, with the dot: the same for everything signed
	object string // the same for request objects
}

// New checks a configuration as a whole. It signs nothing and needs no network.
// Its errors say what is wrong and hold no secret.
func New(config Config) (*Signer, error) {
	s, err := newKeyless(config)
	if err != nil {
		return nil, err
	}
	key := &s.config.Key
	key.Algorithm, key.Secret = key.algorithm(), bytes.Clone(key.Secret)
	if err := s.checkKey(); err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	if s.header, err = s.encodeHeader("JWT"); err != nil {
		return nil, err
	}
	s.object, err = s.encodeHeader(typeRequest)
	if config.Key.Naming == NameX5C {
		// Schemes that send chains fix the header to the letter.
		s.object = s.header
	}
	return s, err
}

// typeRequest is the type of request objects (RFC 9101 §4).
const typeRequest = "oauth-authz-req+jwt"

// newKeyless checks all of a configuration but the key, and makes what can write
// claims.
func newKeyless(config Config) (*Signer, error) {
	s := &Signer{config: &config, now: config.Clock}
	if s.now == nil {
		s.now = time.Now
	}
	if config.Lifetime == 0 {
		config.Lifetime = time.Minute
	}
	switch lifetime, back := config.Lifetime, config.BackDate; {
	case config.ClientID == "":
		return nil, errors.New("assertion: client id is missing")
	case lifetime < time.Second || lifetime > 5*time.Minute || lifetime%time.Second != 0:
		return nil, errors.New("assertion: lifetime is not 1 second to 5 minutes in whole seconds")
	case back < 0 || back > 3*time.Second || back%time.Second != 0:
		return nil, errors.New("assertion: back date is not 0 to 3 whole seconds")
	}
	return s, nil
}

func (s *Signer) checkKey() error {
	key := &s.config.Key
	if !jose.Known(key.Algorithm) {
		return errors.New("algorithm of the key is missing or unknown")
	}
	if jose.Symmetric(key.Algorithm) {
		if key.Signer != nil || key.Naming != NameKeyID {
			return errors.New("an HMAC has a secret and no certificate")
		}
		return jose.CheckSecret(key.Algorithm, key.Secret)
	}
	if key.Signer == nil || key.Secret != nil {
		return errors.New("key has no signer, or a secret beside it")
	}
	public := key.public()
	if public == nil {
		return errors.New("key's signer has no public key")
	}
	if err := jose.Fits(key.Algorithm, public); err != nil {
		return err
	}
	if key.Naming == NameKeyID {
		if s.config.BindCertificate {
			return errors.New("a client bound by its certificate has to send it")
		}
		return nil
	}
	if slices.Contains(key.Certificates, nil) {
		return errors.New("a certificate of the chain is nil")
	}
	party := ""
	if s.config.BindCertificate {
		party = s.config.ClientID
	}
	return certchain.CheckOwn(public, key.Certificates, party, s.now())
}

// encodeHeader returns the encoded header and the dot that follows it.
func (s *Signer) encodeHeader(typ string) (string, error) {
	key := &s.config.Key
	header := struct {
		Algorithm  string   `json:"alg"`
		Type       string   `json:"typ"`
		ID         string   `json:"kid,omitempty"`
		Chain      []string `json:"x5c,omitempty"`
		Thumbprint string   `json:"x5t#S256,omitempty"`
	}{Algorithm: key.Algorithm, Type: typ}
	switch key.Naming {
	case NameKeyID:
		header.ID = key.ID
	case NameX5C:
		header.Chain = certchain.EncodeX5C(key.Certificates)
	case NameThumbprint:
		thumbprint := certchain.Thumbprint(key.Certificates[0])
		header.Thumbprint = jose.Encode(thumbprint[:])
	default:
		return "", errors.New("assertion: unknown naming of the key")
	}
	text, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	return jose.Encode(text) + ".", nil
}

// times returns iat and exp, in whole seconds and never in the future.
func (s *Signer) times() (issuedAt, expiry int64) {
	issuedAt = s.now().Add(-s.config.BackDate).Unix()
	return issuedAt, issuedAt + int64(s.config.Lifetime/time.Second)
}

// claims are the members that every signed thing of a client has.
type claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf,omitempty"`
	Expiry    int64  `json:"exp"`
}

func (s *Signer) newClaims(subject, audience string) claims {
	c := claims{Issuer: s.config.ClientID, Subject: subject, Audience: audience, ID: newID()}
	c.IssuedAt, c.Expiry = s.times()
	if s.config.NotBefore {
		c.NotBefore = c.IssuedAt
	}
	return c
}

// newID returns 192 random bits, so that no two are ever the same.
func newID() string {
	var b [24]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

var errNotMade = errors.New("assertion: signer was not made by New")

// ready reports what is missing to sign for an audience.
func (s *Signer) ready(audience string) error {
	switch {
	case s.config == nil:
		return errNotMade
	case audience == "":
		return errors.New("assertion: audience is missing")
	}
	return nil
}

// ClientAssertion returns a new assertion of this client for one server (RFC
// 7523 §3): iss and sub are the client, aud is audience, one string. It is good
// for one request.
func (s *Signer) ClientAssertion(ctx context.Context, audience string) (string, error) {
	if err := s.ready(audience); err != nil {
		return "", err
	}
	payload, err := json.Marshal(s.newClaims(s.config.ClientID, audience))
	if err != nil {
		return "", err
	}
	return s.sign(ctx, s.header, payload)
}

// sign signs a payload under an encoded header.
func (s *Signer) sign(ctx context.Context, header string, payload []byte) (string, error) {
	// One buffer for the signing input and what becomes of it: a header with a
	// chain has ten kilobytes.
	var signed strings.Builder
	encoded := jose.Encode(payload)
	signed.Grow(len(header) + len(encoded) + usualSignature)
	signed.WriteString(header)
	signed.WriteString(encoded)
	input := signed.String()
	key := &s.config.Key
	var signature []byte
	var err error
	if key.Signer != nil {
		signature, err = jose.Sign(ctx, key.Algorithm, key.Signer, input)
	} else {
		signature, err = jose.SignHMAC(key.Algorithm, key.Secret, input)
	}
	if err != nil {
		return "", fmt.Errorf("assertion: can't sign: %w", err)
	}
	signed.WriteByte('.')
	signed.WriteString(jose.Encode(signature))
	return signed.String(), nil
}

// usualSignature is the length of a dot and an encoded RSA signature of 4096 bits.
const usualSignature = 1 + 683

// Algorithm returns the JWS algorithm of the key.
func (s *Signer) Algorithm() string {
	if s.config == nil {
		return ""
	}
	return s.config.Key.Algorithm
}

// PublicJWKS returns the JWK Set (RFC 7517 §5) to publish or register for this
// client. There is none for a secret.
func (s *Signer) PublicJWKS() ([]byte, error) {
	if s.config == nil {
		return nil, errNotMade
	}
	key := &s.config.Key
	public := key.public()
	if public == nil {
		return nil, errors.New("assertion: a secret has no public half")
	}
	return jwx.MarshalPublic([]jwx.Key{{ID: key.ID, Algorithm: key.Algorithm, Use: "sig", Public: public}})
}

// String shows for whom and with which algorithm it signs.
func (s Signer) String() string {
	if s.config == nil {
		return "assertion.Signer{}"
	}
	return "assertion.Signer{" + s.config.ClientID + " " + s.config.Key.Algorithm + " [redacted]}"
}

// Format keeps secrets out of every verb of package fmt.
func (s Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue keeps a secret out of logs.
func (s Signer) LogValue() slog.Value { return slog.StringValue(s.String()) }
