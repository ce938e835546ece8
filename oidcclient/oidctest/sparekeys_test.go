package oidctest

import (
	"crypto"
	"crypto/rsa"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keysOf are the RSA keys of a provider, those of its authorities too.
func keysOf(p *Provider) (keys []crypto.Signer) {
	for _, k := range p.keys {
		keys = append(keys, k.private)
	}
	if p.pki != nil {
		keys = append(keys, p.pki.keys...)
	}
	return keys
}

func TestKeysOfClosedProviders(t *testing.T) {
	start := func() *Provider {
		p, err := New(Config{System: IShare})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Close()) })
		return p
	}
	first := start()
	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "its keys are given once")
	seen := map[crypto.Signer]bool{}
	for _, p := range []*Provider{start(), start()} {
		for _, key := range append(keysOf(p), p.client.private) {
			assert.False(t, seen[key], "two that run share a key")
			seen[key] = true
		}
	}
	for _, key := range keysOf(first) {
		assert.True(t, seen[key], "those of the first are used again")
	}
}

func TestSpareKeysAreBounded(t *testing.T) {
	var s spareKeys
	assert.Nil(t, s.take())
	s.give(nil)
	assert.Nil(t, s.take())
	for range maxSpare + 1 {
		s.give(new(rsa.PrivateKey))
	}
	assert.Len(t, s.keys, maxSpare)
}
