package federation

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/rely-go/rely/internal/strictjson"
)

// policies are metadata policies by entity type (§6.1.2), and typePolicy those of one
// by its members.
type (
	policies   map[string]typePolicy
	typePolicy map[string]*policy
)

func readPolicies(link *statement) (policies, error) {
	if link.claims.Has("metadata_policy_crit") {
		// Only others than the standard ones can be in it, and none of those is known here.
		return nil, refuse("metadata_policy_crit", "a critical policy operator is not known")
	}
	raw, ok, err := link.member("metadata_policy")
	if !ok {
		return nil, err
	}
	var types map[string]map[string]map[string]json.RawMessage
	if err := strictjson.Unmarshal([]byte(raw), &types, maxDepth); err != nil {
		return nil, refuse("metadata_policy", "policies are no objects by entity type and member")
	}
	read := policies{}
	for entityType, members := range types {
		read[entityType] = typePolicy{}
		for name, operators := range members {
			p, err := readPolicy(name, operators)
			if err != nil {
				return nil, err
			}
			read[entityType][name] = p
		}
	}
	return read, nil
}

// merge adds the policies of a subordinate, which can only narrow (§6.1.4.1).
func (p policies) merge(below policies) error {
	for entityType, members := range below {
		if p[entityType] == nil {
			p[entityType] = typePolicy{}
		}
		for name, lower := range members {
			upper := p[entityType][name]
			if upper == nil {
				p[entityType][name] = lower
				continue
			}
			if err := upper.merge(lower); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply changes and judges the metadata of an entity type (§6.1.4.2).
func (t typePolicy) apply(members map[string]json.RawMessage) error {
	for name, p := range t {
		current, err := read(name, members[name])
		if err != nil {
			return err
		}
		result, err := p.apply(current)
		if err != nil {
			return err
		}
		if result == nil {
			delete(members, name)
			continue
		}
		members[name] = result.write(name)
	}
	return nil
}

// A value is one of JSON in canonical text, with its elements where it is an array;
// nil is none.
type value struct {
	text     string
	isList   bool
	elements []string
}

// maxElements bounds lists that are compared with others, each element with each.
const maxElements = 500

// read reads the value of a member; "" is none. scope is a list in one string (§6.1.3.1.8).
func read(name string, raw json.RawMessage) (*value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var scopes string
	if name == "scope" && json.Unmarshal(raw, &scopes) == nil && string(raw) != "null" {
		words := strings.Fields(scopes)
		if len(words) > maxElements {
			return nil, refuse("metadata_policy", "a scope has too many values to be compared")
		}
		return listOf(quoted(words)), nil
	}
	v := &value{text: canonical(raw)}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || elements == nil {
		return v, nil
	}
	if v.isList = true; len(elements) > maxElements {
		return nil, refuse("metadata_policy", "a list is too long to be compared")
	}
	for _, element := range elements {
		v.elements = append(v.elements, canonical(element))
	}
	return v, nil
}

// write is the inverse of read.
func (v *value) write(name string) json.RawMessage {
	if name != "scope" || !v.isList {
		return json.RawMessage(v.text)
	}
	var scopes []string
	if json.Unmarshal([]byte(v.text), &scopes) != nil {
		return json.RawMessage(v.text)
	}
	joined, _ := json.Marshal(strings.Join(scopes, " ")) // a string can always be encoded
	return joined
}

func listOf(elements []string) *value {
	return &value{text: "[" + strings.Join(elements, ",") + "]", isList: true, elements: elements}
}

func quoted(words []string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		text, _ := json.Marshal(word) // a string can always be encoded
		all[i] = string(text)
	}
	return all
}

// canonical is the one text of a JSON value that was read strictly before: members in
// order, nothing between them, numbers as they were written.
func canonical(raw json.RawMessage) string {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var v any
	_ = decoder.Decode(&v)
	text, _ := json.Marshal(v)
	return string(text)
}

func (v *value) is(other *value) bool { return v.text == other.text }

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, element := range b {
		if !slices.Contains(all, element) {
			all = append(all, element)
		}
	}
	return all
}

func intersection(a, b []string) []string {
	both := []string{}
	for _, element := range a {
		if slices.Contains(b, element) {
			both = append(both, element)
		}
	}
	return both
}

// subset reports whether all of a are in b.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(element string) bool { return !slices.Contains(b, element) })
}
