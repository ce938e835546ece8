package idtoken

import (
	"slices"
	"strings"
	"sync"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// header is a header that was read. It is immutable, and shared by the tokens
// that have it.
type header struct {
	alg, kid string
	typ      string // in lower case and without "application/"; "" for none
	members  strictjson.Object
}

// readHeader reads the first part of a token.
func readHeader(part string) (*header, *Error) {
	text, err := jose.Decode(part)
	if err != nil {
		return nil, refused(CheckShape, "header is not canonical base64url")
	}
	h := &header{}
	if h.members, err = strictjson.ParseObject(text, maxHeaderDepth); err != nil {
		return nil, refused(CheckShape, "header is not a strict JSON object")
	}
	if h.kid, _, err = h.members.String("kid"); err != nil {
		return nil, refused(CheckHeader, "kid is no string")
	}
	typ, ok, err := h.members.String("typ")
	h.typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	if err != nil || ok && h.typ == "" {
		return nil, refused(CheckHeader, "typ is no string, or empty")
	}
	if h.alg, ok, err = h.members.String("alg"); err != nil || !ok {
		return nil, refused(CheckHeader, "alg is missing or no string")
	}
	return h, nil
}

// check judges what was agreed once for all tokens. members, when not nil, are
// those that a header has, all of them and no other.
func (h *header) check(algorithms, members []string) *Error {
	if !slices.Contains(algorithms, h.alg) {
		return refused(CheckHeader, "alg is not what was agreed ("+strings.Join(algorithms, " or ")+")")
	}
	if h.members.Has("crit") || h.members.Has("b64") {
		return refused(CheckHeader, "crit and b64 are not supported")
	}
	if members == nil {
		return nil
	}
	for name := range h.members.Names() {
		if !slices.Contains(members, name) {
			return refused(CheckHeader, "header has a member that the profile does not allow")
		}
	}
	if h.members.Len() != len(members) {
		return refused(CheckHeader, "header lacks a member that the profile demands")
	}
	return nil
}

// checkType refuses a typ that is none of types; a token may also have none.
func (h *header) checkType(types ...string) *Error {
	if h.typ != "" && !slices.Contains(types, h.typ) {
		return refused(CheckHeader, "typ is another kind of token's")
	}
	return nil
}

// byHeader remembers what was found out about headers. An issuer has a handful
// of them, as long as its keys stay the same, so that most tokens' headers need
// not be read again. Only those of tokens with a good signature are put in: a
// stranger can't make us remember. The whole text is compared, so nothing hangs
// on a hash.
type byHeader[V any] struct {
	mu    sync.Mutex // guards known
	known map[string]V
}

const maxHeaders = 16

func (b *byHeader[V]) get(part string) (value V, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	value, ok = b.known[part]
	return value, ok
}

func (b *byHeader[V]) put(part string, value V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.known == nil:
		b.known = map[string]V{}
	case len(b.known) >= maxHeaders:
		// Whatever fills this is not worth an order.
		clear(b.known)
	}
	// Without its own copy, the key would hold the whole token.
	b.known[strings.Clone(part)] = value
}
