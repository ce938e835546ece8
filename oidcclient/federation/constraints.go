package federation

import (
	"net/url"
	"slices"
	"strings"

	"github.com/rely-go/rely/internal/strictjson"
)

// constraints are what a superior demands of the chains through it (§6.2). Others than
// these are passed over.
type constraints struct {
	MaxPathLength     *int               `json:"max_path_length"`
	NamingConstraints *namingConstraints `json:"naming_constraints"`
	// Only these and federation_entity stay; nil: all do.
	AllowedEntityTypes *[]string `json:"allowed_entity_types"`
}

type namingConstraints struct {
	Permitted *[]string `json:"permitted"`
	Excluded  []string  `json:"excluded"`
}

// constrain applies the constraints of each statement about a subordinate, the one about
// the subject first, and those of a trust anchor about itself: federations of earlier
// drafts have them there, for all below.
func (c *Chain) constrain(links []*statement, anchor *statement) error {
	for i, link := range links {
		if err := c.constrainBy(link, links[:i+1]); err != nil {
			return err
		}
	}
	return c.constrainBy(anchor, links)
}

// constrainBy applies the constraints of one statement to those below its issuer.
func (c *Chain) constrainBy(s *statement, below []*statement) error {
	raw, ok, err := s.member("constraints")
	if !ok {
		return err
	}
	var demanded constraints
	if err := strictjson.Unmarshal([]byte(raw), &demanded, maxDepth); err != nil {
		return refuse("constraints", "constraints are malformed")
	}
	if most := demanded.MaxPathLength; most != nil && (*most < 0 || len(below)-1 > *most) {
		return refuse("max_path_length", "chain is longer than an entity in it allows")
	}
	if names := demanded.NamingConstraints; names != nil {
		for _, link := range below {
			if err := names.check(link.subject); err != nil {
				return err
			}
		}
	}
	if allowed := demanded.AllowedEntityTypes; allowed != nil {
		c.keepTypes(*allowed)
	}
	return nil
}

func (c *Chain) keepTypes(allowed []string) {
	kept := metadata{}
	for entityType, members := range c.metadata {
		if entityType == "federation_entity" || slices.Contains(allowed, entityType) {
			kept[entityType] = members
		}
	}
	c.metadata = kept
}

// check holds the host of an Entity Identifier against the names (RFC 5280 §4.2.1.10).
func (n *namingConstraints) check(entity string) error {
	u, err := url.Parse(entity)
	if err != nil {
		return refuse("naming_constraints", "Entity Identifier has no host")
	}
	host := strings.ToLower(u.Hostname())
	within := func(name string) bool {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, ".") {
			return strings.HasSuffix(host, name) && len(host) > len(name)
		}
		return host == name
	}
	if slices.ContainsFunc(n.Excluded, within) {
		return refuse("naming_constraints", "an entity of the chain has a name that is excluded")
	}
	if n.Permitted != nil && !slices.ContainsFunc(*n.Permitted, within) {
		return refuse("naming_constraints", "an entity of the chain has a name that is not permitted")
	}
	return nil
}
