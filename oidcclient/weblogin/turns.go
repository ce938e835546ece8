package weblogin

import (
	"context"
	"errors"
	"sync"
	"time"
)

// workTimeout bounds shared work, which no caller's context ends.
const workTimeout = time.Minute

var errUnfinished = errors.New("weblogin: work on the session did not finish")

// turns makes what changes one session happen one after another in this
// process, and lets all who ask for the same at the same time share its result.
// The zero value is ready.
type turns struct {
	mu   sync.Mutex // guards busy
	busy map[string]*turn
}

// turn is work on one session that is being done.
type turn struct {
	done   chan struct{} // closed when the others can be read
	shared bool
	result *Session
	err    error
}

// take starts a turn, or returns the one that is being done.
func (t *turns) take(key string, shared bool) (current *turn, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if current, ok := t.busy[key]; ok {
		return current, false
	}
	if t.busy == nil {
		t.busy = map[string]*turn{}
	}
	current = &turn{done: make(chan struct{}), shared: shared}
	t.busy[key] = current
	return current, true
}

func (t *turns) end(key string, current *turn) {
	t.mu.Lock()
	delete(t.busy, key)
	t.mu.Unlock()
	close(current.done)
}

// share does work, or waits for the same work that is being done, and returns
// its result. Whoever waits may give up; the work goes on, because the context of
// the one who does it ends nothing.
func (t *turns) share(ctx context.Context, key string, work func(context.Context) (*Session, error)) (*Session, error) {
	for {
		current, mine := t.take(key, true)
		if mine {
			defer t.end(key, current)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
			defer cancel()
			current.err = errUnfinished // what the others see if work panics
			current.result, current.err = work(ctx)
			return current.result, current.err
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

// alone waits until nothing else is being done to the session, and does work.
func (t *turns) alone(ctx context.Context, key string, work func() error) error {
	for {
		current, mine := t.take(key, false)
		if mine {
			defer t.end(key, current)
			return work()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-current.done:
		}
	}
}
