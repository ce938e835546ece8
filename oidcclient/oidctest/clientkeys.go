package oidctest

import (
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// clientKeys are the keys of a client that publishes them, as they were when they were
// fetched.
type clientKeys struct {
	byID    map[string]crypto.PublicKey
	fetched time.Time
}

// clientKeysLast is how long the provider goes by what it has fetched, as real ones do:
// a key that appears in between is not known.
const clientKeysLast = 10 * time.Minute

// clientSigned reports whether the client signed a JWT, with its registered key or with
// the one of its JWK Set that the token names.
func (p *Provider) clientSigned(t parsedJWT) bool {
	if p.config.ClientJWKSURI == "" {
		return t.verify(p.client.public)
	}
	p.mu.Lock()
	known, now := p.clientKeys, p.now()
	p.mu.Unlock()
	if known == nil || now.Sub(known.fetched) >= clientKeysLast {
		byID, err := p.fetchClientKeys()
		if err != nil {
			return false
		}
		known = &clientKeys{byID, now}
		p.mu.Lock()
		p.clientKeys = known
		p.mu.Unlock()
	}
	key, ok := known.byID[text(t.header, "kid")]
	return ok && t.verify(key)
}

func (p *Provider) fetchClientKeys() (map[string]crypto.PublicKey, error) {
	answer, err := p.outgoing.Get(p.config.ClientJWKSURI)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxJWT))
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, errors.New("oidctest: client's keys are not there")
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, err
	}
	byID := map[string]crypto.PublicKey{}
	for _, jwk := range set.Keys {
		if key, _ := publicKey(jwk); key != nil && text(jwk, "use") == "sig" {
			byID[text(jwk, "kid")] = key
		}
	}
	return byID, nil
}
