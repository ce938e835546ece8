package pseudonym

import (
	"context"
	"slices"
	"sync"
)

// A MemoryStore is a [LinkStore] that forgets with the process. The zero value
// is ready.
type MemoryStore struct {
	mu       sync.Mutex // guards what follows
	accounts map[string][]Identity
	of       map[Identity]string
}

// Account implements [LinkStore].
func (s *MemoryStore) Account(_ context.Context, id Identity) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[id], nil
}

// Attach implements [LinkStore].
func (s *MemoryStore) Attach(_ context.Context, account string, id Identity) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.of[id] {
	case account:
		return nil
	case "":
	default:
		return ErrLinkedElsewhere
	}
	if s.of == nil {
		s.of, s.accounts = map[Identity]string{}, map[string][]Identity{}
	}
	s.of[id] = account
	s.accounts[account] = append(s.accounts[account], id)
	return nil
}

// Detach implements [LinkStore].
func (s *MemoryStore) Detach(_ context.Context, account string, id Identity) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[id] != account || account == "" {
		return ErrNotLinked
	}
	if len(s.accounts[account]) == 1 {
		return ErrLastIdentity
	}
	delete(s.of, id)
	s.accounts[account] = slices.DeleteFunc(s.accounts[account], func(other Identity) bool { return other == id })
	return nil
}

// Identities implements [LinkStore].
func (s *MemoryStore) Identities(_ context.Context, account string) ([]Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accounts[account]), nil
}
