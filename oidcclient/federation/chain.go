package federation

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
)

// A Chain is a trust chain (§4) of which every statement was verified. It is immutable.
type Chain struct {
	statements []*statement // of the subject about itself, up to the anchor about itself
	expiry     time.Time
	metadata   metadata // as resolved
}

// newChain applies constraints and policies to statements that fit together.
func newChain(statements []*statement) (*Chain, error) {
	c := &Chain{statements: statements, expiry: statements[0].expiry, metadata: metadata{}}
	for entityType, members := range statements[0].metadata {
		c.metadata[entityType] = maps.Clone(members)
	}
	for _, s := range statements {
		if s.expiry.Before(c.expiry) {
			c.expiry = s.expiry
		}
	}
	if len(statements) == 1 { // the subject is the trust anchor
		return c, nil
	}
	links := statements[1 : len(statements)-1]
	c.overrule(links[0])
	if err := c.constrain(links, statements[len(statements)-1]); err != nil {
		return nil, err
	}
	return c, c.applyPolicies(links)
}

// overrule applies what the immediate superior says in the place of the subject (§3.1.1).
func (c *Chain) overrule(link *statement) {
	for entityType, own := range c.metadata {
		maps.Copy(own, link.metadata[entityType])
	}
}

// applyPolicies merges the policies from the trust anchor down, and applies them (§6.1.4).
func (c *Chain) applyPolicies(links []*statement) error {
	merged := policies{}
	for _, link := range slices.Backward(links) {
		p, err := readPolicies(link)
		if err != nil {
			return err
		}
		if err := merged.merge(p); err != nil {
			return err
		}
	}
	for entityType, members := range c.metadata {
		if err := merged[entityType].apply(members); err != nil {
			return err
		}
	}
	return nil
}

// Subject is the Entity Identifier of whom the chain is about.
func (c *Chain) Subject() string { return c.statements[0].subject }

// TrustAnchor is the Entity Identifier of the trust anchor at its end.
func (c *Chain) TrustAnchor() string { return c.statements[len(c.statements)-1].subject }

// Expiry is when the first of its statements ends, and the chain with it.
func (c *Chain) Expiry() time.Time { return c.expiry }

// Statements are the signed statements in their order (§4): what the subject says about
// itself, what each superior says about the one below, what the anchor says about itself.
func (c *Chain) Statements() []string {
	all := make([]string, len(c.statements))
	for i, s := range c.statements {
		all[i] = s.raw
	}
	return all
}

// Metadata decodes what the subject is as an entity type (§5.1), such as
// "openid_provider", into v by exact names: what it says itself, overruled and limited
// by those above. It reports whether the subject is one.
func (c *Chain) Metadata(entityType string, v any) (bool, error) {
	members, ok := c.metadata[entityType]
	if !ok {
		return false, nil
	}
	whole, err := json.Marshal(members)
	if err != nil {
		return true, refuse("metadata", "metadata can't be put together")
	}
	if err := strictjson.Unmarshal(whole, v, maxDepth); err != nil {
		return true, refuse("metadata", "metadata have a member of a wrong type")
	}
	return true, nil
}
