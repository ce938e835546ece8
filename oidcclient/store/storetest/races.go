package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// race has several do the same at once, half of them through each handle, and
// returns their errors.
func race(one, other Store, do func(s Store, i int) error) []error {
	errs := make([]error, racers)
	begin := make(chan struct{})
	var running sync.WaitGroup
	for i := range errs {
		s := one
		if i%2 == 1 {
			s = other
		}
		running.Go(func() {
			<-begin
			errs[i] = do(s, i)
		})
	}
	close(begin)
	running.Wait()
	return errs
}

// oneWins asserts that all but one were refused in the given way, and returns
// which one was not.
func oneWins(t *testing.T, refusal error, errs []error) int {
	t.Helper()
	winner := -1
	for i, err := range errs {
		if err == nil {
			assert.Equal(t, -1, winner, "two have won")
			winner = i
			continue
		}
		assert.ErrorIs(t, err, refusal)
	}
	require.NotEqual(t, -1, winner, "nobody has won")
	return winner
}

func raceMake(t *testing.T, one, other Store) {
	for range rounds {
		r := newRecord(name())
		winner := oneWins(t, weblogin.ErrConflict, race(one, other, func(s Store, i int) error {
			r := r
			r.Data = fmt.Sprint("data of ", i)
			return s.Put(t.Context(), r)
		}))
		r.Version, r.Data = 1, fmt.Sprint("data of ", winner)
		stored(t, one, r)
		deleteNamed(t, other, 1, r.Names...)
	}
}

func raceReplace(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	for range rounds {
		winner := oneWins(t, weblogin.ErrConflict, race(one, other, func(s Store, i int) error {
			r := r
			r.Data, r.Names = fmt.Sprint("data of ", i), []string{fmt.Sprint(r.Key, i)}
			return s.Put(t.Context(), r)
		}))
		r.Version++
		r.Data, r.Names = fmt.Sprint("data of ", winner), []string{fmt.Sprint(r.Key, winner)}
		stored(t, other, r)
	}
	for i := range racers {
		if n := fmt.Sprint(r.Key, i); n != r.Names[0] {
			deleteNamed(t, one, 0, n)
		}
	}
	deleteNamed(t, one, 1, r.Names...)
}

func raceLease(t *testing.T, one, other Store) {
	r := put(t, one, newRecord())
	for range rounds {
		winner := oneWins(t, weblogin.ErrLeased, race(one, other, func(s Store, i int) error {
			leased, err := s.Lease(t.Context(), r.Key, fmt.Sprint(i), long)
			if err == nil && leased.Version != r.Version+1 {
				return fmt.Errorf("leased version %d after %d", leased.Version, r.Version)
			}
			return err
		}))
		r.Version++
		stored(t, one, r)
		for _, err := range race(one, other, func(s Store, _ int) error {
			leased, err := s.Lease(t.Context(), r.Key, fmt.Sprint(winner), long)
			if err == nil && leased.Version != r.Version {
				return fmt.Errorf("prolonged as version %d after %d", leased.Version, r.Version)
			}
			return err
		}) {
			assert.NoError(t, err)
		}
		require.NoError(t, other.Release(t.Context(), r.Key, fmt.Sprint(winner)))
	}
	// A Put and a lease at the same time: either the Put is fenced off, or the
	// lease has what it stored.
	for round := range rounds {
		data, version := fmt.Sprint("round ", round), r.Version
		errs := race(one, other, func(s Store, i int) error {
			if i == 0 {
				stored := r
				stored.Data = data
				return s.Put(t.Context(), stored)
			}
			_, err := s.Lease(t.Context(), r.Key, "holder", long)
			return err
		})
		for _, err := range errs[1:] {
			require.NoError(t, err)
		}
		got := load(t, one, r.Key)
		require.NotNil(t, got)
		if errs[0] == nil {
			assert.Equal(t, data, got.Data)
		} else {
			require.ErrorIs(t, errs[0], weblogin.ErrConflict)
			assert.Equal(t, r.Data, got.Data)
		}
		assert.Greater(t, got.Version, version)
		require.NoError(t, one.Release(t.Context(), r.Key, "holder"))
		r = *got
	}
}

func raceDelete(t *testing.T, one, other Store) {
	for _, version := range []int64{0, 1} {
		for range rounds {
			r := put(t, one, newRecord(name()))
			oneWins(t, weblogin.ErrNotFound, race(one, other, func(s Store, _ int) error {
				return s.Delete(t.Context(), r.Key, version)
			}))
			assert.Nil(t, load(t, other, r.Key))
			deleteNamed(t, one, 0, r.Names...)
		}
	}
}

func raceOnce(t *testing.T, one, other Store) {
	seen := errors.New("seen before")
	for range rounds {
		key := name()
		oneWins(t, seen, race(one, other, func(s Store, _ int) error {
			first, err := s.Once(t.Context(), key, time.Now().Add(long))
			if err == nil && !first {
				return seen
			}
			return err
		}))
	}
}

func raceLogout(t *testing.T, one, other Store) {
	for range rounds {
		r := put(t, one, newRecord(name(), name()))
		counts := make([]int, racers)
		errs := race(one, other, func(s Store, i int) (err error) {
			switch i % 4 {
			case 0:
				return s.Put(t.Context(), r)
			case 1:
				_, err = s.Lease(t.Context(), r.Key, fmt.Sprint(i), long)
			case 2:
				err = s.Extend(t.Context(), r.Key, time.Now().Add(long))
			default:
				counts[i], err = s.DeleteNamed(t.Context(), r.Names...)
			}
			return err
		})
		total := 0
		for i, err := range errs {
			total += counts[i]
			refused := errors.Is(err, weblogin.ErrNotFound) || errors.Is(err, weblogin.ErrConflict) || errors.Is(err, weblogin.ErrLeased)
			assert.True(t, err == nil || refused, "%v", err)
		}
		assert.Equal(t, 1, total, "it is counted once")
		assert.Nil(t, load(t, one, r.Key), "nothing keeps a session from ending")
	}
}
