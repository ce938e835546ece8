package weblogin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTurnsShareOneResult(t *testing.T) {
	var all turns
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
		got, err := all.share(ctx, "k", work)
		assert.NoError(t, err, "the work does not end with the first caller's context")
		assert.Same(t, want, got)
	})
	<-started
	cancel()
	current, mine := all.take("k", true)
	assert.False(t, mine)
	for range 20 {
		wait.Go(func() {
			<-current.done
			assert.Same(t, want, current.result)
		})
	}
	_, err := all.share(ctx, "k", work)
	assert.ErrorIs(t, err, context.Canceled, "whoever waits may give up")
	close(finish)
	wait.Wait()
	assert.Equal(t, int32(1), calls.Load())
	assert.Empty(t, all.busy)
}

func TestTurnsAlone(t *testing.T) {
	var all turns
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
			_, err := all.share(t.Context(), "k", func(context.Context) (*Session, error) { enter(); return nil, nil })
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
	var all turns
	assert.Panics(t, func() {
		_, _ = all.share(t.Context(), "k", func(context.Context) (*Session, error) { panic("work") })
	})
	_, err := all.share(t.Context(), "k", func(context.Context) (*Session, error) { return &Session{}, nil })
	assert.NoError(t, err)
}
