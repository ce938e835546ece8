package oidctest

import (
	"crypto"
	"crypto/rsa"
	"sync"
)

// spares are the RSA keys of providers that were closed. Whoever starts a provider
// for each test waits for the first ones only: generating such a key takes longer
// than all that a test then does. Providers that run at the same time never share one.
var spares spareKeys

type spareKeys struct {
	mu   sync.Mutex // guards keys
	keys []*rsa.PrivateKey
}

// maxSpare bounds the keys that are kept.
const maxSpare = 64

// take returns one of the keys, nil when there is none.
func (s *spareKeys) take() *rsa.PrivateKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.keys) - 1
	if last < 0 {
		return nil
	}
	key := s.keys[last]
	s.keys = s.keys[:last]
	return key
}

// give keeps the RSA keys among some.
func (s *spareKeys) give(keys ...crypto.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if private, ok := key.(*rsa.PrivateKey); ok && len(s.keys) < maxSpare {
			s.keys = append(s.keys, private)
		}
	}
}
