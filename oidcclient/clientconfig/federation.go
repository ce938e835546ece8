package clientconfig

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/federation"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// Federation has the members of a client that finds its provider, and is found by it,
// by OpenID Federation 1.0. Its client_id is its Entity Identifier, and its requests are
// signed unless request says pushed.
type Federation struct {
	// TrustAnchors are whom the client believes.
	TrustAnchors []TrustAnchor `json:"trust_anchors"`
	// JWKS has the private Federation Entity Keys, the one that signs first; none of them
	// is the client's in jwks or private_key_file.
	JWKS json.RawMessage `json:"jwks"`
	// AuthorityHints are the Entity Identifiers of the client's immediate superiors.
	AuthorityHints []string `json:"authority_hints"`
	// TrustMarks are published as they were issued.
	TrustMarks []federation.TrustMark `json:"trust_marks"`
}

// A TrustAnchor is an entity with the JWK Set of its Federation Entity Keys.
type TrustAnchor struct {
	EntityID string          `json:"entity_id"` // its Entity Identifier
	JWKS     json.RawMessage `json:"jwks"`      // of public keys
}

// federate makes the client one that asks for its provider's trust chain.
func (m *Client) federate(c *oidcclient.Config, _ string) *Error {
	if m.Federation == nil {
		return nil
	}
	if m.Profile != profiles.OpenID().Name {
		return &Error{Member: "federation", Reason: "is for the profile " + profiles.OpenID().Name}
	}
	c.Profile = federation.Profile()
	resolver := federation.ResolverConfig{RootCAs: c.RootCAs}
	for _, anchor := range m.Federation.TrustAnchors {
		resolver.TrustAnchors = append(resolver.TrustAnchors, federation.TrustAnchor{ID: anchor.EntityID, JWKS: anchor.JWKS})
	}
	source, err := federation.NewResolver(resolver)
	if err != nil {
		return &Error{Member: "federation", Reason: err.Error(), Err: err}
	}
	c.ProviderSource = source
	return nil
}

// entity reads what the client says about itself, but for its metadata.
func (m *Client) entity() (federation.EntityConfig, *Error) {
	e := federation.EntityConfig{ID: m.ClientID, AuthorityHints: m.Federation.AuthorityHints, TrustMarks: m.Federation.TrustMarks}
	err := privateKeys("federation", m.Federation.JWKS, func(text json.RawMessage, _ string) error {
		signer, id, alg, err := jwx.ParsePrivateKey(text)
		e.Keys = append(e.Keys, assertion.Key{Signer: signer, ID: id, Algorithm: alg})
		return err
	})
	return e, err
}

// Entities makes what the clients of federations say about themselves, by the names of
// those clients that [File.New] made. Serve each at the path of its client_id, with
// /.well-known/openid-federation behind. The error is an [*Error].
func (f *File) Entities(clients map[string]*oidcclient.Client) (map[string]*federation.Entity, error) {
	entities := map[string]*federation.Entity{}
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(f.federated)) {
		client := clients[name]
		if client == nil {
			continue
		}
		config := f.federated[name]
		if used[config.ID] {
			return nil, &Error{Client: name, Member: "client_id", Reason: "is another client's, and an entity has one client here"}
		}
		used[config.ID] = true
		config.Metadata = map[string]any{"openid_relying_party": federation.RelyingParty(client)}
		var err error
		if entities[name], err = federation.NewEntity(config); err != nil {
			return nil, &Error{Client: name, Member: "federation", Reason: err.Error(), Err: err}
		}
	}
	return entities, nil
}
