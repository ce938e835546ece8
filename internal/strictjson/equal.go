package strictjson

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Equal reports whether two values are the same, as [Unmarshal] decodes them into an
// any: strings by each character, numbers by what they are worth and not by how they
// are written, arrays in their order, objects by all their members. A member that is
// null is a member.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && canonical(a) == canonical(b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, Equal)
	}
	return a == b // of two types where b is an array or an object: false
}

// canonical writes a number as an integer without zeros at its end, and a power of ten:
// 1.50 and 15E-1 are both 15e-1. It takes no time that the exponent could make long.
func canonical(number json.Number) string {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number.String()), "e")
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	kept := strings.TrimRight(digits, "0")
	if kept == "" {
		return "0"
	}
	power, ok := new(big.Int).SetString(cmp.Or(exponent, "0"), 10)
	if !ok {
		return number.String() // which is no number that Unmarshal made
	}
	power.Add(power, big.NewInt(int64(len(digits)-len(kept)-len(fraction))))
	if negative {
		kept = "-" + kept
	}
	return kept + "e" + power.String()
}
