package pgstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

// BenchmarkStore is what a call costs on loopback, with a session of 2 KiB.
func BenchmarkStore(b *testing.B) {
	s := newStore(b, connect(b, engine.URL, pgx.QueryExecModeCacheStatement), Config{Prefix: "bench_"})
	ctx, until := b.Context(), time.Now().Add(time.Hour)
	n := 0
	fresh := func() weblogin.Record {
		n++
		return weblogin.Record{
			Key: fmt.Sprintf("%043d", n), Data: strings.Repeat("x", 2<<10), ExpiresAt: until,
			Names: []string{fmt.Sprintf("n%042d", n), fmt.Sprintf("m%042d", n)},
		}
	}
	one := fresh()
	require.NoError(b, s.Put(ctx, one))
	calls := []struct {
		name string
		do   func() error
	}{
		{"Load", func() error { _, err := s.Load(ctx, one.Key); return err }},
		{"Extend", func() error { return s.Extend(ctx, one.Key, until) }},
		{"Lease", func() (err error) {
			record, err := s.Lease(ctx, one.Key, "holder", time.Minute)
			one.Version = record.Version
			return err
		}},
		{"PutNew", func() error { return s.Put(ctx, fresh()) }},
		{"PutAgain", func() error { defer func() { one.Version++ }(); return s.Put(ctx, one) }},
		{"PutAndDelete", func() error {
			r := fresh()
			if err := s.Put(ctx, r); err != nil {
				return err
			}
			return s.Delete(ctx, r.Key, 1)
		}},
		{"PutAndDeleteNamed", func() error {
			r := fresh()
			if err := s.Put(ctx, r); err != nil {
				return err
			}
			_, err := s.DeleteNamed(ctx, r.Names...)
			return err
		}},
		{"Once", func() error { n++; _, err := s.Once(ctx, fmt.Sprint(n), until); return err }},
	}
	for _, call := range calls {
		b.Run(call.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, call.do())
			}
		})
	}
}
