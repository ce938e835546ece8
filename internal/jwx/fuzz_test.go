package jwx_test

import (
	"crypto"
	"testing"

	"github.com/rely-go/rely/internal/jwx"
)

// FuzzKeysBothWays: a set that was read, written and read again holds the same
// keys.
func FuzzKeysBothWays(f *testing.F) {
	f.Add([]byte(`{"keys":[` + ecJWK + `,` + edJWK + `]}`))
	f.Add([]byte(`{"keys":[` + edJWK + `,` + edJWK + `]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC"},{"kty":"OKP","crv":"X25519","x":"AA"},{"kty":"oct","k":"AAAA"},1]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := jwx.ParseKeySet(text, 20)
		if err != nil {
			if len(err.Error()) >= 300 {
				t.Fatalf("error of %d bytes", len(err.Error()))
			}
			return
		}
		written, err := jwx.MarshalPublic(first)
		if err != nil {
			return // names that can't be written, or a key that is there twice
		}
		second, err := jwx.ParseKeySet(written, 20)
		if err != nil || len(second) != len(first) {
			t.Fatalf("%d keys became %d: %v", len(first), len(second), err)
		}
		for i := range first {
			public, ok := first[i].Public.(interface{ Equal(crypto.PublicKey) bool })
			if !ok || !public.Equal(second[i].Public) || first[i].ID != second[i].ID || first[i].Algorithm != second[i].Algorithm || first[i].Use != second[i].Use {
				t.Fatalf("key %d changed", i)
			}
		}
	})
}
