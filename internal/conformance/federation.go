package conformance

import (
	"crypto"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// The endpoints of a federation.
const (
	OwnConfiguration    Step = "entity configuration" // of the OP
	AnchorConfiguration Step = "trust anchor"         // of its trust anchor
	Fetch               Step = "fetch"                // of the trust anchor
)

const (
	wellKnownEntity = "/.well-known/openid-federation"
	entityStatement = "entity-statement+jwt"
)

// A Federation is an OP with a trust anchor of its own (OpenID Federation 1.0).
type Federation struct {
	// Anchor is the Entity Identifier of the trust anchor, and AnchorKey its key.
	Anchor    string
	AnchorKey Key
	// Own is the Federation Entity Key of the OP.
	Own Key

	op *OP
}

// JoinFederation makes an OP known by its trust anchor, and no other way: without
// metadata of its own. Its client registers automatically (§12.1): by requests signed with
// the key in its Entity Configuration.
func (op *OP) JoinFederation() *Federation {
	f := &Federation{Anchor: op.Issuer + "/trust-anchor", AnchorKey: ECKey("ES256", "sig"), Own: ECKey("ES256", "sig"), op: op}
	op.Handle(Discovery, "/not-there", "", func(*OP, *Call) *Answer { return refusal(http.StatusNotFound, "not_found") })
	op.Handle(OwnConfiguration, wellKnownEntity, "", func(op *OP, _ *Call) *Answer {
		metadata := op.discovery(nil).Members
		metadata["client_registration_types_supported"] = []any{"automatic"}
		return f.statement(Configuration, f.Own, op.Issuer, f.Own, map[string]any{
			"authority_hints": []string{f.Anchor}, "metadata": map[string]any{"openid_provider": metadata},
		})
	})
	op.Handle(AnchorConfiguration, "/trust-anchor"+wellKnownEntity, "", func(*OP, *Call) *Answer {
		return f.statement(Anchor, f.AnchorKey, f.Anchor, f.AnchorKey, map[string]any{
			"metadata": map[string]any{"federation_entity": map[string]any{"federation_fetch_endpoint": f.Anchor + "/fetch"}},
		})
	})
	op.Handle(Fetch, "/trust-anchor/fetch", "", func(op *OP, c *Call) *Answer {
		if c.Query.Get("sub") != op.Issuer {
			return refusal(http.StatusNotFound, "not_found")
		}
		return f.statement(Subordinate, f.AnchorKey, op.Issuer, f.Own, map[string]any{"iss": f.Anchor})
	})
	op.reads(func(c *Call) (url.Values, bool) {
		key, ok := f.register(c.Query.Get("client_id"))
		if !ok {
			return nil, false
		}
		op.Authenticate = AssertedBy(key)
		return op.readObject(c.Query, key, besideByValue)
	})
	return f
}

// statement signs an Entity Statement with a key, about a subject with a key of its own.
func (f *Federation) statement(kind Kind, signs Key, subject string, of Key, more map[string]any) *Answer {
	now := f.op.Now
	claims := map[string]any{
		"iss": subject, "sub": subject, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"jwks": map[string]any{"keys": []any{of.JWK}},
	}
	for name, value := range more {
		claims[name] = value
	}
	signed := f.op.finish(&JWT{
		Kind: kind, Header: map[string]any{"typ": entityStatement, "alg": "ES256", "kid": signs.ID()}, Claims: claims, Key: signs.Private,
	})
	return &Answer{Status: http.StatusOK, Text: signed, Type: "application/" + entityStatement}
}

// register fetches the Entity Configuration of the one client, and returns the key of
// its requests.
func (f *Federation) register(client string) (crypto.PublicKey, bool) {
	if client != f.op.Client.ID {
		return nil, false
	}
	answer, err := http.Get(client + wellKnownEntity)
	if err != nil {
		return nil, false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.Header.Get("Content-Type") != "application/"+entityStatement {
		return nil, false
	}
	header, claims, ok := ReadJWT(string(text), func(header map[string]any) crypto.PublicKey { return keyOf(payload(string(text)), header["kid"]) })
	own, _ := claims["metadata"].(map[string]any)
	party, _ := own["openid_relying_party"].(map[string]any)
	hints, _ := claims["authority_hints"].([]any)
	types, _ := party["client_registration_types"].([]any)
	redirects, _ := party["redirect_uris"].([]any)
	exp, _ := claims["exp"].(float64)
	if !ok || header["typ"] != entityStatement || claims["iss"] != client || claims["sub"] != client || exp <= float64(f.op.Now.Unix()) ||
		!slices.Contains(hints, any(f.Anchor)) || !slices.Contains(types, any("automatic")) || !slices.Contains(redirects, any(f.op.Client.RedirectURI)) {
		return nil, false
	}
	return keyOf(party, nil), true
}

// payload are the claims of a JWT that nobody has believed yet.
func payload(compact string) map[string]any {
	_, claims, _ := ReadJWT(compact, func(map[string]any) crypto.PublicKey { return struct{}{} })
	return claims
}

// keyOf is the key of that kid in the jwks of an object; without a kid the first one.
func keyOf(object map[string]any, kid any) crypto.PublicKey {
	text, _ := json.Marshal(object["jwks"]) // was JSON
	var set struct{ Keys []map[string]any }
	if json.Unmarshal(text, &set) == nil {
		for _, jwk := range set.Keys {
			if key, ok := publicKey(jwk); ok && (kid == nil || jwk["kid"] == kid) {
				return key
			}
		}
	}
	return struct{}{} // a key of no algorithm
}
