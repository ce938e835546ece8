package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

func contextOver(t *testing.T, one, other Store) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		calls := []struct {
			name string
			do   func(r weblogin.Record) error
		}{
			{"Put", func(r weblogin.Record) error { return one.Put(ctx, r) }},
			{"Load", func(r weblogin.Record) error { _, err := one.Load(ctx, r.Key, name()); return err }},
			{"Extend", func(r weblogin.Record) error { return one.Extend(ctx, r.Key, r.ExpiresAt) }},
			{"Lease", func(r weblogin.Record) error { _, err := one.Lease(ctx, r.Key, "holder", long); return err }},
			{"Release", func(r weblogin.Record) error { return one.Release(ctx, r.Key, "holder") }},
			{"Delete", func(r weblogin.Record) error { return one.Delete(ctx, r.Key, 0) }},
			{"DeleteNamed", func(r weblogin.Record) error { _, err := one.DeleteNamed(ctx, r.Names...); return err }},
			{"Once", func(r weblogin.Record) error { _, err := one.Once(ctx, r.Key, r.ExpiresAt); return err }},
		}
		for _, call := range calls {
			if err := call.do(put(t, one, newRecord(name()))); err != nil {
				assert.ErrorIs(t, err, ctx.Err(), call.name)
			}
		}
		stored(t, one, put(t, one, newRecord())) // the handle is as good as before
	}
	stored(t, other, put(t, other, newRecord()))
}
