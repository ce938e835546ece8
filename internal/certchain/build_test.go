package certchain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func file(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return cert
}

// The two leaves were made with OpenSSL and differ in the hash of their
// signatures only: Go makes none with SHA-1.
func TestBuildRefusesSHA1(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	anchors, err := NewAnchors([]*x509.Certificate{file(t, "root.pem")})
	require.NoError(t, err)
	_, err = anchors.Build([]*x509.Certificate{file(t, "leaf-sha256.pem")}, now)
	require.NoError(t, err)
	leaf := file(t, "leaf-sha1.pem")
	require.Equal(t, x509.ECDSAWithSHA1, leaf.SignatureAlgorithm)
	_, err = anchors.Build([]*x509.Certificate{leaf}, now)
	assert.Error(t, err)
}

// chainOf makes a chain of n certificates, the leaf first and the root last.
func chainOf(t *testing.T, n int, now time.Time) []*x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	chain := make([]*x509.Certificate, n)
	for i := n - 1; i >= 0; i-- {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: fmt.Sprint("generated ", i)},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), BasicConstraintsValid: true,
			IsCA: i > 0, KeyUsage: x509.KeyUsageDigitalSignature,
		}
		if template.IsCA {
			template.KeyUsage = x509.KeyUsageCertSign
		}
		parent := template
		if i < n-1 {
			parent = chain[i+1]
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		require.NoError(t, err)
		chain[i], err = x509.ParseCertificate(der)
		require.NoError(t, err)
	}
	return chain
}

func TestBuildBoundsThePath(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	ten := chainOf(t, 10, now)
	anchors, err := NewAnchors(ten[9:])
	require.NoError(t, err)
	path, err := anchors.Build(ten[:9], now)
	require.NoError(t, err)
	assert.Len(t, path, 10)

	eleven := chainOf(t, 11, now)
	anchors, err = NewAnchors(eleven[10:])
	require.NoError(t, err)
	_, err = anchors.Build(eleven[:10], now)
	assert.ErrorContains(t, err, "longer than ten", "ten in the header and the anchor")
}
