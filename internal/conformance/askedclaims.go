package conformance

import (
	"encoding/json"
	"net/url"
)

// askedFor are claims as a request asks the ID token for them (OpenID Connect Core
// §5.5.1): with the value that it names, or the first, or some text where they are
// essential without one. It makes up all that it is asked for.
func askedFor(params url.Values) map[string]any {
	var request struct {
		IDToken map[string]any `json:"id_token"`
	}
	_ = json.Unmarshal([]byte(params.Get("claims")), &request) // nothing is asked for where it can't be read
	claims := map[string]any{}
	for name, want := range request.IDToken {
		if name == "verified_claims" {
			claims[name] = verifiedAs(want)
		} else if value := valueFor(want); value != nil {
			claims[name] = value
		}
	}
	return claims
}

// valueFor is nil for a claim that need not be there.
func valueFor(want any) any {
	asked, _ := want.(map[string]any)
	values, _ := asked["values"].([]any)
	switch {
	case asked["value"] != nil:
		return asked["value"]
	case len(values) > 0:
		return values[0]
	case asked["essential"] == true:
		return random()
	}
	return nil
}

// verifiedAs are verified claims by the verification that was asked for (OpenID Connect
// for Identity Assurance 1.0 §5.5).
func verifiedAs(want any) map[string]any {
	asked, _ := want.(map[string]any)
	verification, claims := map[string]any{}, map[string]any{}
	wanted, _ := asked["verification"].(map[string]any)
	for name, element := range wanted {
		verification[name] = valueFor(element)
	}
	wanted, _ = asked["claims"].(map[string]any)
	for name := range wanted {
		claims[name] = true
	}
	return map[string]any{"verification": verification, "claims": claims}
}
