package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/fetch"
)

// Bounds on the collection of one chain: whoever is asked may name ten others.
const (
	maxRequests      = 40
	maxIntermediates = 6
)

// wellKnown is where an entity publishes its configuration (§9).
const wellKnown = "/.well-known/openid-federation"

// collection is the search for one trust chain (§10.1).
type collection struct {
	anchors  map[string][]byte // their keys by Entity Identifier
	client   *http.Client
	now      time.Time
	subject  *url.URL // who is to be believed, and names others
	requests int      // made so far
	known    map[string]*statement
	down     map[string]error // who was not reached, by URL: nobody is waited for twice
}

// get fetches one statement.
func (c *collection) get(ctx context.Context, target string) (string, error) {
	if err := c.down[target]; err != nil {
		return "", err
	}
	raw, err := c.fetch(ctx, target)
	if isOutage(err) {
		c.down[target] = err
	}
	return raw, err
}

func (c *collection) fetch(ctx context.Context, target string) (string, error) {
	if c.requests++; c.requests > maxRequests {
		return "", refuse("trust_chain", "federation is larger than what is searched for one chain")
	}
	req, err := fetch.Get(ctx, target, "application/"+statementType)
	if err != nil {
		return "", refuse("entity_id", "Entity Identifier or endpoint is no URL")
	}
	got, err := fetch.Do(c.client, req)
	switch {
	case errors.Is(err, fetch.ErrTooLarge):
		return "", refuse("token", err.Error())
	case err != nil:
		return "", unreached(ctx, 0, err)
	case got.Unavailable():
		return "", unreached(ctx, got.Status, nil)
	case got.Status != http.StatusOK || got.MediaType != "application/"+statementType:
		e := refuse("token", "answer is no Entity Statement")
		e.Status = got.Status
		return "", e
	}
	return string(got.Body), nil
}

// configuration is what an entity says about itself, signed with its own keys; a trust
// anchor's with those that are known to be its.
func (c *collection) configuration(ctx context.Context, entity string) (*statement, error) {
	if known := c.known[entity]; known != nil {
		return known, nil
	}
	if err := checkID(entity, c.subject); err != nil {
		return nil, refuse("entity_id", err.Error())
	}
	raw, err := c.get(ctx, strings.TrimSuffix(entity, "/")+wellKnown)
	if err != nil {
		return nil, err
	}
	s, err := readStatement(raw, entity, entity, c.now)
	if err != nil {
		return nil, err
	}
	if err := s.signedBy(ctx, c.keys(s)); err != nil {
		return nil, err
	}
	if _, isAnchor := c.anchors[entity]; s.claims.Has("constraints") && !isAnchor {
		return nil, refuse("constraints", "claim is in a statement that can't have it")
	}
	c.known[entity] = s
	return s, nil
}

// keys are those that verify what the subject of a configuration signs.
func (c *collection) keys(configuration *statement) []byte {
	if pinned, ok := c.anchors[configuration.subject]; ok {
		return pinned
	}
	return configuration.jwks
}

// about is what a superior says about an immediate subordinate (§8.1).
func (c *collection) about(ctx context.Context, superior *statement, subordinate string) (*statement, error) {
	var endpoint string
	target := &url.URL{}
	err := json.Unmarshal(superior.metadata["federation_entity"]["federation_fetch_endpoint"], &endpoint)
	if err == nil {
		target, err = url.Parse(endpoint)
	}
	if err != nil || fetch.CheckEndpoint(endpoint, c.subject) != nil {
		return nil, refuse("federation_fetch_endpoint", "superior has no federation_fetch_endpoint that is a safe URL")
	}
	query := target.Query()
	query.Set("sub", subordinate)
	target.RawQuery = query.Encode()
	raw, err := c.get(ctx, target.String())
	if err != nil {
		return nil, err
	}
	s, err := readStatement(raw, superior.subject, subordinate, c.now)
	if err != nil {
		return nil, err
	}
	return s, s.signedBy(ctx, c.keys(superior))
}

// find looks for a chain of an entity.
func (c *collection) find(ctx context.Context, entity string) (*Chain, error) {
	own, err := c.configuration(ctx, entity)
	if err != nil {
		return nil, err
	}
	if _, ok := c.anchors[entity]; ok {
		return newChain([]*statement{own})
	}
	return c.climb(ctx, []*statement{own}, own)
}

// climb looks for a way from the subject to a trust anchor. path is a chain as far as it
// has been found, and top the configuration of who issued its last statement.
func (c *collection) climb(ctx context.Context, path []*statement, top *statement) (*Chain, error) {
	var failed error
	for _, superior := range c.ordered(top.superiors) {
		chain, err := c.follow(ctx, path, top, superior)
		if err == nil {
			return chain, nil
		}
		if ctx.Err() != nil {
			return nil, unreached(ctx, 0, err)
		}
		failed = weightier(failed, err)
	}
	if failed == nil {
		failed = refuse("trust_chain", "an entity names no superior, and is no trust anchor that is configured")
	}
	return nil, failed
}

// follow takes one step up, and goes on from there.
func (c *collection) follow(ctx context.Context, path []*statement, top *statement, superior string) (*Chain, error) {
	if slices.ContainsFunc(path, func(s *statement) bool { return s.subject == superior || s.issuer == superior }) {
		return nil, refuse("trust_chain", "entities are superiors of each other")
	}
	above, err := c.configuration(ctx, superior)
	if err != nil {
		return nil, err
	}
	link, err := c.about(ctx, above, top.subject)
	if err != nil {
		return nil, err
	}
	// Each statement is signed with keys that the next one says are its issuer's (§4).
	if err := path[len(path)-1].signedBy(ctx, link.jwks); err != nil {
		return nil, err
	}
	longer := append(slices.Clone(path), link)
	if _, ok := c.anchors[superior]; ok {
		return newChain(append(longer, above))
	}
	if len(longer) > maxIntermediates+1 {
		return nil, refuse("trust_chain", "chain is longer than what is searched")
	}
	return c.climb(ctx, longer, above)
}

// retrace goes the way of a chain that was believed once more, and no other one: the
// subject chooses whom it names, but not who is asked here. What can't be had from one
// who is not reached stays as it was, and all that is said has to fit. It reports whether
// all of it is new.
func (c *collection) retrace(ctx context.Context, known *Chain) (chain *Chain, whole bool, err error) {
	statements := slices.Clone(known.statements)
	top := len(statements) - 1
	below := c.known[known.Subject()] // which find has asked for: nil where it was not reached
	c.requests, whole = 0, below != nil
	if whole {
		statements[0] = below
	}
	for i := 1; i < top; i++ {
		link := statements[i]
		if below != nil && !slices.Contains(below.superiors, link.issuer) {
			return nil, false, refuse("authority_hints", "an entity has another superior than it had, and that one leads nowhere")
		}
		above, err := c.configuration(ctx, link.issuer)
		fresh := link
		if err == nil {
			fresh, err = c.about(ctx, above, link.subject)
		}
		switch {
		case err == nil:
			statements[i] = fresh
		case isOutage(err):
			whole = false
		default:
			return nil, false, err
		}
		below = above
	}
	if below != nil {
		statements[top] = below
	}
	for i := range top - 1 {
		if err := statements[i].signedBy(ctx, statements[i+1].jwks); err != nil {
			return nil, false, err
		}
	}
	chain, err = newChain(statements)
	return chain, whole, err
}

// ordered puts trust anchors first: the shortest chains.
func (c *collection) ordered(superiors []string) []string {
	ordered := slices.Clone(superiors)
	slices.SortStableFunc(ordered, func(a, b string) int {
		_, first := c.anchors[a]
		_, second := c.anchors[b]
		switch {
		case first && !second:
			return -1
		case second && !first:
			return 1
		}
		return 0
	})
	return ordered
}
