package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// progressEvery is the time between two lines that say how far it is.
const progressEvery = 10 * time.Second

// maxStarts is how often a replica is started that ends by itself.
const maxStarts = 20

// mishaps count what is done to the application, and what it does to itself.
type mishaps struct {
	kills, cuts atomic.Int64
	ownEnds     atomic.Int64 // starts after which a replica ended by itself, and was started again
	mu          sync.Mutex
	err         error // what kept the storm from going on
}

func (m *mishaps) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = errors.Join(m.err, err)
}

func (m *mishaps) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// storm lets everybody refresh while replicas are killed and the store is cut off.
// It calms down when nine tenths are done, or when all should be: the others wait
// for what the killed have left.
func (s *scene) storm(ctx context.Context, crowd []*person, say func(string, ...any)) {
	stormy, calm := context.WithTimeout(ctx, s.options.spread+s.options.spread/10)
	defer calm()
	var done atomic.Int64
	all := int64(len(crowd) * s.options.refreshes)
	var wait sync.WaitGroup
	if s.link != nil {
		wait.Go(func() { s.kills(ctx, stormy) })
		wait.Go(func() { s.cuts(stormy) })
	}
	wait.Go(func() {
		for next := time.Now().Add(progressEvery); done.Load() < all && sleep(ctx, 200*time.Millisecond); {
			if done.Load() >= all*9/10 {
				calm()
			}
			if time.Now().After(next) {
				say("%d of %d refreshes, %d kills, %d cuts", done.Load(), all, s.mishaps.kills.Load(), s.mishaps.cuts.Load())
				next = next.Add(progressEvery)
			}
		}
	})
	s.refreshAll(ctx, crowd, &done)
	calm()
	wait.Wait()
	say("everybody is done: %d kills, %d cuts", s.mishaps.kills.Load(), s.mishaps.cuts.Load())
}

// kills kills one replica after the other, and starts each again, as long as it is
// stormy. Whichever is down then is started still.
func (s *scene) kills(ctx, stormy context.Context) {
	for sleep(stormy, time.Second+rand.N(time.Second)) {
		r := s.replicas[rand.IntN(len(s.replicas))]
		if err := r.kill(); err != nil {
			s.mishaps.fail(err)
			return
		}
		s.mishaps.kills.Add(1)
		sleep(stormy, 200*time.Millisecond+rand.N(800*time.Millisecond))
		if !s.revive(ctx, r) {
			return
		}
	}
}

// revive starts a replica, as a supervisor does: again where it ends by itself.
func (s *scene) revive(ctx context.Context, r *replica) bool {
	for attempt := 1; ; attempt++ {
		err := r.start(ctx)
		if err == nil {
			return true
		}
		killed := r.kill()
		if errors.Is(killed, errEnded) {
			killed = nil
		}
		if killed != nil || attempt == maxStarts || !sleep(ctx, 500*time.Millisecond) {
			if ctx.Err() == nil {
				s.mishaps.fail(errors.Join(err, killed))
			}
			return false
		}
		s.mishaps.ownEnds.Add(1)
	}
}

// cuts cuts the store off now and then, for a second or two.
func (s *scene) cuts(stormy context.Context) {
	for sleep(stormy, 4*time.Second+rand.N(2*time.Second)) {
		s.ledger.storeCut(time.Now())
		s.link.Cut()
		s.mishaps.cuts.Add(1)
		sleep(stormy, time.Second+rand.N(time.Second))
		s.link.Mend()
		s.ledger.storeMended(time.Now())
	}
}
