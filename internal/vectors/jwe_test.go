package vectors_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jwe"
	"github.com/rely-go/rely/internal/jwx"
)

// webJWE is a vector of JWE.
type webJWE struct {
	ID        int             `json:"tcId"`
	Result    string          `json:"result"`
	Plaintext string          `json:"pt"` // hexadecimal
	JWE       json.RawMessage `json:"jwe"`
}

// What is offered decrypts to what it should, everything that is invalid is
// refused, and what is valid and not offered is refused before a key is touched.
func TestWebEncryption(t *testing.T) {
	for file, want := range map[string]map[string]int{
		// What is not offered: symmetric keys, RSA1_5, and one with zip.
		"json_web_encryption_test": {
			"decrypted": 39, "refused": 74, "valid, refused: jwe: alg or enc was not agreed": 25,
			"valid, refused: jwe: header is malformed or asks for what is not offered": 1,
		},
		"json_web_crypto_test": {"decrypted": 1, "refused": 32, "valid, refused: jwe: alg or enc was not agreed": 1},
	} {
		t.Run(file, func(t *testing.T) {
			var set struct {
				TestGroups []struct {
					Private json.RawMessage `json:"private"`
					Tests   []webJWE        `json:"tests"`
				} `json:"testGroups"`
			}
			text, err := fs.ReadFile(wycheproof.TestVectors, file+".json")
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, &set))
			got := map[string]int{}
			for _, g := range set.TestGroups {
				for _, v := range g.Tests {
					if v.JWE != nil {
						got[v.outcome(t, g.Private)]++
					}
				}
			}
			assert.Equal(t, want, got)
		})
	}
}

// outcome says what became of a vector, and fails where it is wrong.
func (v webJWE) outcome(t *testing.T, private json.RawMessage) string {
	t.Helper()
	plain, err := v.open(t, private)
	switch {
	case err == nil:
		assert.Equal(t, "valid", v.Result, "%d was decrypted", v.ID)
		if v.Plaintext != "" { // one file does not say
			assert.Equal(t, v.Plaintext, hex.EncodeToString(plain), "%d", v.ID)
		}
		return "decrypted"
	case v.Result != "valid":
		return "refused"
	}
	return "valid, refused: " + err.Error()
}

func (v webJWE) open(t *testing.T, private json.RawMessage) ([]byte, error) {
	t.Helper()
	token, err := jwe.Parse(textOf(v.JWE), 1<<20)
	if err != nil {
		return nil, err
	}
	decrypts, id, alg, err := jwx.ParseDecryptionKey(private)
	if err != nil {
		return nil, errors.New("no private key of a kind that is offered")
	}
	key, err := jwe.NewKey(id, alg, decrypts)
	if err != nil {
		return nil, errors.New("no private key of a kind that is offered")
	}
	return token.Decrypt(t.Context(), jwe.Agreed{
		Algorithms:  []string{"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"},
		Encryptions: []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"},
	}, []jwe.Key{key})
}
