package oidctest

import (
	"net/url"
	"slices"
	"time"
)

// maxEntries bounds each table of the provider's state.
const maxEntries = 4096

// table is a bounded map whose entries expire. The provider's mutex guards it.
type table[T any] struct {
	entries map[string]entry[T]
	order   []string // by age; may name entries that are gone
}

type entry[T any] struct {
	value   T
	expires time.Time
}

func newTable[T any]() *table[T] { return &table[T]{entries: map[string]entry[T]{}} }

// put adds an entry; when the table is full the expired and then the oldest
// entries make room.
func (t *table[T]) put(now time.Time, key string, value T, lifetime time.Duration) {
	if len(t.order) >= maxEntries {
		t.order = slices.DeleteFunc(t.order, func(k string) bool {
			e, ok := t.entries[k]
			if ok && !now.Before(e.expires) {
				delete(t.entries, k)
				ok = false
			}
			return !ok
		})
	}
	for len(t.order) >= maxEntries {
		delete(t.entries, t.order[0])
		t.order = t.order[1:]
	}
	t.entries[key] = entry[T]{value, now.Add(lifetime)}
	t.order = append(t.order, key)
}

// get returns a live entry.
func (t *table[T]) get(now time.Time, key string) (T, bool) {
	e, ok := t.entries[key]
	if !ok || !now.Before(e.expires) {
		var none T
		return none, false
	}
	return e.value, true
}

// take is get for entries that can be used once.
func (t *table[T]) take(now time.Time, key string) (T, bool) {
	v, ok := t.get(now, key)
	delete(t.entries, key)
	return v, ok
}

// state is everything the provider remembers.
type state struct {
	logins   *table[*authRequest]  // login pages that wait for a person
	pushed   *table[url.Values]    // pushed authorization requests by request_uri
	codes    *table[*grant]        // authorization codes
	access   *table[*grant]        // access tokens
	refresh  *table[*refreshToken] // refresh tokens, spent ones too
	seen     *table[struct{}]      // jti values
	sessions *table[*grant]        // logins by sid
	sso      *table[*signedOn]     // browsers by cookie
	bound    *table[string]        // thumbprints of keys by access token
	nonces   *table[struct{}]      // DPoP nonces that were not used yet
}

func newState() state {
	return state{
		logins: newTable[*authRequest](), pushed: newTable[url.Values](), codes: newTable[*grant](),
		access: newTable[*grant](), refresh: newTable[*refreshToken](), seen: newTable[struct{}](),
		sessions: newTable[*grant](), sso: newTable[*signedOn](), bound: newTable[string](), nonces: newTable[struct{}](),
	}
}

// grant is one person's consent to one client: what all tokens of a login share.
// The provider's mutex guards used and revoked; the rest is never changed.
type grant struct {
	person      Person
	subject     string // as the client sees it
	client      string
	scopes      []string
	redirectURI string
	nonce       string
	acr         string
	challenge   string
	jkt         string // of the key that its code is bound to; "" without one
	authTime    time.Time
	sid         string
	machine     bool // client_credentials: no person

	used    bool // the code was exchanged
	revoked bool // every token of the login is dead
}

type refreshToken struct {
	grant *grant
	spent bool
	jkt   string // of a public client
}

// signedOn is a browser in which a person has logged in.
type signedOn struct {
	person   Person
	authTime time.Time
}

// seenBefore keeps a jti until it expires and reports whether it was there.
func (p *Provider) seenBefore(jti string, lifetime time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if _, ok := p.state.seen.get(now, jti); ok {
		return true
	}
	p.state.seen.put(now, jti, struct{}{}, lifetime)
	return false
}
