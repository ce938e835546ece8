package idtoken

import (
	"maps"
	"slices"
)

// ACRPolicy decides, as data, whether an authentication context class satisfies
// the one demanded. The zero value demands equality.
type ACRPolicy struct {
	// Ordered are lists of values, the lowest first. A value satisfies itself
	// and those before it in the same list.
	Ordered [][]string
	// Accepts lists the values that satisfy a demanded one, beside itself.
	Accepts map[string][]string
}

// EIDAS is the policy of the eIDAS levels of assurance low, substantial and
// high (Regulation (EU) 910/2014 article 8), notified and not, which don't
// satisfy each other.
func EIDAS() ACRPolicy {
	levels := func(prefix string) []string {
		return []string{prefix + "low", prefix + "substantial", prefix + "high"}
	}
	return ACRPolicy{Ordered: [][]string{
		levels("http://eidas.europa.eu/LoA/"),
		levels("http://eidas.europa.eu/LoA/NotNotified/"),
		// iSHARE writes them as URNs.
		levels("urn:http://eidas.europa.eu/LoA/"),
		levels("urn:http://eidas.europa.eu/LoA/NotNotified/"),
	}}
}

// Clone returns a copy that shares nothing with p.
func (p ACRPolicy) Clone() ACRPolicy {
	p.Ordered = slices.Clone(p.Ordered)
	for i := range p.Ordered {
		p.Ordered[i] = slices.Clone(p.Ordered[i])
	}
	p.Accepts = maps.Clone(p.Accepts)
	for demanded, values := range p.Accepts {
		p.Accepts[demanded] = slices.Clone(values)
	}
	return p
}

// Satisfies reports whether got is at least demanded.
func (p ACRPolicy) Satisfies(got, demanded string) bool {
	if got == "" || demanded == "" {
		return false
	}
	if got == demanded || slices.Contains(p.Accepts[demanded], got) {
		return true
	}
	for _, order := range p.Ordered {
		least := slices.Index(order, demanded)
		if least >= 0 && slices.Index(order, got) >= least {
			return true
		}
	}
	return false
}
