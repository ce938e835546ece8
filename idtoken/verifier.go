package idtoken

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rely-go/rely/internal/jose"
)

// Config says whom a [Verifier] believes. NewVerifier copies it.
type Config struct {
	// Issuer is compared byte for byte with iss. Required.
	Issuer string
	// ClientID has to be in aud. Required.
	ClientID string
	// TrustedAudiences may be in aud beside ClientID; any other refuses.
	TrustedAudiences []string
	// Algorithms are accepted in alg; nil means RS256. HS256, HS384 and HS512
	// need Secret and exclude others.
	Algorithms []string
	// Keys verify signatures. Required, but for the HS algorithms.
	Keys KeySource
	// Secret is the client secret's octets, at least as long as the hash, for the
	// HS algorithms (Core §10.1).
	Secret []byte
	// Skew is how far the issuer's clock may be off, for exp, nbf, iat and
	// auth_time: 0 means 30 seconds, at most a minute. Rules may allow less.
	Skew time.Duration
	// Rules is what a profile adds or tolerates.
	Rules Rules
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// Rules is what a kind of provider adds to or tolerates in tokens. The zero
// value is OpenID Connect Core as strict as it is written.
type Rules struct {
	// StringDates allows times as strings of 1 to 12 digits.
	StringDates bool
	// HeaderMembers, when not nil, are the members that a header has, all of
	// them and no other.
	HeaderMembers []string
	// SingleAudience demands that aud is one string.
	SingleAudience bool
	// Lifetime, when not 0, is what exp − iat has to be exactly.
	Lifetime time.Duration
	// MaxLifetime, when not 0, is the most that exp − iat may be.
	MaxLifetime time.Duration
	// MaxSkew, when not 0, is the most that the clock may be off.
	MaxSkew time.Duration
	// Required are further members that an ID token has to have.
	Required []string
	// ACR decides about acr.
	ACR ACRPolicy
}

const defaultSkew, maxSkew = 30 * time.Second, time.Minute

// A Verifier judges the tokens of one issuer for one client. It is safe for
// concurrent use.
type Verifier struct {
	config  Config
	now     func() time.Time
	skew    time.Duration
	headers byHeader[*header]
}

// Format shows nothing of a secret, under every verb of package fmt.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "idtoken.Config{"+c.Issuer+" "+c.ClientID+"}")
}

// Format shows nothing of a secret, under every verb of package fmt.
func (v *Verifier) Format(f fmt.State, verb rune) { v.config.Format(f, verb) }

// NewVerifier checks a configuration. What would make a check pass by being
// empty is an error.
func NewVerifier(config Config) (*Verifier, error) {
	v := &Verifier{config: config, now: config.Clock, skew: config.Skew}
	if v.config.Algorithms == nil {
		v.config.Algorithms = []string{"RS256"}
	}
	v.config.Algorithms = slices.Clone(v.config.Algorithms)
	v.config.TrustedAudiences = slices.Clone(config.TrustedAudiences)
	v.config.Secret = slices.Clone(config.Secret)
	v.config.Rules.HeaderMembers = slices.Clone(config.Rules.HeaderMembers)
	v.config.Rules.Required = slices.Clone(config.Rules.Required)
	v.config.Rules.ACR = config.Rules.ACR.Clone()
	if v.now == nil {
		v.now = time.Now
	}
	if v.skew == 0 {
		v.skew = defaultSkew
	}
	if limit := config.Rules.MaxSkew; limit > 0 && v.skew > limit {
		v.skew = limit
	}
	switch {
	case config.Issuer == "":
		return nil, errors.New("idtoken: issuer is missing")
	case config.ClientID == "":
		return nil, errors.New("idtoken: client id is missing")
	case v.skew < 0 || v.skew > maxSkew:
		return nil, errors.New("idtoken: skew is not between 0 and a minute")
	}
	return v, v.checkAlgorithms()
}

func (v *Verifier) checkAlgorithms() error {
	symmetric := 0
	for _, alg := range v.config.Algorithms {
		if !jose.Known(alg) {
			return fmt.Errorf("idtoken: %.20q is no algorithm that can be accepted", alg)
		}
		if !jose.Symmetric(alg) {
			continue
		}
		symmetric++
		if err := jose.CheckSecret(alg, v.config.Secret); err != nil {
			return fmt.Errorf("idtoken: %w", err)
		}
	}
	switch {
	case len(v.config.Algorithms) == 0:
		return errors.New("idtoken: no algorithm is accepted")
	case symmetric > 0 && symmetric < len(v.config.Algorithms):
		return errors.New("idtoken: secrets and public keys are accepted side by side")
	case symmetric > 0 && v.config.Keys != nil:
		return errors.New("idtoken: keys beside a secret")
	case symmetric == 0 && v.config.Keys == nil:
		return errors.New("idtoken: keys are missing")
	case symmetric == 0 && v.config.Secret != nil:
		return errors.New("idtoken: a secret beside keys")
	}
	return nil
}
