package weblogin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTurnsShareOneResult(t *testing.T) {
	all := turns{now: time.Now}
	var calls atomic.Int32
	want := &Session{Client: "x"}
	started, finish := make(chan struct{}), make(chan struct{})
	work := func(ctx context.Context) (*Session, error) {
		calls.Add(1)
		close(started)
		<-finish
		return want, ctx.Err()
	}
	var wait sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wait.Go(func() {
		_, err := all.share(ctx, "k", time.Time{}, work)
		assert.ErrorIs(t, err, context.Canceled, "the first caller may give up too")
	})
	<-started
	cancel()
	over, giveUp := context.WithCancel(t.Context())
	giveUp()
	assert.ErrorIs(t, all.wait(over), context.Canceled)
	current, mine := all.take("k", true, time.Time{})
	assert.False(t, mine)
	for range 20 {
		wait.Go(func() {
			<-current.done
			assert.Same(t, want, current.result)
			assert.NoError(t, current.err, "the work does not end with the first caller's context")
		})
	}
	_, err := all.share(ctx, "k", time.Time{}, work)
	assert.ErrorIs(t, err, context.Canceled, "whoever waits may give up")
	close(finish)
	wait.Wait()
	assert.NoError(t, all.wait(t.Context()))
	assert.Equal(t, int32(1), calls.Load())
	assert.Empty(t, all.busy)
}

func TestTurnsAlone(t *testing.T) {
	all := turns{now: time.Now}
	var inside, most, calls atomic.Int32
	enter := func() {
		most.Store(max(most.Load(), inside.Add(1)))
		calls.Add(1)
		inside.Add(-1)
	}
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			assert.NoError(t, all.alone(t.Context(), "k", func() error { enter(); return nil }))
		})
		wait.Go(func() {
			_, err := all.share(t.Context(), "k", time.Time{}, func(context.Context) (*Session, error) { enter(); return nil, nil })
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	assert.Equal(t, int32(1), most.Load())
	assert.GreaterOrEqual(t, calls.Load(), int32(50), "work that wants to be alone is never shared")
	failed := errors.New("failed")
	assert.ErrorIs(t, all.alone(t.Context(), "k", func() error { return failed }), failed)
	assert.Empty(t, all.busy)
}

func TestTurnsSurvivePanic(t *testing.T) {
	all := turns{now: time.Now}
	_, err := all.share(t.Context(), "k", time.Time{}, func(context.Context) (*Session, error) { panic("work") })
	assert.ErrorIs(t, err, errUnfinished)
	_, err = all.share(t.Context(), "other", time.Time{}, func(context.Context) (*Session, error) { return &Session{}, nil })
	assert.NoError(t, err)
}

// A stampede sees a failure once, and whoever comes after it tries again.
func TestTurnsShareFailure(t *testing.T) {
	clock := newTestClock()
	all := turns{now: clock.Now}
	var calls int
	failed := errors.New("failed")
	ask := func(came time.Time) error {
		_, err := all.share(t.Context(), "k", came, func(context.Context) (*Session, error) { calls++; return nil, failed })
		return err
	}
	before := clock.Now()
	assert.ErrorIs(t, ask(before), failed)
	assert.ErrorIs(t, ask(before), failed, "came before it failed, and was slow")
	assert.ErrorIs(t, ask(time.Time{}), failed, "takes any")
	assert.Equal(t, 1, calls)
	assert.ErrorIs(t, ask(clock.Now()), failed)
	assert.Equal(t, 2, calls, "came after it failed")
	clock.Advance(failureRests)
	assert.ErrorIs(t, ask(time.Time{}), failed)
	assert.Equal(t, 3, calls, "it was long ago")
	assert.NoError(t, all.alone(t.Context(), "k", func() error { return nil }), "a failure is in nobody's way")
	assert.NoError(t, all.wait(t.Context()))
	clock.Advance(time.Hour)
	_, mine := all.take("other", true, time.Time{})
	assert.True(t, mine)
	assert.Len(t, all.busy, 1, "old failures are forgotten")
	assert.Empty(t, all.resting)
}
