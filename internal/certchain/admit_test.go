package certchain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// ca makes a CA called name under another, or a root.
func ca(t *testing.T, name string, parent *authority) *authority {
	t.Helper()
	return issue(t, name, parent, func(*x509.Certificate) {})
}

// leaf makes a certificate that can sign tokens.
func leaf(t *testing.T, parent *authority, change func(*x509.Certificate)) *authority {
	t.Helper()
	return issue(t, "leaf", parent, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature
		change(c)
	})
}

// issue makes a CA's certificate with changes.
func issue(t *testing.T, name string, parent *authority, change func(*x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, SubjectKeyId: []byte(name),
		NotBefore: time.Unix(1_780_000_000, 0), NotAfter: time.Unix(1_800_000_000, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	change(template)
	if parent == nil {
		parent = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

func certs(authorities ...*authority) (list []*x509.Certificate) {
	for _, a := range authorities {
		list = append(list, a.cert)
	}
	return list
}

func TestAdmit(t *testing.T) {
	root := ca(t, "root", nil)
	sub := ca(t, "sub", root)
	subsub := ca(t, "subsub", sub)
	// A stranger's CAs carry the names of ours.
	impostor := ca(t, "root", nil)
	forged, forgedToo := ca(t, "sub", impostor), ca(t, "other", impostor)
	anotherKey := ca(t, "x", issue(t, "root", nil, func(c *x509.Certificate) { c.SubjectKeyId = []byte("another") }))
	underForged := ca(t, "anything", forgedToo)
	for name, tt := range map[string]struct {
		chain    []*x509.Certificate
		admitted []*x509.Certificate
		refused  bool
	}{
		"nothing":              {},
		"in order":             {chain: certs(subsub, sub, root), admitted: certs(subsub, sub)},
		"out of order":         {chain: certs(root, sub, subsub), admitted: certs(subsub, sub)},
		"gap":                  {chain: certs(subsub)},
		"stranger's root":      {chain: certs(underForged, impostor), refused: true},
		"one of the same name": {chain: certs(sub, forged), refused: true},
		"under a forged one":   {chain: certs(underForged, forgedToo), refused: true},
		"another key's name":   {chain: certs(sub, anotherKey), admitted: certs(sub)},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := NewAnchors(certs(root))
			require.NoError(t, err)
			for range 2 { // the second time from memory
				got, err := a.admit(tt.chain)
				require.Equal(t, tt.refused, err != nil, "%v", err)
				if tt.refused {
					continue
				}
				want := x509.NewCertPool()
				for _, cert := range tt.admitted {
					want.AddCert(cert)
				}
				assert.True(t, want.Equal(got))
				assert.Len(t, a.under, len(tt.admitted))
			}
		})
	}
}

func TestAdmittedAreBounded(t *testing.T) {
	root := ca(t, "root", nil)
	a, err := NewAnchors(certs(root))
	require.NoError(t, err)
	for range maxUnder + 10 {
		_, err := a.admit(certs(ca(t, "sub", root)))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(a.under), maxUnder)
	}
}

func TestNewAnchorsRefusesNone(t *testing.T) {
	for _, none := range [][]*x509.Certificate{nil, {}, {nil}} {
		_, err := NewAnchors(none)
		assert.Error(t, err)
	}
}
