package federation

import "encoding/json"

// A policy is what superiors decide about one member of the metadata, by the standard
// operators (§6.1.3.1). One that is not there is nil.
type policy struct {
	value, byDefault                 *value
	add, oneOf, subsetOf, supersetOf *value // lists
	essential                        bool
}

const null = "null"

// readPolicy reads the operators for a member; those that nobody here knows are passed
// over, as long as no statement calls them critical (§6.1.3.2).
func readPolicy(member string, operators map[string]json.RawMessage) (*policy, error) {
	p := &policy{}
	into := map[string]**value{
		"value": &p.value, "default": &p.byDefault,
		"add": &p.add, "one_of": &p.oneOf, "subset_of": &p.subsetOf, "superset_of": &p.supersetOf,
	}
	for name, raw := range operators {
		if name == "essential" {
			var required *bool
			if json.Unmarshal(raw, &required) != nil || required == nil {
				return nil, refuse("metadata_policy", "essential is no boolean")
			}
			p.essential = *required
			continue
		}
		place, known := into[name]
		if !known {
			continue
		}
		v, err := read(member, raw)
		if err != nil {
			return nil, err
		}
		if list := name != "value" && name != "default"; list && !v.isList || name == "default" && v.text == null {
			return nil, refuse("metadata_policy", name+" has a value of a wrong type")
		}
		*place = v
	}
	return p, p.consistent()
}

// consistent refuses operators that can't stand together.
func (p *policy) consistent() error {
	fixed := p.value
	switch {
	case fixed != nil && fixed.text == null && (p.byDefault != nil || p.essential || p.add != nil || p.oneOf != nil || p.subsetOf != nil || p.supersetOf != nil):
		return refuse("metadata_policy", "value removes a member that another operator is about")
	case fixed != nil && p.add != nil && !(fixed.isList && subset(p.add.elements, fixed.elements)),
		fixed != nil && p.oneOf != nil && !subset([]string{fixed.text}, p.oneOf.elements),
		fixed != nil && p.subsetOf != nil && !(fixed.isList && subset(fixed.elements, p.subsetOf.elements)),
		fixed != nil && p.supersetOf != nil && !(fixed.isList && subset(p.supersetOf.elements, fixed.elements)):
		return refuse("metadata_policy", "value contradicts another operator")
	case p.oneOf != nil && (p.add != nil || p.subsetOf != nil || p.supersetOf != nil):
		return refuse("metadata_policy", "one_of stands beside an operator for lists")
	case p.add != nil && p.subsetOf != nil && !subset(p.add.elements, p.subsetOf.elements):
		return refuse("metadata_policy", "add contradicts subset_of")
	case p.supersetOf != nil && p.subsetOf != nil && !subset(p.supersetOf.elements, p.subsetOf.elements):
		return refuse("metadata_policy", "superset_of contradicts subset_of")
	}
	return nil
}

// merge narrows a policy by that of a subordinate.
func (p *policy) merge(below *policy) error {
	for _, same := range []struct{ into, from **value }{{&p.value, &below.value}, {&p.byDefault, &below.byDefault}} {
		switch {
		case *same.into == nil:
			*same.into = *same.from
		case *same.from != nil && !(*same.into).is(*same.from):
			return refuse("metadata_policy", "value or default is not that of a superior")
		}
	}
	for _, list := range []struct {
		into, from **value
		combine    func(a, b []string) []string
	}{
		{&p.add, &below.add, union}, {&p.oneOf, &below.oneOf, intersection},
		{&p.subsetOf, &below.subsetOf, intersection}, {&p.supersetOf, &below.supersetOf, union},
	} {
		switch {
		case *list.into == nil:
			*list.into = *list.from
		case *list.from != nil:
			*list.into = listOf(list.combine((*list.into).elements, (*list.from).elements))
		}
	}
	if p.oneOf != nil && len(p.oneOf.elements) == 0 {
		return refuse("metadata_policy", "one_of leaves no choice")
	}
	p.essential = p.essential || below.essential
	return p.consistent()
}

// apply takes the operators in their order. current and the result are nil where the
// member is not there.
func (p *policy) apply(current *value) (*value, error) {
	if p.value != nil {
		current = p.value
		if current.text == null {
			current = nil
		}
	}
	if current != nil && !current.isList && (p.add != nil || p.subsetOf != nil || p.supersetOf != nil) {
		return nil, refuse("metadata_policy", "a member is no list, and a policy is about its elements")
	}
	if p.add != nil {
		var before []string
		if current != nil {
			before = current.elements
		}
		current = listOf(union(before, p.add.elements))
	}
	if current == nil {
		current = p.byDefault
	}
	if current == nil {
		if p.essential {
			return nil, refuse("metadata_policy", "a member is not there that a policy demands")
		}
		return nil, nil
	}
	return p.judge(current)
}

// judge applies the operators that look at a value.
func (p *policy) judge(current *value) (*value, error) {
	if p.oneOf != nil && !subset([]string{current.text}, p.oneOf.elements) {
		return nil, refuse("metadata_policy", "a member has a value that a policy does not allow")
	}
	if !current.isList && (p.subsetOf != nil || p.supersetOf != nil) {
		return nil, refuse("metadata_policy", "a default is no list, and a policy is about its elements")
	}
	if p.subsetOf != nil {
		current = listOf(intersection(current.elements, p.subsetOf.elements))
	}
	if p.supersetOf != nil && !subset(p.supersetOf.elements, current.elements) {
		return nil, refuse("metadata_policy", "a member lacks a value that a policy demands")
	}
	return current, nil
}
