package pgstore_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	pgstore "github.com/rely-go/rely/oidcclient/store/postgres"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// A store takes the place of the one in memory, for sessions and for used logins.
func Example() {
	open := func(ctx context.Context, url string) (*weblogin.Config, error) {
		pool, err := pgxpool.New(ctx, url) // close it when the server has ended
		if err != nil {
			return nil, err
		}
		config := pgstore.Config{Schema: "login"}
		if err := pgstore.Migrate(ctx, pool, config); err != nil {
			return nil, fmt.Errorf("tables of sessions: %w", err)
		}
		store, err := pgstore.New(pool, config)
		if err != nil {
			return nil, err
		}
		return &weblogin.Config{Sessions: store, Replay: store}, nil
	}
	_ = open
}
