package oidcclient

import (
	"context"
	"encoding/json"
	"net/url"
	"reflect"
	"time"

	"github.com/rely-go/rely/idtoken"
)

// A ProviderSource finds a provider otherwise than at its well-known place, and vouches
// for what it found: package federation by a trust chain. A [Client] asks at its first
// use, and again when what it was told has ended; until then it asks nobody.
type ProviderSource interface {
	// FindProvider returns what is known about the provider with this issuer. Its error
	// is an [*Error] of StepDiscover. It must be safe for concurrent use.
	FindProvider(ctx context.Context, issuer string) (*FoundProvider, error)
}

// FoundProvider is what a [ProviderSource] knows about a provider.
type FoundProvider struct {
	// Metadata are all that is to be known: nothing is looked for beside them. Issuer
	// must be the one that was asked for.
	Metadata ProviderMetadata
	// JWKS is the JWK Set (RFC 7517 §5) of the provider, where it came with the
	// metadata; nil: the keys are at Metadata.JWKSURI.
	JWKS json.RawMessage
	// Until is when this ends and is asked for again. Required: for no longer than that
	// is the provider believed.
	Until time.Time
}

// consult asks the source, and puts what it says into cfg.
func (c *Client) consult(ctx context.Context, cfg *Config) (*FoundProvider, error) {
	found, err := cfg.ProviderSource.FindProvider(ctx, cfg.Issuer)
	if err != nil {
		return nil, asOurs(ctx, StepDiscover, err)
	}
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil || found.Metadata.Issuer != cfg.Issuer {
		return nil, wrongIssuer()
	}
	if err := found.Metadata.check(issuer); err != nil {
		return nil, providerFault(StepDiscover, 0, "metadata: "+err.Error())
	}
	if !c.now().Before(found.Until) {
		return nil, refuse(StepDiscover, "expired", "what was found about the provider has ended")
	}
	if found.JWKS != nil {
		if cfg.Keys, err = idtoken.PinnedKeys(found.JWKS); err != nil {
			return nil, &Error{Step: StepDiscover, Fault: FaultProvider, Check: "jwks", Reason: "provider's keys can't be used", Err: err}
		}
	}
	cfg.Provider, cfg.ProviderSource = &found.Metadata, nil
	return found, nil
}

// complies refuses what was found where discovery would have to find more, or would
// have refused it.
func (c *Client) complies() error {
	m := c.cfg.Provider
	if err := c.lacks(m); err != nil {
		return err
	}
	return c.suits(m)
}

// says reports whether two answers of a source say the same, but for how long.
func (f *FoundProvider) says(other *FoundProvider) bool {
	return other != nil && reflect.DeepEqual(f.Metadata, other.Metadata) && string(f.JWKS) == string(other.JWKS)
}
