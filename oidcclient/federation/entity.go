package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/oidcclient"
)

// EntityConfig configures an [Entity].
type EntityConfig struct {
	// ID is the Entity Identifier: an https URL without query and fragment, or http where
	// the host is loopback. Required.
	ID string
	// Keys are the Federation Entity Keys, which are for nothing else (§3.1.1): the first
	// signs, and all are published, so that a key can be changed with overlap. One
	// without ID has its thumbprint (RFC 7638) for one. Required.
	Keys []assertion.Key
	// AuthorityHints are the Entity Identifiers of the immediate superiors. Required.
	AuthorityHints []string
	// Metadata are what this entity is, by entity type (§5.1): usually
	// "openid_relying_party" with what [RelyingParty] returns. Required.
	Metadata map[string]any
	// TrustMarks are published as they are (§7).
	TrustMarks []TrustMark
	// Lifetime is how long a statement holds: 0 means 24 hours. A new one is signed after
	// half of it; where the key can't sign then, the old one is served until its end.
	Lifetime time.Duration
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// A TrustMark is a statement of conformance by its issuer (§7).
type TrustMark struct {
	// Type is the trust_mark_type.
	Type string `json:"trust_mark_type"`
	// JWT is the signed mark, as it was issued.
	JWT string `json:"trust_mark"`
}

// An Entity is this application as others of the federation see it: an [http.Handler]
// for its Entity Configuration, to be served at the path of its Entity Identifier with
// /.well-known/openid-federation behind (§9). It is safe for concurrent use.
type Entity struct {
	config    EntityConfig
	algorithm string
	header    string // encoded, with its dot
	jwks      json.RawMessage
	metadata  json.RawMessage
	now       func() time.Time

	signing singleflight.Group

	mu     sync.Mutex // guards what follows
	signed string
	until  time.Time // when a new one is signed
	expiry time.Time
}

// String shows who it is and no key.
func (e *Entity) String() string { return "federation.Entity{" + e.config.ID + "}" }

// Format keeps keys out of every verb of package fmt.
func (e *Entity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue keeps keys out of logs.
func (e *Entity) LogValue() slog.Value { return slog.StringValue(e.String()) }

const defaultLifetime = 24 * time.Hour

// RelyingParty returns the metadata of a client for the entity type
// openid_relying_party: those of [oidcclient.Client.RegistrationMetadata], and that it is
// registered automatically (§5.1.2).
func RelyingParty(client *oidcclient.Client) map[string]any {
	metadata := client.RegistrationMetadata()
	metadata["client_registration_types"] = []string{"automatic"}
	return metadata
}

// Profile is a provider that registers clients automatically, for the Profile of an
// [oidcclient.Config]: requests are signed, because nothing else says who sends them
// (§12.1.1), and whatever the client signs is for the provider's Entity Identifier alone.
func Profile() oidcclient.Profile {
	return oidcclient.Profile{
		Name: "federation", Title: "OpenID Federation",
		Scopes: []string{"openid"}, RequiredScopes: []string{"openid"},
		Carriage:    oidcclient.CarryObject,
		AuthMethods: []string{"private_key_jwt"},
		Assertion:   oidcclient.AssertionRules{Audience: "issuer"},
	}
}

// NewEntity checks the configuration. It signs nothing yet.
func NewEntity(config EntityConfig) (*Entity, error) {
	e := &Entity{config: config, now: config.Clock}
	if err := checkID(config.ID, nil); err != nil {
		return nil, fmt.Errorf("federation: ID: %w", err)
	}
	if len(config.AuthorityHints) == 0 || len(config.AuthorityHints) > maxHints {
		return nil, fmt.Errorf("federation: AuthorityHints are missing, or more than %d", maxHints)
	}
	for _, hint := range config.AuthorityHints {
		if err := checkID(hint, nil); err != nil {
			return nil, fmt.Errorf("federation: AuthorityHints: %w", err)
		}
	}
	if len(config.Metadata) == 0 {
		return nil, errors.New("federation: Metadata are missing")
	}
	var err error
	if e.metadata, err = json.Marshal(config.Metadata); err != nil {
		return nil, errors.New("federation: Metadata can't be encoded")
	}
	e.config.AuthorityHints, e.config.Keys, e.config.TrustMarks = slices.Clone(config.AuthorityHints), slices.Clone(config.Keys), slices.Clone(config.TrustMarks)
	switch {
	case config.Lifetime < 0:
		return nil, errors.New("federation: Lifetime is negative")
	case config.Lifetime == 0:
		e.config.Lifetime = defaultLifetime
	}
	if e.now == nil {
		e.now = time.Now
	}
	return e, e.prepareKeys()
}

// prepareKeys makes the header and the JWK Set, which are the same in each statement.
func (e *Entity) prepareKeys() error {
	if len(e.config.Keys) == 0 {
		return errors.New("federation: Keys are missing")
	}
	published := make([]jwx.Key, 0, len(e.config.Keys))
	seen := map[string]bool{}
	for _, key := range e.config.Keys {
		signer, err := assertion.New(assertion.Config{ClientID: e.config.ID, Key: key, Clock: e.now})
		if err != nil {
			return fmt.Errorf("federation: Keys: %w", err)
		}
		if key.Signer == nil || key.Naming != assertion.NameKeyID {
			return errors.New("federation: Keys have a secret, or one that is named by a certificate")
		}
		public := key.Signer.Public()
		if key.ID == "" {
			key.ID, _ = assertion.Thumbprint(public) // of a key that was accepted
		}
		if seen[key.ID] {
			return errors.New("federation: Keys have one ID twice")
		}
		seen[key.ID] = true
		published = append(published, jwx.Key{ID: key.ID, Algorithm: signer.Algorithm(), Use: "sig", Public: public})
	}
	jwks, err := jwx.MarshalPublic(published)
	if err != nil {
		return fmt.Errorf("federation: Keys: %w", err)
	}
	header, _ := json.Marshal(map[string]string{"typ": statementType, "alg": published[0].Algorithm, "kid": published[0].ID}) // strings can always be encoded
	e.jwks, e.header, e.algorithm = jwks, jose.Encode(header)+".", published[0].Algorithm
	return nil
}

// Configuration returns the signed Entity Configuration (§3). However many ask at once,
// it is signed once.
func (e *Entity) Configuration(ctx context.Context) (string, error) {
	if signed := e.known(); signed != "" {
		return signed, nil
	}
	result := e.signing.DoChan("", func() (signed any, err error) {
		defer func() {
			if p := recover(); p != nil { // of the key's: here nobody would recover from it
				err = fmt.Errorf("federation: panic of type %T", p)
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetch.Timeout)
		defer cancel()
		return e.sign(ctx)
	})
	patience, cancel := ctx, context.CancelFunc(func() {})
	held := e.held()
	if held != "" {
		patience, cancel = context.WithTimeout(ctx, signPatience)
	}
	defer cancel()
	select {
	case r := <-result:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(string), nil
	case <-patience.Done():
		if ctx.Err() == nil {
			return held, nil // and the new one is there later
		}
		return "", ctx.Err()
	}
}

// signPatience is how long somebody waits for a new statement while the old one holds.
const signPatience = time.Second

// held returns the last statement where it is not over yet, else "".
func (e *Entity) held() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.now().Before(e.expiry) {
		return ""
	}
	return e.signed
}

// known returns the statement that is there; "" where a new one is wanted.
func (e *Entity) known() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.now().Before(e.until) {
		return ""
	}
	return e.signed
}

// sign signs a new statement. The old one goes on while the key can't sign and it holds.
func (e *Entity) sign(ctx context.Context) (string, error) {
	if signed := e.known(); signed != "" {
		return signed, nil // somebody else was faster
	}
	now := e.now()
	expiry := time.Unix(now.Add(e.config.Lifetime).Unix(), 0)
	claims := map[string]any{
		"iss": e.config.ID, "sub": e.config.ID, "iat": now.Unix(), "exp": expiry.Unix(),
		"jwks": e.jwks, "metadata": e.metadata, "authority_hints": e.config.AuthorityHints,
	}
	if len(e.config.TrustMarks) > 0 {
		claims["trust_marks"] = e.config.TrustMarks
	}
	payload, _ := json.Marshal(claims) // what was encoded before
	input := e.header + jose.Encode(payload)
	signature, err := jose.Sign(ctx, e.algorithm, e.config.Keys[0].Signer, input)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch over := e.now(); {
	case err == nil:
		e.signed, e.until, e.expiry = input+"."+jose.Encode(signature), now.Add(e.config.Lifetime/2), expiry
	case over.Before(e.expiry):
		e.until = earlier(over.Add(retryAfter), e.expiry)
	default:
		return "", fmt.Errorf("federation: can't sign: %w", err)
	}
	return e.signed, nil
}

// ServeHTTP answers with the Entity Configuration: 503 where there is none, and the key
// can't sign now.
func (e *Entity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	signed, err := e.Configuration(r.Context())
	if err != nil {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/"+statementType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(signed)) // whoever asked has gone
}
