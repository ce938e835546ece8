package certchain

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each refusal of a path has a sentence of its own.
func TestBuildSaysWhy(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	same := func(*x509.Certificate) {}
	root := ca(t, "root", nil)
	sub := ca(t, "sub", root)
	impostor := ca(t, "root", nil)
	last := issue(t, "last", root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	beyond := ca(t, "beyond", last)
	old := issue(t, "old", root, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })
	usage := func(usage x509.KeyUsage) *authority {
		return leaf(t, sub, func(c *x509.Certificate) { c.KeyUsage = usage })
	}
	for reason, chain := range map[string][]*x509.Certificate{
		"there is no certificate":                             nil,
		"leaf certificate is a CA's":                          certs(sub),
		"leaf certificate is not for signatures":              certs(usage(x509.KeyUsageKeyEncipherment), sub),
		"leaf certificate is for issuing certificates":        certs(usage(x509.KeyUsageDigitalSignature|x509.KeyUsageCRLSign), sub),
		"leaf certificate is not valid at this time":          certs(leaf(t, sub, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), sub),
		"a certificate of the path is not valid at this time": certs(leaf(t, old, same), old),
		"path is longer than a certificate of it allows":      certs(leaf(t, beyond, same), beyond, last),
		"no path leads to a configured trust anchor":          certs(leaf(t, sub, same)),
		"a certificate is not of the CA that it names":        certs(leaf(t, sub, same), sub, ca(t, "a", impostor)),
	} {
		t.Run(reason, func(t *testing.T) {
			anchors, err := NewAnchors(certs(root))
			require.NoError(t, err)
			_, err = anchors.Build(chain, now)
			assert.EqualError(t, err, reason)
		})
	}
}

func TestCheckOwnRefusesCA(t *testing.T) {
	root := ca(t, "root", nil)
	sub := ca(t, "sub", root)
	now := time.Unix(1_790_000_000, 0)
	assert.ErrorContains(t, CheckOwn(sub.key.Public(), certs(sub, root), "", now), "is a CA's")
	own := leaf(t, sub, func(*x509.Certificate) {})
	assert.NoError(t, CheckOwn(own.key.Public(), certs(own, sub, root), "", now))
}

// Two organisations make a certificate nobody's, also where its serial number
// names the party.
func TestBoundRefusesTwoParties(t *testing.T) {
	root := ca(t, "root", nil)
	naming := func(organizations ...string) *x509.Certificate {
		return leaf(t, root, func(c *x509.Certificate) {
			c.Subject.SerialNumber = "party"
			for _, organization := range organizations {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: organization})
			}
		}).cert
	}
	assert.True(t, Bound(naming(), "party"))
	assert.True(t, Bound(naming("one"), "party"))
	assert.False(t, Bound(naming("one", "two"), "party"))
	assert.False(t, Bound(naming(), ""))
}
