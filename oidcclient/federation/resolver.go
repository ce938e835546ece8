package federation

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/oidcclient"
)

// A TrustAnchor is where chains end: an entity that is believed because of its keys,
// which came here on a safe way.
type TrustAnchor struct {
	// ID is its Entity Identifier: an https URL, or http where the host is loopback.
	ID string
	// JWKS is the JWK Set (RFC 7517 §5) of its Federation Entity Keys, each with a kid.
	JWKS json.RawMessage
}

// ResolverConfig configures a [Resolver].
type ResolverConfig struct {
	// TrustAnchors are whom this client believes. Required.
	TrustAnchors []TrustAnchor
	// MaxAge is how long a provider is believed without looking at its chain again,
	// where the chain does not end before: 0 means one hour. A provider that has its keys
	// in its statement can change them only as fast.
	MaxAge time.Duration
	// HTTPClient makes the requests; nil means one of the default transport. No redirect
	// is followed, and each may take 15 seconds and answer with 64 KiB.
	HTTPClient *http.Client
	// RootCAs verify the TLS certificates of those who are asked; nil means the system's.
	RootCAs *x509.CertPool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// A Resolver finds out whom to believe (§10). It is safe for concurrent use.
type Resolver struct {
	anchors map[string][]byte
	maxAge  time.Duration
	client  *http.Client
	now     func() time.Time

	mu   sync.Mutex
	kept map[string]*Chain // the last of each provider, by issuer
}

const (
	defaultMaxAge = time.Hour
	retryAfter    = time.Minute // of a chain that could not be looked at again
)

// NewResolver checks the configuration and fetches nothing.
func NewResolver(config ResolverConfig) (*Resolver, error) {
	r := &Resolver{anchors: map[string][]byte{}, maxAge: config.MaxAge, now: config.Clock, kept: map[string]*Chain{}}
	if len(config.TrustAnchors) == 0 {
		return nil, errors.New("federation: TrustAnchors are missing")
	}
	for _, anchor := range config.TrustAnchors {
		if err := checkID(anchor.ID, nil); err != nil {
			return nil, fmt.Errorf("federation: TrustAnchors: %w", err)
		}
		if _, err := idtoken.PinnedKeys(anchor.JWKS); err != nil {
			return nil, fmt.Errorf("federation: TrustAnchors: %w", err)
		}
		if _, twice := r.anchors[anchor.ID]; twice {
			return nil, errors.New("federation: TrustAnchors have one twice")
		}
		r.anchors[anchor.ID] = slices.Clone(anchor.JWKS)
	}
	switch {
	case r.maxAge < 0:
		return nil, errors.New("federation: MaxAge is negative")
	case r.maxAge == 0:
		r.maxAge = defaultMaxAge
	}
	if r.now == nil {
		r.now = time.Now
	}
	var err error
	if r.client, err = fetch.NewClient(config.HTTPClient, nil, config.RootCAs); err != nil {
		return nil, fmt.Errorf("federation: HTTPClient %w", err)
	}
	return r, nil
}

// Resolve collects and verifies a trust chain of an entity, the first that holds when
// there are several (§10). Its error is an [*oidcclient.Error] of StepDiscover, whose
// Check names what was refused: the claim or header member, "signature", "trust_chain"
// where there is no way to a trust anchor, "metadata_policy", "max_path_length" or
// "naming_constraints".
func (r *Resolver) Resolve(ctx context.Context, entity string) (*Chain, error) {
	c, err := r.collect(entity)
	if err != nil {
		return nil, err
	}
	return c.find(ctx, entity)
}

// collect begins the search for the chain of an entity.
func (r *Resolver) collect(entity string) (*collection, error) {
	subject, err := url.Parse(entity)
	if err != nil {
		return nil, refuse("entity_id", "Entity Identifier is no URL")
	}
	return &collection{
		anchors: r.anchors, client: r.client, now: r.now(), subject: subject, known: map[string]*statement{}, down: map[string]error{},
	}, nil
}

// FindProvider implements [oidcclient.ProviderSource]. The issuer is the provider's
// Entity Identifier (§5.1.3). A provider is believed for MaxAge. Where no new chain can be
// made then because somebody is not reached, those of the old one are asked once more, and
// only what can't be had from one of them stays as it was, until it ends. A provider about
// whom anybody of that chain says something else is believed no longer.
func (r *Resolver) FindProvider(ctx context.Context, issuer string) (*oidcclient.FoundProvider, error) {
	c, err := r.collect(issuer)
	if err != nil {
		return nil, err
	}
	chain, lasts, err := r.chainOf(ctx, c, issuer)
	var found *oidcclient.FoundProvider
	if err == nil {
		found, err = asProvider(chain)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if isRefusal(err) { // once refused, it is not taken up again when somebody is silent
			delete(r.kept, issuer)
		}
		return nil, err
	}
	found.Until = earlier(r.now().Add(lasts), chain.expiry)
	r.kept[issuer] = chain
	return found, nil
}

// chainOf makes a provider's chain, a new one where that can be had, and says how long it
// is believed.
func (r *Resolver) chainOf(ctx context.Context, c *collection, issuer string) (*Chain, time.Duration, error) {
	chain, err := c.find(ctx, issuer)
	if err == nil {
		return chain, r.maxAge, nil
	}
	chain, whole, err := r.again(ctx, c, issuer, err)
	if whole {
		return chain, r.maxAge, err
	}
	return chain, retryAfter, err
}

// again makes a provider's chain of the one that is known, where the search for a new
// one ended at somebody who was not reached. It reports whether all of it is new.
func (r *Resolver) again(ctx context.Context, c *collection, issuer string, cause error) (chain *Chain, whole bool, err error) {
	r.mu.Lock()
	known := r.kept[issuer]
	r.mu.Unlock()
	if known == nil || !isOutage(cause) || !r.now().Before(known.expiry) {
		return nil, false, cause
	}
	return c.retrace(ctx, known)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// registrationTypes and what else of a provider's metadata is about the federation.
type federationMetadata struct {
	RegistrationTypes []string        `json:"client_registration_types_supported"`
	JWKS              json.RawMessage `json:"jwks"`
	SignedJWKSURI     string          `json:"signed_jwks_uri"`
}

// asProvider reads a provider that registers clients automatically out of its chain.
func asProvider(chain *Chain) (*oidcclient.FoundProvider, error) {
	found := &oidcclient.FoundProvider{}
	is, err := chain.Metadata("openid_provider", &found.Metadata)
	if err != nil {
		return nil, err
	}
	if !is {
		return nil, refuse("metadata", "entity is no OpenID provider, or may not be one")
	}
	var more federationMetadata
	if _, err := chain.Metadata("openid_provider", &more); err != nil {
		return nil, err
	}
	switch {
	case found.Metadata.Issuer != chain.Subject():
		return nil, refuse("issuer", "provider has another issuer than its Entity Identifier (§5.1.3)")
	case len(more.RegistrationTypes) == 0:
		return nil, refuse("client_registration_types_supported", "provider does not say how clients are registered (§5.1.3)")
	case !slices.Contains(more.RegistrationTypes, "automatic"):
		return nil, refuse("client_registration_types_supported", "provider does not register clients automatically (§12.1)")
	case more.JWKS == nil && found.Metadata.JWKSURI == "" && more.SignedJWKSURI != "":
		return nil, refuse("signed_jwks_uri", "provider has its keys only in a signed set, which is not read")
	}
	found.JWKS = more.JWKS
	return found, nil
}
