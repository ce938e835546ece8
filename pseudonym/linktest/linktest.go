// Package linktest tests implementations of pseudonym.LinkStore.
package linktest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/pseudonym"
)

// TestStore holds a store to the contract of [pseudonym.LinkStore]. newStore
// returns an empty one each time.
func TestStore(t *testing.T, newStore func(t *testing.T) pseudonym.LinkStore) {
	anna := pseudonym.Identity{Issuer: "https://a.example", Subject: "1"}
	bert := pseudonym.Identity{Issuer: "https://b.example", Subject: "1"}
	odd := pseudonym.Identity{Issuer: "did:x|%7C", Subject: "ü|%"}

	t.Run("attach, list, detach", func(t *testing.T) {
		s, ctx := newStore(t), t.Context()
		account, err := s.Account(ctx, anna)
		require.NoError(t, err)
		assert.Empty(t, account)
		list, err := s.Identities(ctx, "one")
		require.NoError(t, err)
		assert.Empty(t, list)

		require.NoError(t, s.Attach(ctx, "one", anna))
		require.NoError(t, s.Attach(ctx, "one", odd))
		require.NoError(t, s.Attach(ctx, "one", anna), "again is nothing new")
		list, err = s.Identities(ctx, "one")
		require.NoError(t, err)
		assert.Equal(t, []pseudonym.Identity{anna, odd}, list, "in their order")
		account, err = s.Account(ctx, odd)
		require.NoError(t, err)
		assert.Equal(t, "one", account)

		assert.ErrorIs(t, s.Attach(ctx, "two", anna), pseudonym.ErrLinkedElsewhere)
		assert.ErrorIs(t, s.Detach(ctx, "two", anna), pseudonym.ErrNotLinked)
		assert.ErrorIs(t, s.Detach(ctx, "one", bert), pseudonym.ErrNotLinked)
		require.NoError(t, s.Detach(ctx, "one", anna))
		assert.ErrorIs(t, s.Detach(ctx, "one", odd), pseudonym.ErrLastIdentity)
		require.NoError(t, s.Attach(ctx, "two", anna), "who was unlinked may go elsewhere")
	})

	t.Run("one winner", func(t *testing.T) {
		s, ctx := newStore(t), t.Context()
		var won atomic.Int32
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				switch err := s.Attach(ctx, fmt.Sprint(i), anna); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, pseudonym.ErrLinkedElsewhere):
					t.Error(err)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1, won.Load())
	})

	t.Run("one stays", func(t *testing.T) {
		s, ctx := newStore(t), t.Context()
		ids := make([]pseudonym.Identity, 16)
		for i := range ids {
			ids[i] = pseudonym.Identity{Issuer: "https://a.example", Subject: fmt.Sprint(i)}
			require.NoError(t, s.Attach(ctx, "one", ids[i]))
		}
		var refused atomic.Int32
		var all sync.WaitGroup
		for _, id := range ids {
			all.Go(func() {
				if errors.Is(s.Detach(ctx, "one", id), pseudonym.ErrLastIdentity) {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1, refused.Load(), "the last identity stays, whoever was first")
	})
}
