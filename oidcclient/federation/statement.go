package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/internal/strictjson"
)

// Bounds on a statement.
const (
	maxStatement = 64 << 10 // bytes, as of every signed token
	maxDepth     = 16       // of its JSON
	maxKeys      = 50       // of an entity
	maxHints     = 10       // superiors of an entity
	maxID        = 2048     // bytes of an Entity Identifier
	leeway       = time.Minute
)

// statementType is the typ and the media type of a statement (§3).
const statementType = "entity-statement+jwt"

// A statement is an Entity Statement (§3): what an entity says about itself (its Entity
// Configuration) or about an immediate subordinate.
type statement struct {
	raw             string
	claims          strictjson.Object
	issuer, subject string
	expiry          time.Time
	jwks            []byte   // of the subject: its Federation Entity Keys
	superiors       []string // authority_hints
	metadata        metadata
}

// metadata are what an entity is, by entity type and member (§5).
type metadata map[string]map[string]json.RawMessage

// readStatement reads a statement about an entity by an issuer, which may be the same,
// and makes those checks of §3.2 that need no other statement. Nothing in it is
// believed before signedBy has been asked.
func readStatement(raw, issuer, subject string, now time.Time) (*statement, error) {
	token, err := jose.ParseCompact(raw, maxStatement)
	if err != nil {
		return nil, refuse("token", "statement is no signed JWT, or too long")
	}
	if err := checkHeader(token.HeaderPart); err != nil {
		return nil, err
	}
	claims, err := strictjson.ParseObject(token.Payload, maxDepth)
	if err != nil {
		return nil, refuse("claims", "statement is not one strict JSON object")
	}
	s := &statement{raw: raw, claims: claims}
	s.issuer, _, _ = claims.String("iss")
	s.subject, _, _ = claims.String("sub")
	switch {
	case s.issuer != issuer:
		return nil, refuse("iss", "statement is by another entity than the one that was asked, or by none")
	case s.subject != subject:
		return nil, refuse("sub", "statement is about another entity than the one that was asked for, or about none")
	}
	if err := s.readTimes(now); err != nil {
		return nil, err
	}
	if err := s.readKeys(); err != nil {
		return nil, err
	}
	return s, s.checkMembers()
}

func checkHeader(part string) error {
	text, err := jose.Decode(part)
	if err != nil {
		return refuse("header", "header is malformed")
	}
	header, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return refuse("header", "header is not one strict JSON object")
	}
	typ, _, err := header.String("typ")
	if err != nil || !strings.EqualFold(strings.TrimPrefix(typ, "application/"), statementType) {
		return refuse("typ", "typ is not "+statementType)
	}
	if kid, _, err := header.String("kid"); err != nil || kid == "" {
		return refuse("kid", "header names no key")
	}
	if header.Has("crit") {
		return refuse("header", "header has critical extensions")
	}
	return nil
}

func (s *statement) readTimes(now time.Time) error {
	issued, err := date(s.claims, "iat")
	if err != nil {
		return err
	}
	if s.expiry, err = date(s.claims, "exp"); err != nil {
		return err
	}
	if issued.After(now.Add(leeway)) {
		return refuse("iat", "statement is of the future")
	}
	if !now.Before(s.expiry) {
		return refuse("exp", "statement has ended")
	}
	return nil
}

// date reads a NumericDate (RFC 7519 §2), which has to be there.
func date(claims strictjson.Object, name string) (time.Time, error) {
	number, ok, err := claims.Number(name)
	if !ok || err != nil {
		return time.Time{}, refuse(name, "statement has no "+name+", or one that is no number")
	}
	seconds, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || seconds < 0 || seconds >= 1e11 {
		return time.Time{}, refuse(name, name+" is no date")
	}
	return time.Unix(int64(seconds), 0), nil
}

// readKeys reads jwks, of which each key has a kid of its own (§3.1.1).
func (s *statement) readKeys() error {
	text, ok := s.claims.Raw("jwks")
	if !ok {
		return refuse("jwks", "statement has no keys")
	}
	s.jwks = []byte(text)
	keys, err := jwx.ParseKeySet(s.jwks, maxKeys)
	if err != nil || len(keys) == 0 {
		return refuse("jwks", "statement has no keys that can be used, or too many")
	}
	seen := map[string]bool{}
	for _, key := range keys {
		if key.ID == "" || seen[key.ID] {
			return refuse("jwks", "a key of a statement has no kid, or another's")
		}
		seen[key.ID] = true
	}
	return nil
}

// Claims that only one of the two kinds of statement has (§3.1.2, §3.1.3), but for
// constraints, which see [Chain.constrain].
var (
	ofConfigurations = []string{"authority_hints", "trust_anchor_hints", "trust_marks", "trust_mark_issuers", "trust_mark_owners"}
	ofSubordinates   = []string{"metadata_policy", "metadata_policy_crit", "source_endpoint"}
)

func (s *statement) checkMembers() error {
	misplaced := ofSubordinates
	if s.issuer != s.subject {
		misplaced = ofConfigurations
	}
	for _, name := range slices.Concat(misplaced, []string{"trust_anchor"}) {
		if s.claims.Has(name) {
			return refuse(name, "claim is in a statement that can't have it")
		}
	}
	// No extension is known here, so none that is critical can be processed (§13.4).
	if s.claims.Has("crit") {
		return refuse("crit", "statement has a critical claim that is not known")
	}
	hints, ok, err := s.member("authority_hints")
	if err != nil {
		return err
	}
	if ok {
		s.superiors, _, err = s.claims.Strings("authority_hints")
		if err != nil || hints[0] != '[' || len(s.superiors) == 0 || len(s.superiors) > maxHints {
			return refuse("authority_hints", "superiors are no list, none or too many")
		}
	}
	return s.readMetadata()
}

// member returns the JSON of a claim, which may not be there but not be null.
func (s *statement) member(name string) (raw string, ok bool, err error) {
	if raw, ok = s.claims.Raw(name); !ok && s.claims.Has(name) {
		return "", false, refuse(name, name+" is null")
	}
	return raw, ok, nil
}

func (s *statement) readMetadata() error {
	text, ok, err := s.member("metadata")
	if !ok {
		return err
	}
	if err := strictjson.Unmarshal([]byte(text), &s.metadata, maxDepth); err != nil {
		return refuse("metadata", "metadata are no objects by entity type")
	}
	for _, members := range s.metadata {
		if members == nil {
			return refuse("metadata", "metadata of an entity type are null")
		}
		for _, value := range members {
			if string(value) == null {
				return refuse("metadata", "metadata have a null")
			}
		}
	}
	return nil
}

// signedBy refuses a statement that no key of a JWK Set has signed.
func (s *statement) signedBy(ctx context.Context, jwks []byte) error {
	keys, err := idtoken.PinnedKeys(jwks)
	if err != nil {
		return unsigned(err)
	}
	if _, err := keys.VerifySignature(ctx, s.raw); err != nil {
		return unsigned(err)
	}
	return nil
}

// checkID accepts an Entity Identifier (§1.2) that somebody named.
func checkID(id string, by *url.URL) error {
	if len(id) > maxID || strings.ContainsAny(id, "?#") {
		return errors.New("Entity Identifier is too long, or has a query or fragment")
	}
	if err := fetch.CheckEndpoint(id, by); err != nil {
		return errors.New("Entity Identifier " + err.Error())
	}
	return nil
}
