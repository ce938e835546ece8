package pgstore

import (
	"context"
	"time"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// secret is what no error may show.
const secret = "sealed contents of a session"

type call struct {
	name string
	do   func(ctx context.Context) error
}

// calls is one of each, in an order in which they all succeed.
func calls(s *Store) []call {
	until := time.Now().Add(time.Hour)
	record := weblogin.Record{Key: "calls", Data: secret, Names: []string{"n"}, ExpiresAt: until}
	again := record
	again.Version = 1
	return []call{
		{"Put", func(ctx context.Context) error { return s.Put(ctx, record) }},
		{"Put again", func(ctx context.Context) error { return s.Put(ctx, again) }},
		{"Load", func(ctx context.Context) error { _, err := s.Load(ctx, "calls", "others"); return err }},
		{"Extend", func(ctx context.Context) error { return s.Extend(ctx, "calls", until) }},
		{"Lease", func(ctx context.Context) error { _, err := s.Lease(ctx, "calls", "me", time.Second); return err }},
		{"Release", func(ctx context.Context) error { return s.Release(ctx, "calls", "me") }},
		{"Delete", func(ctx context.Context) error { return s.Delete(ctx, "calls", 0) }},
		{"DeleteNamed", func(ctx context.Context) error { _, err := s.DeleteNamed(ctx, "n", "m"); return err }},
		{"Once", func(ctx context.Context) error { _, err := s.Once(ctx, "calls", until); return err }},
	}
}
