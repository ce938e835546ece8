package corpus

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setup is what a case says about the client that gets its input, and about the
// login that the client has in hand. Each field is that of the case with its name
// in lower case and with hyphens, where nothing else is said. Elements of lists
// are apart by blanks, spans are in whole seconds, and what is so or not is "yes"
// or absent. A field "unset" lists names whose default is taken away.
type Setup struct {
	// Issuer is the configured one, by default https://op.example.
	Issuer string
	// Client is the client id, by default client-1.
	Client string
	// Now is the time, in seconds of Unix time, by default 1790000000.
	Now time.Time
	// Skew is the leeway; 0 is the verifier's own.
	Skew time.Duration
	// Algorithms are agreed, by default RS256. It is empty, and never nil, where
	// none is.
	Algorithms []string
	// Keys is a JWK Set: the field names a file in the folder keys, by default
	// provider.json. It is nil beside a secret or anchors.
	Keys []byte
	// Anchors are those of certificate chains: the field names a PEM file in the
	// folder keys. nil means that keys don't come from certificates.
	Anchors []*x509.Certificate
	// Thumbprints are registered for the issuer. The field is "thumbprint".
	Thumbprints []string
	// PEMTail says that certificates behind the first may be PEM. The field is
	// "pem-tail".
	PEMTail bool
	// Secret is that of HS256 and its like.
	Secret []byte

	// HeaderMembers are those that a header has to have, all and no other; nil
	// fixes nothing.
	HeaderMembers []string
	// SingleAudience demands that aud is one string.
	SingleAudience bool
	// StringDates tolerates times as strings.
	StringDates bool
	// MaxSkew is the most that the leeway may be; 0 does not bound it.
	MaxSkew time.Duration
	// TrustedAudiences may be in aud beside the client. The field is
	// "trusted-audience".
	TrustedAudiences []string
	// Required are the members that an ID token has to have.
	Required []string
	// Lifetime is what exp − iat has to be; 0 demands nothing.
	Lifetime time.Duration
	// MaxLifetime is the most that exp − iat may be; 0 does not bound it.
	MaxLifetime time.Duration
	// ACROrder are values of acr, the lowest first. The field is "acr-order".
	ACROrder []string

	// Nonce was sent; "" when none was.
	Nonce string
	// AccessToken came with the token, or "".
	AccessToken string
	// Code came with the token, or "".
	Code string
	// State came with the token, or "".
	State string
	// HashesRequired says that the token came through a browser.
	HashesRequired bool
	// MaxAge was sent, or nil.
	MaxAge *time.Duration
	// MinACR is the least acr that is accepted, or "". The field is "min-acr".
	MinACR string
	// Original is the ID token that was refreshed, or "".
	Original string

	// UserInfoIssuers are the values that iss of userinfo may have. The field is
	// "userinfo-issuer".
	UserInfoIssuers []string
	// Subject is the one that userinfo has to be about.
	Subject string
	// SubjectMember is the member that identifies the person of a legacy identity;
	// "" is the verifier's own.
	SubjectMember string
	// Token is the ID token that a key set is asked about.
	Token string
}

// reader reads fields and keeps the first error.
type reader struct {
	c   Case
	err error
}

func (r *reader) text(name, usual string) string {
	if slices.Contains(r.list("unset"), name) {
		return ""
	}
	if value := r.c.Field(name); value != "" {
		return value
	}
	return usual
}

func (r *reader) list(name string) []string { return strings.Fields(r.c.Field(name)) }

func (r *reader) yes(name string) bool {
	value := r.c.Field(name)
	if value != "" && value != "yes" {
		r.err = errors.Join(r.err, fmt.Errorf("%s is neither yes nor absent", name))
	}
	return value != ""
}

func (r *reader) seconds(name, usual string) int64 {
	seconds, err := strconv.ParseInt(r.text(name, usual), 10, 64)
	r.err = errors.Join(r.err, err)
	return seconds
}

func (r *reader) span(name string) time.Duration {
	return time.Duration(r.seconds(name, "0")) * time.Second
}

// Setup reads the fields of a case, and the keys that it names from a corpus. A
// value that can't be read is an error.
func (c Case) Setup(from fs.FS) (Setup, error) {
	r := &reader{c: c}
	s := Setup{
		Issuer: r.text("issuer", "https://op.example"), Client: r.text("client", "client-1"), Now: time.Unix(r.seconds("now", "1790000000"), 0),
		Skew: r.span("skew"), Algorithms: strings.Fields(r.text("algorithms", "RS256")), Thumbprints: r.list("thumbprint"), PEMTail: r.yes("pem-tail"),
		HeaderMembers: r.list("header-members"), SingleAudience: r.yes("single-audience"), StringDates: r.yes("string-dates"), MaxSkew: r.span("max-skew"),
		TrustedAudiences: r.list("trusted-audience"), Required: r.list("required"), Lifetime: r.span("lifetime"), MaxLifetime: r.span("max-lifetime"),
		ACROrder: r.list("acr-order"), Nonce: r.text("nonce", ""), AccessToken: r.text("access-token", ""), Code: r.text("code", ""), State: r.text("state", ""),
		HashesRequired: r.yes("hashes-required"), MinACR: r.text("min-acr", ""), Original: r.text("original", ""),
		UserInfoIssuers: r.list("userinfo-issuer"), Subject: r.text("subject", ""), SubjectMember: r.text("subject-member", ""), Token: r.text("token", ""),
	}
	if c.Field("max-age") != "" {
		age := r.span("max-age")
		s.MaxAge = &age
	}
	if len(s.HeaderMembers) == 0 {
		s.HeaderMembers = nil
	}
	r.keys(from, &s)
	if r.err != nil {
		return Setup{}, fmt.Errorf("corpus: %s: %w", c.Name, r.err)
	}
	return s, nil
}

// keys reads what signatures are verified with.
func (r *reader) keys(from fs.FS, s *Setup) {
	if secret := r.text("secret", ""); secret != "" {
		s.Secret = []byte(secret)
	}
	usual := "provider.json"
	if s.Secret != nil || r.c.Field("anchors") != "" || slices.ContainsFunc(s.Algorithms, symmetric) {
		usual = ""
	}
	if name := r.text("keys", usual); name != "" {
		text, err := fs.ReadFile(from, "keys/"+name)
		r.err = errors.Join(r.err, err)
		s.Keys = text
	}
	name := r.c.Field("anchors")
	if name == "" {
		return
	}
	rest, err := fs.ReadFile(from, "keys/"+name)
	r.err = errors.Join(r.err, err)
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		r.err = errors.Join(r.err, err)
		s.Anchors = append(s.Anchors, cert)
	}
	if len(s.Anchors) == 0 {
		r.err = errors.Join(r.err, errors.New("anchors has no certificate"))
	}
}

func symmetric(algorithm string) bool { return strings.HasPrefix(algorithm, "HS") }
