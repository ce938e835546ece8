package pseudonym

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Errors of linking.
var (
	// ErrLinkedElsewhere: the identity belongs to another account already.
	// Accounts are never merged.
	ErrLinkedElsewhere = errors.New("pseudonym: identity belongs to another account")
	// ErrNotLinked: the identity does not belong to the account.
	ErrNotLinked = errors.New("pseudonym: identity does not belong to the account")
	// ErrLastIdentity: without this identity nobody could use the account.
	ErrLastIdentity = errors.New("pseudonym: the only identity of an account can't be unlinked")
	// ErrProof: the identities were not both proven, just now, in the same
	// browser session.
	ErrProof = errors.New("pseudonym: identities were not proven in one browser session just now")
)

// A LinkStore keeps which identities belong to which account. Each call is
// atomic, also against calls by other processes on the same data; all methods are
// safe for concurrent use. linktest.TestStore tests an implementation.
type LinkStore interface {
	// Account returns the account of an identity, or "" when it has none.
	Account(ctx context.Context, id Identity) (account string, err error)
	// Attach adds an identity to an account, which begins to exist with its
	// first one. It does nothing if it is there already, and returns
	// [ErrLinkedElsewhere] if the identity belongs to another account.
	Attach(ctx context.Context, account string, id Identity) error
	// Detach removes an identity from an account. It returns [ErrNotLinked] if it
	// isn't there, and [ErrLastIdentity] if it is the only one.
	Detach(ctx context.Context, account string, id Identity) error
	// Identities returns the identities of an account in the order in which they
	// were attached; none for an account that does not exist.
	Identities(ctx context.Context, account string) ([]Identity, error)
}

// A Proof is a login that was completed.
type Proof struct {
	// Identity is who logged in.
	Identity Identity
	// BrowserSession is the application's own session with the browser in which
	// that happened: unguessable, and the same for both proofs of a link.
	BrowserSession string
	// At is when the login was completed.
	At time.Time
}

// Accounts links identities on their owner's own will: who proves two identities
// in one browser session has one account with both. Its methods are safe for
// concurrent use.
type Accounts struct {
	// Store keeps the links. Required.
	Store LinkStore
	// Freshness is how long ago a login may be to count as proof; 0 means ten
	// minutes.
	Freshness time.Duration
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

const defaultFreshness = 10 * time.Minute

// Link joins two identities to one account and returns it. Call it only after the
// person said that they want that. An identity that belongs to another account
// stays there: [ErrLinkedElsewhere].
func (a *Accounts) Link(ctx context.Context, one, other Proof) (account string, err error) {
	if !a.proven(one, other) {
		return "", ErrProof
	}
	account, err = a.account(ctx, one.Identity, other.Identity)
	if err != nil {
		return "", err
	}
	for _, id := range []Identity{one.Identity, other.Identity} {
		if err := a.Store.Attach(ctx, account, id); err != nil {
			return "", err
		}
	}
	return account, nil
}

func (a *Accounts) proven(one, other Proof) bool {
	now, freshness := time.Now(), a.Freshness
	if a.Clock != nil {
		now = a.Clock()
	}
	if freshness == 0 {
		freshness = defaultFreshness
	}
	for _, p := range []Proof{one, other} {
		if !p.Identity.valid() || p.BrowserSession == "" || p.At.After(now) || now.Sub(p.At) > freshness {
			return false
		}
	}
	return one.BrowserSession == other.BrowserSession && one.Identity != other.Identity
}

// account returns the account that either identity has, or a new name.
func (a *Accounts) account(ctx context.Context, one, other Identity) (string, error) {
	first, err := a.Store.Account(ctx, one)
	if err != nil {
		return "", err
	}
	second, err := a.Store.Account(ctx, other)
	switch {
	case err != nil:
		return "", err
	case first != "" && second != "" && first != second:
		return "", ErrLinkedElsewhere
	case first != "":
		return first, nil
	case second != "":
		return second, nil
	}
	return rand.Text(), nil // 130 bits
}

// List returns the identities of the account that id belongs to, or id alone.
func (a *Accounts) List(ctx context.Context, id Identity) ([]Identity, error) {
	account, err := a.Store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if account == "" {
		return []Identity{id}, nil
	}
	return a.Store.Identities(ctx, account)
}

// Unlink removes an identity from the account of the person who is logged in as
// current.
func (a *Accounts) Unlink(ctx context.Context, current, id Identity) error {
	account, err := a.Store.Account(ctx, current)
	if err != nil {
		return err
	}
	if account == "" {
		return ErrNotLinked
	}
	return a.Store.Detach(ctx, account, id)
}
