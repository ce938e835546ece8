// Package vectors holds the library to test vectors that others wrote. It is a
// module of its own, so that nobody who uses the library gets them.
package vectors_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

type vector struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Msg     string
	Sig     string
	Result  string
	JWS     json.RawMessage
	Key     string
	Tag     string
}

type group struct {
	Comment      string
	PublicKeyDer string
	TagSize      int
	Public       json.RawMessage
	Private      json.RawMessage
	Tests        []vector
}

type file struct {
	NumberOfTests int
	TestGroups    []group
}

func load(t *testing.T, name string) file {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name+".json")
	require.NoError(t, err)
	var f file
	require.NoError(t, json.Unmarshal(text, &f))
	count := 0
	for _, g := range f.TestGroups {
		count += len(g.Tests)
	}
	require.Equal(t, f.NumberOfTests, count)
	return f
}

func octets(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return b
}

// A tally is what became of the vectors of a file. Those that were decided
// otherwise than they say, and acceptable ones, are counted by reason or flag.
type tally struct {
	accepted, refused int
	deviates          map[string]int
}

// note enters what was decided about a vector.
func (c *tally) note(v vector, reason string) {
	switch {
	case v.Result == "valid" && reason == "":
		c.accepted++
	case v.Result == "invalid" && reason != "":
		c.refused++
	case v.Result == "invalid":
		c.deviate(fmt.Sprintf("invalid, accepted: %d %s", v.ID, v.Comment))
	case v.Result == "valid":
		c.deviate("valid, refused: " + reason)
	case reason == "":
		for _, flag := range v.Flags {
			c.deviate("acceptable, accepted: " + flag)
		}
	default:
		for _, flag := range v.Flags {
			c.deviate("acceptable, refused: " + flag)
		}
	}
}

func (c *tally) deviate(reason string) {
	if c.deviates == nil {
		c.deviates = map[string]int{}
	}
	c.deviates[reason]++
}

func TestPublicKeySignatures(t *testing.T) {
	for _, tt := range publicKeyFiles() {
		t.Run(tt.file, func(t *testing.T) {
			got := tally{}
			for _, g := range load(t, tt.file).TestGroups {
				public, err := x509.ParsePKIXPublicKey(octets(t, g.PublicKeyDer))
				require.NoError(t, err)
				for _, v := range g.Tests {
					reason := ""
					err := jose.Verify(tt.alg, public, string(octets(t, v.Msg)), octets(t, v.Sig))
					if err != nil {
						reason = err.Error()
					}
					got.note(v, reason)
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// Tags that were cut are no MAC of JWA, so of those groups no vector is believed.
func TestHMAC(t *testing.T) {
	for _, tt := range hmacFiles() {
		t.Run(tt.file, func(t *testing.T) {
			got := tally{}
			for _, g := range load(t, tt.file).TestGroups {
				for _, v := range g.Tests {
					err := jose.VerifyHMAC(tt.alg, octets(t, v.Key), string(octets(t, v.Msg)), octets(t, v.Tag))
					reason := ""
					switch {
					case errors.Is(err, jose.ErrSignature) && g.TagSize < tt.bits:
						reason = "tag was cut"
					case err != nil:
						reason = err.Error()
					}
					got.note(v, reason)
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
