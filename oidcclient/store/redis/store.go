package redisstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// layout is the version of what is stored; another would not understand it.
const layout = "1"

// defaultPrefix is Config.Prefix where that is "".
const defaultPrefix = "rely"

// Config says how a [Store] uses Redis. Its zero value is good.
type Config struct {
	// Prefix keeps applications that share a Redis apart: 1 to 64 letters, digits,
	// and any of "-_.:". Empty means "rely". Replicas have the same.
	Prefix string
	// Now tells the time from which Record.ExpiresAt is counted; nil means
	// time.Now. Expiry itself is by Redis' clock.
	Now func() time.Time
}

// A Store is a [weblogin.SessionStore] and a [weblogin.ReplayStore] in Redis. It is
// safe for concurrent use, and has nothing of its own to close.
type Store struct {
	client redis.UniversalClient
	base   string // of all keys
	now    func() time.Time
}

var (
	_ weblogin.SessionStore = (*Store)(nil)
	_ weblogin.ReplayStore  = (*Store)(nil)
)

// New returns a store that uses a client, which remains the caller's to close. It
// does not connect. The error is about the configuration.
func New(client redis.UniversalClient, config Config) (*Store, error) {
	if client == nil {
		return nil, errors.New("redisstore: no client")
	}
	if config.Prefix == "" {
		config.Prefix = defaultPrefix
	}
	// Braces would end the hash tag early.
	if !regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`).MatchString(config.Prefix) {
		return nil, errors.New("redisstore: Config.Prefix has to be 1 to 64 letters, digits, and any of these: . : - _")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Store{client: client, base: "{" + config.Prefix + ":" + layout + "}:", now: config.Now}, nil
}

// Put implements [weblogin.SessionStore].
func (s *Store) Put(ctx context.Context, r weblogin.Record) error {
	return s.change(ctx, "put", putScript, r.Key, s.base, r.Key, r.Version, r.Version+1,
		r.Data, strings.Join(r.Names, " "), r.ExpiresAt.UnixMicro(), s.milliseconds(r.ExpiresAt))
}

// Load implements [weblogin.SessionStore].
func (s *Store) Load(ctx context.Context, keys ...string) ([]weblogin.Record, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, failed(ctx, "load", err)
	}
	answers := make([]*redis.SliceCmd, len(keys))
	// All in one go; that one key fails shows in its answer too.
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			answers[i] = p.HMGet(ctx, s.sessionKey(key), "version", "data", "names", "expires")
		}
		return nil
	})
	if err != nil {
		return nil, failed(ctx, "load", err)
	}
	var records []weblogin.Record
	for i, key := range keys {
		fields := answers[i].Val()
		if len(fields) == 0 || fields[0] == nil {
			continue
		}
		record, err := parse(key, fields)
		if err != nil {
			return nil, failed(ctx, "load", err)
		}
		records = append(records, record)
	}
	return records, nil
}

// Extend implements [weblogin.SessionStore].
func (s *Store) Extend(ctx context.Context, key string, expiresAt time.Time) error {
	return s.change(ctx, "extend", extendScript, key, s.base, key, expiresAt.UnixMicro(), s.milliseconds(expiresAt))
}

// Lease implements [weblogin.SessionStore].
func (s *Store) Lease(ctx context.Context, key, holder string, lasts time.Duration) (weblogin.Record, error) {
	answer, err := s.run(ctx, leaseScript, []string{s.sessionKey(key)}, holder, milliseconds(lasts)).Slice()
	if err != nil {
		return weblogin.Record{}, failed(ctx, "lease", err)
	}
	if len(answer) == 0 {
		return weblogin.Record{}, failed(ctx, "lease", errAnswer)
	}
	if err := outcome(answer[0]); err != nil {
		return weblogin.Record{}, refused("lease", err)
	}
	var fields []any
	if len(answer) == 2 {
		fields, _ = answer[1].([]any)
	}
	record, err := parse(key, fields)
	if err != nil {
		return weblogin.Record{}, failed(ctx, "lease", err)
	}
	return record, nil
}

// Release implements [weblogin.SessionStore].
func (s *Store) Release(ctx context.Context, key, holder string) error {
	return s.change(ctx, "release", releaseScript, key, holder)
}

// Delete implements [weblogin.SessionStore].
func (s *Store) Delete(ctx context.Context, key string, version int64) error {
	return s.change(ctx, "delete", deleteScript, key, s.base, key, version)
}

// DeleteNamed implements [weblogin.SessionStore]. Redis does nothing else
// meanwhile, which for a thousand sessions is some milliseconds.
func (s *Store) DeleteNamed(ctx context.Context, names ...string) (int, error) {
	if len(names) == 0 {
		return 0, nil
	}
	indexes := make([]string, len(names))
	for i, name := range names {
		indexes[i] = s.base + "n:" + name
	}
	count, err := s.run(ctx, deleteNamedScript, indexes, s.base).Int()
	if err != nil {
		return 0, failed(ctx, "delete named", err)
	}
	return count, nil
}

// Once implements [weblogin.ReplayStore].
func (s *Store) Once(ctx context.Context, key string, until time.Time) (bool, error) {
	err := s.process(ctx, true, redis.NewCmd(ctx, "set", s.base+"o:"+key, "", "px", s.milliseconds(until), "nx")).Err()
	switch {
	case errors.Is(err, redis.Nil): // it is there
		return false, nil
	case err != nil:
		return false, failed(ctx, "once", err)
	}
	return true, nil
}

// change runs a script that says no more than how it went.
func (s *Store) change(ctx context.Context, operation string, script *script, key string, args ...any) error {
	answer, err := s.run(ctx, script, []string{s.sessionKey(key)}, args...).Result()
	if err != nil {
		return failed(ctx, operation, err)
	}
	if err := outcome(answer); err != nil {
		return refused(operation, err)
	}
	return nil
}

func (s *Store) sessionKey(key string) string { return s.base + "s:" + key }

func (s *Store) milliseconds(until time.Time) int64 { return milliseconds(until.Sub(s.now())) }

// milliseconds rounds up: nothing ends before its time. Redis takes no lifetime
// below 1.
func milliseconds(d time.Duration) int64 {
	return max(1, int64((d-1)/time.Millisecond)+1)
}

// parse makes a record of its version, data, names and expires.
func parse(key string, fields []any) (weblogin.Record, error) {
	texts := make([]string, 4)
	if len(fields) != len(texts) {
		return weblogin.Record{}, errAnswer
	}
	for i, field := range fields {
		text, ok := field.(string)
		if !ok {
			return weblogin.Record{}, errAnswer
		}
		texts[i] = text
	}
	version, err1 := strconv.ParseInt(texts[0], 10, 64)
	expires, err2 := strconv.ParseInt(texts[3], 10, 64)
	if err1 != nil || err2 != nil {
		return weblogin.Record{}, errAnswer
	}
	return weblogin.Record{
		Key: key, Version: version, Data: texts[1], Names: strings.Fields(texts[2]), ExpiresAt: time.UnixMicro(expires),
	}, nil
}

// errAnswer does not show the answer, which may have contents of a session.
var errAnswer = errors.New("answer is not what this layout has")

// refused is an outcome that the contract names.
func refused(operation string, err error) error {
	return fmt.Errorf("redisstore: %s: %w", operation, err)
}

// failed is the error of a store that is out of order, or full.
func failed(ctx context.Context, operation string, err error) error {
	cause := over(ctx)
	if redis.IsOOMError(err) {
		cause = weblogin.ErrFull
	}
	if cause == nil || errors.Is(err, cause) {
		return fmt.Errorf("redisstore: %s: %w", operation, err)
	}
	return fmt.Errorf("redisstore: %s: %w: %w", operation, cause, err)
}

// over is the error of a context that is over. A connection's deadline may fire a
// moment before the context's.
func over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
