package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The compact serialisations of RFC 7520 §4.1 to §4.4. Those of §4.5 to §4.8 are
// detached or JSON, which are refused.
func TestRFC7520(t *testing.T) {
	text, err := os.ReadFile("testdata/rfc7520.json")
	require.NoError(t, err)
	var examples []struct {
		Section, Alg, JWS string
		Key               map[string]string
	}
	require.NoError(t, json.Unmarshal(text, &examples))
	require.Len(t, examples, 4)
	for _, e := range examples {
		t.Run(e.Section, func(t *testing.T) {
			c, err := ParseCompact(e.JWS, 1<<16)
			require.NoError(t, err)
			number := func(name string) *big.Int {
				b, err := Decode(e.Key[name])
				require.NoError(t, err)
				return new(big.Int).SetBytes(b)
			}
			verify := func(input string) error {
				var key crypto.PublicKey
				switch e.Key["kty"] {
				case "oct":
					return VerifyHMAC(e.Alg, number("k").FillBytes(make([]byte, 32)), input, c.Signature)
				case "RSA":
					key = &rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}
				default:
					//lint:ignore SA1019 coordinates are what the RFC has
					key = &ecdsa.PublicKey{Curve: elliptic.P521(), X: number("x"), Y: number("y")}
				}
				return Verify(e.Alg, key, input, c.Signature)
			}
			require.NoError(t, verify(c.SigningInput))
			assert.ErrorIs(t, verify(c.SigningInput+"A"), ErrSignature)
			detached, err := ParseCompact(c.HeaderPart+".."+Encode(c.Signature), 1<<16)
			require.NoError(t, err)
			assert.ErrorIs(t, verify(detached.SigningInput), ErrSignature, "§4.5: detached")
			_, err = ParseCompact(`{"payload":"`+Encode(c.Payload)+`","signature":"`+Encode(c.Signature)+`"}`, 1<<16)
			assert.ErrorIs(t, err, ErrShape, "§4.6 to §4.8: JSON")
		})
	}
}
