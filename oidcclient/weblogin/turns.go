package weblogin

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// turnTimeout bounds shared work, which no caller's context ends: waiting for
	// a lease, asking the provider, and trying to store what it answered.
	turnTimeout = leaseLasts + askTimeout + storeTimeout
	// failureRests is how long the error of work that failed is there for those
	// who asked before it failed, or who take any.
	failureRests = time.Second
)

var errUnfinished = errors.New("weblogin: work on the session did not finish")

// turns makes what changes one session happen one after another in this
// process, and lets all who ask for the same at the same time share its result.
type turns struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows
	busy    map[string]*turn
	resting []*turn // those that failed, in the order of their ends
}

// turn is work on one session.
type turn struct {
	key    string
	done   chan struct{} // closed when the others can be read
	shared bool
	failed time.Time // when it ended, for work that failed
	result *Session
	err    error
}

// over reports whether the work has failed, before whoever asks for it now came.
func (c *turn) over(since time.Time) bool { return !c.failed.IsZero() && c.failed.Before(since) }

// take starts a turn, or returns the one that is being done, or one that has
// failed since the given time.
func (t *turns) take(key string, shared bool, since time.Time) (current *turn, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake()
	if current, ok := t.busy[key]; ok && (current.failed.IsZero() || shared && !current.over(since)) {
		return current, false
	}
	if t.busy == nil {
		t.busy = map[string]*turn{}
	}
	current = &turn{key: key, done: make(chan struct{}), shared: shared}
	t.busy[key] = current
	return current, true
}

// wake forgets the failures that are old enough.
func (t *turns) wake() {
	for len(t.resting) > 0 && t.now().Sub(t.resting[0].failed) >= failureRests {
		if failed := t.resting[0]; t.busy[failed.key] == failed {
			delete(t.busy, failed.key)
		}
		t.resting[0] = nil
		t.resting = t.resting[1:]
	}
}

func (t *turns) end(current *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if current.shared && current.err != nil {
		current.failed = t.now()
		t.resting = append(t.resting, current)
	} else {
		delete(t.busy, current.key)
	}
	close(current.done)
}

// share does work, or waits for the same work that is being done, and returns
// its result. Whoever waits may give up, the one who asked first too: the work
// goes on, because no caller's context ends it. An error is also the result of
// those who came before it arose, and are only now here; since is when the caller
// came, or zero for one who takes any that is not older than failureRests.
func (t *turns) share(ctx context.Context, key string, since time.Time, work func(context.Context) (*Session, error)) (*Session, error) {
	for {
		current, mine := t.take(key, true, since)
		if mine {
			go t.run(context.WithoutCancel(ctx), current, work)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-current.done:
		}
		if current.shared {
			return current.result, current.err
		}
	}
}

func (t *turns) run(ctx context.Context, current *turn, work func(context.Context) (*Session, error)) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	defer t.end(current)
	current.err = errUnfinished // what the callers see if work panics
	defer func() { _ = recover() }()
	current.result, current.err = work(ctx)
}

// alone waits until nothing else is being done to the session, and does work.
func (t *turns) alone(ctx context.Context, key string, work func() error) error {
	for {
		current, mine := t.take(key, false, time.Time{})
		if mine {
			defer t.end(current)
			return work()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-current.done:
		}
	}
}

// wait returns when nothing is being done.
func (t *turns) wait(ctx context.Context) error {
	for {
		t.mu.Lock()
		var running *turn
		for _, current := range t.busy {
			if current.failed.IsZero() {
				running = current
				break
			}
		}
		t.mu.Unlock()
		if running == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-running.done:
		}
	}
}
