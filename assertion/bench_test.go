package assertion_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
)

// The limit is the bare signature; x5c has a chain of three certificates in the
// header, encoded once by New.
func BenchmarkClientAssertion(b *testing.B) {
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	for _, tt := range []struct {
		alg     string
		key     crypto.Signer
		options crypto.SignerOpts
	}{
		{"RS256", rsaKey(), crypto.SHA256},
		{"PS256", rsaKey(), pss},
		{"ES256", ecKey(b, elliptic.P256()), crypto.SHA256},
	} {
		digest := make([]byte, 32)
		b.Run("Sign/"+tt.alg+"/limit", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tt.key.Sign(rand.Reader, digest, tt.options); err != nil {
					b.Fatal(err)
				}
			}
		})
		key := assertion.Key{Signer: tt.key, Algorithm: tt.alg}
		benchmarkSign(b, "Sign/"+tt.alg+"/rely", key)
		key.Naming, key.Certificates = assertion.NameX5C, certify(b, tt.key.Public(), "NTRNL-12345678", "")
		benchmarkSign(b, "Sign/"+tt.alg+"/rely+x5c", key)
	}
}

func benchmarkSign(b *testing.B, name string, key assertion.Key) {
	signer, err := assertion.New(assertion.Config{ClientID: "client", Key: key, Clock: clock})
	require.NoError(b, err)
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := signer.ClientAssertion(b.Context(), "https://op.example"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
