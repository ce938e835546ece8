package vectors_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// Groups with a public key go through the key sources of idtoken, as tokens do.
// Those with a secret go through what checks tokens signed with client secrets.
// Vectors of JWE are TestWebEncryption's.
func TestWebSignatures(t *testing.T) {
	for _, tt := range webFiles() {
		t.Run(tt.file, func(t *testing.T) {
			got, encrypted := tally{}, 0
			for _, g := range load(t, tt.file).TestGroups {
				for _, v := range g.Tests {
					if v.JWS == nil {
						encrypted++
						continue
					}
					err := verifyWeb(t, g, textOf(v.JWS))
					reason := ""
					if err != nil {
						reason = g.Comment + ": " + err.Error()
					}
					got.note(v, reason)
				}
			}
			assert.Equal(t, tt.encrypted, encrypted)
			assert.Equal(t, tt.want, got)
		})
	}
}

func verifyWeb(t *testing.T, g group, jws string) error {
	t.Helper()
	if g.Public == nil {
		return verifySecret(t, g.Private, jws)
	}
	set := g.Public
	if _, isSet := membersOf(t, set)["keys"]; !isSet {
		set = json.RawMessage(`{"keys":[` + string(set) + `]}`)
	}
	keys, err := idtoken.PinnedKeys(set)
	if err != nil {
		return err
	}
	_, err = keys.VerifySignature(t.Context(), jws)
	return err
}

// textOf returns a compact serialisation, and a JSON one as it came.
func textOf(jws json.RawMessage) string {
	var text string
	if json.Unmarshal(jws, &text) != nil {
		return string(jws)
	}
	return text
}

func membersOf(t *testing.T, text json.RawMessage) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}

// verifySecret takes one symmetric key for exactly the algorithm it is for.
func verifySecret(t *testing.T, jwk json.RawMessage, jws string) error {
	t.Helper()
	key := membersOf(t, jwk)
	if set, ok := key["keys"].([]any); ok && len(set) == 1 {
		key = set[0].(map[string]any)
	}
	if key["kty"] != "oct" {
		return errors.New("not one secret")
	}
	secret, err := jose.Decode(key["k"].(string))
	require.NoError(t, err)
	c, err := jose.ParseCompact(jws, 1<<16)
	if err != nil {
		return err
	}
	text, err := jose.Decode(c.HeaderPart)
	if err != nil {
		return err
	}
	header, err := strictjson.ParseObject(text, 8)
	if err != nil {
		return err
	}
	alg, _, err := header.String("alg")
	if err != nil || alg != key["alg"] {
		return errors.New("alg is not the key's")
	}
	if err := jose.CheckSecret(alg, secret); err != nil {
		return err
	}
	return jose.VerifyHMAC(alg, secret, c.SigningInput, c.Signature)
}
