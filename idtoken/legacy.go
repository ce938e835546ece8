package idtoken

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
)

// LegacyConfig says how a legacy identity is believed.
type LegacyConfig struct {
	// Issuer is what the application calls the provider: the token names nobody.
	// Required.
	Issuer string
	// SubjectMember names the claim that identifies the person; "" means openid.
	SubjectMember string
	// Keys have the pinned key of the provider. nil is refused, unless both of
	// the following are set.
	Keys KeySource
	// UnverifiedReason says why a token is believed whose signature nobody
	// verified.
	UnverifiedReason string
	// InsecureAcceptUnverified says so once more.
	InsecureAcceptUnverified bool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// A LegacyVerifier judges JWTs that stand in the place of an ID token and have
// neither issuer nor audience nor expiry. Nothing in such a token says that it
// is meant for this client or for now: it is worth something only when it came
// straight from the token endpoint, over TLS, in the answer to a request that
// this client made with its secret. Never give it one from a browser, a cookie
// or a caller.
type LegacyVerifier struct {
	config LegacyConfig
	now    func() time.Time
}

// legacyUse is how long a legacy identity may be used to begin a session.
const legacyUse = time.Minute

// NewLegacyVerifier checks a configuration.
func NewLegacyVerifier(config LegacyConfig) (*LegacyVerifier, error) {
	v := &LegacyVerifier{config: config, now: config.Clock}
	if config.SubjectMember == "" {
		v.config.SubjectMember = "openid"
	}
	if v.now == nil {
		v.now = time.Now
	}
	asked := config.UnverifiedReason != "" && config.InsecureAcceptUnverified
	switch {
	case config.Issuer == "":
		return nil, errors.New("idtoken: issuer is missing")
	case config.Keys == nil && !asked:
		return nil, errors.New("idtoken: key is missing: pin the provider's, or accept unverified identities by both settings for it")
	case config.Keys != nil && (config.UnverifiedReason != "" || config.InsecureAcceptUnverified):
		return nil, errors.New("idtoken: unverified identities are accepted although there is a key")
	}
	return v, nil
}

// A LegacyIdentity is what a [LegacyVerifier] believed. It is not an ID token.
// It prints as [redacted].
type LegacyIdentity struct {
	record legacyRecord
}

// legacyRecord is also the stored form.
type legacyRecord struct {
	Issuer     string          `json:"iss"`
	Subject    string          `json:"sub"`
	Verified   bool            `json:"verified"`
	ReceivedAt time.Time       `json:"received_at"`
	Claims     json.RawMessage `json:"claims"`
}

// Verify decides about one token. Its signature has to be RS256 by a pinned key;
// a token that names an issuer or an audience is not a legacy one and is
// refused. Errors are [*Error].
func (v *LegacyVerifier) Verify(ctx context.Context, raw string) (*LegacyIdentity, error) {
	t, refusal := parse(raw)
	if refusal != nil {
		return nil, refusal
	}
	if t.header, refusal = readHeader(t.HeaderPart); refusal != nil {
		return nil, refusal
	}
	if refusal := t.header.check([]string{"RS256"}, nil); refusal != nil {
		return nil, refusal
	}
	if refusal := t.header.checkType("jwt"); refusal != nil {
		return nil, refusal
	}
	if v.config.Keys != nil {
		if refusal := verifyWith(ctx, v.config.Keys, t); refusal != nil {
			return nil, refusal
		}
	}
	if refusal := t.readClaims(); refusal != nil {
		return nil, refusal
	}
	for _, name := range []string{"iss", "aud"} {
		if _, ok := t.claims.Raw(name); ok {
			return nil, refused(CheckIssuer, "token names an issuer or audience, so it is no legacy identity")
		}
	}
	subject, _, valid := t.text(v.config.SubjectMember)
	if !valid || subject == "" || len(subject) > maxSubject {
		return nil, refused(CheckSubject, "subject is missing, empty, too long or no string")
	}
	return &LegacyIdentity{legacyRecord{
		Issuer: v.config.Issuer, Subject: subject, Verified: v.config.Keys != nil,
		ReceivedAt: v.now().UTC().Round(0), Claims: t.Payload,
	}}, nil
}

// Issuer returns the configured issuer: the token names none.
func (l *LegacyIdentity) Issuer() string { return l.record.Issuer }

// Subject returns the person's identifier, unique only together with Issuer.
func (l *LegacyIdentity) Subject() string { return l.record.Subject }

// SignatureVerified reports whether a pinned key verified the signature.
func (l *LegacyIdentity) SignatureVerified() bool { return l.record.Verified }

// ReceivedAt returns when the token came: it has no time of its own.
func (l *LegacyIdentity) ReceivedAt() time.Time { return l.record.ReceivedAt }

// UseBefore returns until when a session may be begun with the identity.
func (l *LegacyIdentity) UseBefore() time.Time { return l.record.ReceivedAt.Add(legacyUse) }

// Claims decodes all claims into v, by exact member names.
func (l *LegacyIdentity) Claims(v any) error {
	return strictjson.Unmarshal(l.record.Claims, v, maxClaimsDepth)
}

// Store returns the identity in a form for [RestoreLegacy], to be kept where
// nobody can change it. It holds personal data.
func (l *LegacyIdentity) Store() ([]byte, error) { return json.Marshal(l.record) }

// RestoreLegacy reads what Store returned. Never give it anything that came from
// outside.
func RestoreLegacy(stored []byte) (*LegacyIdentity, error) {
	l := &LegacyIdentity{}
	if err := strictjson.UnmarshalClosed(stored, &l.record, maxClaimsDepth+1); err != nil || l.record.Subject == "" {
		return nil, refused(CheckShape, "stored identity can't be read")
	}
	return l, nil
}

// String shows nothing of the person.
func (l *LegacyIdentity) String() string { return "idtoken.LegacyIdentity{" + redacted + "}" }

// Format keeps secrets out of every verb of package fmt.
func (l *LegacyIdentity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// LogValue shows nothing of the person.
func (l *LegacyIdentity) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalJSON shows nothing of the person.
func (l *LegacyIdentity) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
