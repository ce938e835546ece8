package pgstore

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
)

// sweepEvery is how many new rows come between two sweeps, each of which takes
// at most 100 away: tables that have grown shrink again, and a call in 16 makes
// one more round trip.
const sweepEvery = 16

// A sweeper removes what has expired from a table, with the calls that make it
// grow.
type sweeper struct {
	sql   string
	added atomic.Uint64
}

// sweep is told of each new row. It runs by itself, after what the call was for:
// within the same statement it could wait for another one in a ring.
func (s *sweeper) sweep(ctx context.Context, pool *pgxpool.Pool) {
	if s.added.Add(1)%sweepEvery != 0 {
		return
	}
	// What has expired is invisible with or without this, and whatever made it
	// fail shows in the next call too.
	_, _ = pool.Exec(ctx, s.sql)
}
