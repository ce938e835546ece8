package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/rely-go/rely/oidcclient"
	pgstore "github.com/rely-go/rely/oidcclient/store/postgres"
	redisstore "github.com/rely-go/rely/oidcclient/store/redis"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// startTimeout is how long a store may take to answer when the program starts.
const startTimeout = 30 * time.Second

// store is where sessions are, and what ends its connections.
type store struct {
	sessions weblogin.SessionStore // nil: in memory
	sealer   *oidcclient.Sealer    // nil: keys of this process
	close    func()
}

// openStore connects to the store that a URL names, with the sealing keys of a
// file. Without a URL sessions are in memory.
func openStore(ctx context.Context, target, keys string) (store, error) {
	s := store{close: func() {}}
	if keys != "" {
		var err error
		if s.sealer, err = readKeys(keys); err != nil {
			return s, err
		}
	}
	if target == "" {
		return s, nil
	}
	if s.sealer == nil {
		return s, errors.New("-store needs -keys: what one process seals has to open in the others")
	}
	u, err := url.Parse(target)
	if err != nil {
		return s, errors.New("-store is not a URL") // which may hold a password
	}
	switch u.Scheme {
	case "redis", "rediss":
		err = s.openRedis(target)
	case "postgres", "postgresql":
		err = s.openPostgres(ctx, target)
	default:
		err = errors.New("-store is neither redis:// nor postgres://")
	}
	return s, err
}

func (s *store) openRedis(target string) error {
	options, err := redis.ParseURL(target)
	if err != nil {
		return errors.New("-store is no URL of a Redis")
	}
	options.ContextTimeoutEnabled = true
	client := redis.NewClient(options)
	s.close = func() { _ = client.Close() } // the process ends
	s.sessions, err = redisstore.New(client, redisstore.Config{})
	return err
}

func (s *store) openPostgres(ctx context.Context, target string) error {
	pool, err := pgxpool.New(ctx, target)
	if err != nil {
		return errors.New("-store is no URL of a PostgreSQL")
	}
	s.close = pool.Close
	if s.sessions, err = pgstore.New(pool, pgstore.Config{}); err != nil {
		return err
	}
	return eventually(ctx, func() error { return pgstore.Migrate(ctx, pool, pgstore.Config{}) })
}

// eventually repeats what may fail because an engine is still starting.
func eventually(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := do()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the store is not reached: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// readKeys reads sealing keys: 32 random bytes in base64 or hex a line, the first
// one seals, all of them open.
func readKeys(file string) (*oidcclient.Sealer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for i, line := range bytes.Fields(text) {
		key, ok := decodeKey(string(line))
		if !ok {
			return nil, fmt.Errorf("%s: key %d is not 32 bytes in base64 or hex (openssl rand -base64 32 makes one)", file, i+1)
		}
		keys = append(keys, key)
	}
	return oidcclient.NewSealer(keys...)
}

// decodeKey tells the forms apart by the length that 32 bytes have in them.
func decodeKey(text string) ([]byte, bool) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if key, err := decode(text); err == nil && len(key) == oidcclient.SealerKeySize {
			return key, true
		}
	}
	return nil, false
}
