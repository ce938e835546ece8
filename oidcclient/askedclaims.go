package oidcclient

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/strictjson"
)

// askedClaims is what a claims request demands of the ID token. It is read from the
// request when a login begins, and kept with the login: what is asked for later changes
// nothing about this one.
type askedClaims struct {
	// Values are those of which a claim has to have one (OpenID Connect Core §5.5.1).
	Values map[string][]any `json:"values,omitempty"`
	// Verified are the verifications that were asked for, of which each of the verified
	// claims has to meet one (OpenID Connect for Identity Assurance 1.0 §5.5.1, §5.6). In
	// them a list under "values" stands for what was asked for as value or values, and
	// what demands nothing is left out.
	Verified []any `json:"verified,omitempty"`
}

// verifiedClaims is asked for in a way of its own.
const verifiedClaims = "verified_claims"

// readAsked reads a claims request, or "". The provider has to understand by it what we
// do, so that it is refused where it could mean anything else.
func readAsked(text string) (askedClaims, *Error) {
	asked := askedClaims{}
	if text == "" {
		return asked, nil
	}
	var request struct {
		IDToken map[string]any `json:"id_token"`
	}
	object, err := strictjson.ParseObject([]byte(text), maxDepth-1) // what is kept of it is one deeper
	if err != nil || object.Decode(&request) != nil {
		return asked, refuse(StepBegin, "claims", "claims are not one strict JSON object, or their id_token is none")
	}
	for name, member := range request.IDToken {
		read := asked.readClaim
		if name == verifiedClaims {
			read = asked.readVerified
		}
		if err := read(name, member); err != nil {
			return asked, refuse(StepBegin, "claims", fmt.Sprintf("what is asked of %.40q %v", name, err))
		}
	}
	return asked, nil
}

// readClaim reads what is asked of one claim. Without a value an essential one may be
// missing all the same (OpenID Connect Core §5.5.1); sub with a value has to be that one,
// essential or not (§3.1.2.2).
func (a *askedClaims) readClaim(name string, member any) error {
	want, ok := member.(map[string]any)
	if member != nil && !ok {
		return errors.New("is neither null nor an object")
	}
	essential, ok := want["essential"].(bool)
	if want["essential"] != nil && !ok {
		return errors.New("is essential neither true nor false")
	}
	values, err := askedValues(want)
	if err == nil && values != nil && (essential || name == "sub") {
		if a.Values == nil {
			a.Values = map[string][]any{}
		}
		a.Values[name] = values
	}
	return err
}

// readVerified reads requests for verified claims, of which there may be one or an array.
func (a *askedClaims) readVerified(_ string, member any) error {
	for _, element := range listed(member) {
		want, ok := element.(map[string]any)
		if element != nil && !ok {
			return errors.New("is neither null nor an object nor an array of them")
		}
		verification, ok := want["verification"].(map[string]any)
		if want["verification"] != nil && !ok {
			return errors.New("has a verification that is no object")
		}
		kept, err := demanded(verification)
		if err != nil {
			return err
		}
		if kept == nil {
			kept = map[string]any{} // which every verification meets
		}
		a.Verified = append(a.Verified, kept)
	}
	return nil
}

// listed is an array, or one element in the place of an array of one.
func listed(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// askedValues returns the values of which an element has to have one, nil where any will
// do.
func askedValues(want map[string]any) ([]any, error) {
	list, isList := want["values"].([]any)
	switch value := want["value"]; {
	case value == nil && want["values"] == nil:
		return nil, nil
	case value != nil && want["values"] != nil:
		return nil, errors.New("has both value and values")
	case value != nil:
		return []any{value}, nil
	case !isList || len(list) == 0 || slices.Contains(list, nil):
		return nil, errors.New("has values that are no array of some")
	}
	return list, nil
}

// demanded returns what of a requested verification has to hold; nil where nothing has to.
func demanded(want any) (any, error) {
	switch want := want.(type) {
	case map[string]any:
		values, err := askedValues(want)
		switch {
		case err != nil:
			return nil, err
		case values != nil:
			return map[string]any{"values": values}, nil
		}
		members := map[string]any{}
		for name, member := range want {
			kept, err := demanded(member)
			if err != nil {
				return nil, err
			}
			if kept != nil {
				members[name] = kept
			}
		}
		if len(members) > 0 {
			return members, nil
		}
	case []any:
		filters := make([]any, len(want))
		for i := range want {
			kept, err := demanded(want[i])
			if err != nil || kept == nil { // nil takes everything, and the others are alternatives
				return nil, err
			}
			filters[i] = kept
		}
		if len(filters) > 0 {
			return filters, nil
		}
	}
	return nil, nil
}

// meets reports whether an element of a verification is what was demanded. Elements of
// an array are filters, one of which each element of the answer has to pass (OpenID
// Connect for Identity Assurance 1.0 §5.4).
func meets(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		if values, ok := want["values"].([]any); ok {
			return isOneOf(values, got)
		}
		has, ok := got.(map[string]any)
		for name, member := range want {
			ok = ok && meets(member, has[name])
		}
		return ok
	case []any:
		has, ok := got.([]any)
		return ok && len(has) > 0 && !slices.ContainsFunc(has, func(element any) bool { return !meetsOne(want, element) })
	}
	return false
}

func meetsOne(wants []any, got any) bool {
	return slices.ContainsFunc(wants, func(want any) bool { return meets(want, got) })
}

func isOneOf(values []any, got any) bool {
	return slices.ContainsFunc(values, func(value any) bool { return strictjson.Equal(value, got) })
}

// check holds an identity against what was asked for. One that is whole has every
// demanded claim; of another only what it has is judged. acr decides what is as good as
// a demanded acr.
func (a askedClaims) check(step Step, identity interface{ Claims(v any) error }, whole bool, acr idtoken.ACRPolicy) error {
	if len(a.Values) == 0 && len(a.Verified) == 0 {
		return nil
	}
	claims := map[string]any{}
	if err := identity.Claims(&claims); err != nil {
		return refuse(step, "claims", "claims can't be read")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Values)) {
		values, got := a.Values[name], claims[name]
		if name == "acr" {
			values = accepted(acr, values, got)
		}
		if !isOneOf(values, got) && (whole || got != nil) {
			return refuse(step, "claims", fmt.Sprintf("%.40q is not there, or not what was asked for (OpenID Connect Core §5.5.1)", name))
		}
	}
	if got := claims[verifiedClaims]; got != nil && len(a.Verified) > 0 {
		return a.checkVerified(step, got)
	}
	return nil
}

// accepted returns got as the only value where the policy takes it for a demanded one.
func accepted(policy idtoken.ACRPolicy, values []any, got any) []any {
	class, _ := got.(string)
	if slices.ContainsFunc(values, func(value any) bool {
		least, _ := value.(string)
		return policy.Satisfies(class, least)
	}) {
		return []any{got}
	}
	return nil
}

// checkVerified judges verified claims. That there are none is an answer too: a provider
// leaves them out where it can't do what was asked for (OpenID Connect for Identity
// Assurance 1.0 §5.7.4).
func (a askedClaims) checkVerified(step Step, got any) error {
	for _, element := range listed(got) {
		verified, _ := element.(map[string]any)
		verification, _ := verified["verification"].(map[string]any)
		if framework, _ := verification["trust_framework"].(string); framework == "" {
			return refuse(step, "claims", "verified claims have no trust_framework (OpenID Identity Assurance Schema Definition 1.0)")
		}
		if !meetsOne(a.Verified, verification) {
			return refuse(step, "claims", "claims were verified in another way than was asked for (OpenID Connect for Identity Assurance 1.0 §5.5.1)")
		}
	}
	return nil
}
