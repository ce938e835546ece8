package jose

import (
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What no signature could be believed by has no thumbprint either.
func TestThumbprintRefuses(t *testing.T) {
	for name, key := range map[string]any{
		"nothing":     nil,
		"no key":      "key",
		"a small key": &rsa.PublicKey{N: big.NewInt(15), E: 3},
	} {
		jwk, err := PublicJWK(key)
		assert.Error(t, err, name)
		assert.Empty(t, jwk, name)
		thumbprint, err := Thumbprint(key)
		assert.Error(t, err, name)
		assert.Empty(t, thumbprint, name)
	}
}
