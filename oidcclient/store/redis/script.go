package redisstore

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

var (
	//go:embed scripts/common.lua
	commonLua string
	//go:embed scripts/put.lua
	putLua string
	//go:embed scripts/extend.lua
	extendLua string
	//go:embed scripts/lease.lua
	leaseLua string
	//go:embed scripts/release.lua
	releaseLua string
	//go:embed scripts/delete.lua
	deleteLua string
	//go:embed scripts/deletenamed.lua
	deleteNamedLua string

	putScript         = newScript(putLua, true)
	extendScript      = newScript(extendLua, false)
	leaseScript       = newScript(leaseLua, false)
	releaseScript     = newScript(releaseLua, false)
	deleteScript      = newScript(deleteLua, true)
	deleteNamedScript = newScript(deleteNamedLua, true)
)

// A script is one change. redis.Script would let the client repeat it.
type script struct {
	text, hash string
	once       bool // doing it twice differs from doing it once
}

func newScript(text string, once bool) *script {
	text = commonLua + "\n" + text
	hash := sha1.Sum([]byte(text)) // the name that Redis gives it
	return &script{text: text, hash: hex.EncodeToString(hash[:]), once: once}
}

// run has Redis run a script that it probably knows.
func (s *Store) run(ctx context.Context, script *script, keys []string, args ...any) *redis.Cmd {
	cmd := s.process(ctx, script.once, command(ctx, "evalsha", script.hash, keys, args))
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd = s.process(ctx, script.once, command(ctx, "eval", script.text, keys, args))
	}
	return cmd
}

func command(ctx context.Context, name, script string, keys []string, args []any) *redis.Cmd {
	all := []any{name, script, len(keys)}
	for _, key := range keys {
		all = append(all, key)
	}
	cmd := redis.NewCmd(ctx, append(all, args...)...)
	cmd.SetFirstKeyPos(int8(len(all) - len(keys))) // by which a cluster's client finds the shard
	return cmd
}

func (s *Store) process(ctx context.Context, once bool, cmd *redis.Cmd) *redis.Cmd {
	if err := ctx.Err(); err != nil {
		cmd.SetErr(err)
		return cmd
	}
	// The error is in the command too.
	if once {
		_ = s.client.Process(ctx, unrepeated{cmd})
	} else {
		_ = s.client.Process(ctx, cmd)
	}
	return cmd
}

// unrepeated keeps the client from sending a command again when it does not know
// whether Redis has run it.
type unrepeated struct{ *redis.Cmd }

// NoRetry is what the client asks.
func (unrepeated) NoRetry() bool { return true }

// What the scripts answer; common.lua has the same.
const (
	done int64 = iota
	gone
	conflict
	leased
)

func outcome(answer any) error {
	switch answer {
	case done:
		return nil
	case gone:
		return weblogin.ErrNotFound
	case conflict:
		return weblogin.ErrConflict
	case leased:
		return weblogin.ErrLeased
	}
	return fmt.Errorf("outcome: %w", errAnswer)
}
