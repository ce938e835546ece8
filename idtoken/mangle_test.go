package idtoken_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/corpus"
	"github.com/rely-go/rely/internal/jose"
)

// load returns a case of the corpus that is believed.
func load(t *testing.T, kind corpus.Kind, name string) (corpus.Case, corpus.Setup) {
	t.Helper()
	cases, err := kind.Load(corpus.Files())
	require.NoError(t, err)
	i := slices.IndexFunc(cases, func(c corpus.Case) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, "%s is not in the corpus", name)
	s, err := cases[i].Setup(corpus.Files())
	require.NoError(t, err)
	believed, err := verify(t, kind.Name, cases[i], s)
	require.NoError(t, err)
	require.True(t, believed)
	return cases[i], s
}

// mangled are the changes of a text, named. Of long texts one bit of each byte is
// turned, of others all.
func mangled(text string) map[string]string {
	changes := map[string]string{}
	for i := range len(text) {
		at := " at " + strconv.Itoa(i)
		for bit := range 8 {
			if len(text) > 1500 && bit != i%8 {
				continue
			}
			changed := []byte(text)
			changed[i] ^= 1 << bit
			changes["bit "+strconv.Itoa(bit)+at] = string(changed)
		}
		changes["prefix"+at] = text[:i]
		if i > 0 {
			changes["suffix"+at] = text[i:]
		}
		changes["cut out"+at] = text[:i] + text[i+1:]
		for _, inserted := range []string{" ", "\t", "\r", "\n", "\r\n", "=", ".", "\x00"} {
			changes[inserted+" inserted"+at] = text[:i] + inserted + text[i:]
			changes[inserted+" at the end"] = text + inserted
		}
	}
	parts := strings.Split(text, ".")
	for i, part := range parts {
		doubled := slices.Clone(parts)
		doubled[i] = part + part
		changes["doubled part "+strconv.Itoa(i)] = strings.Join(doubled, ".")
		changes["repeated part "+strconv.Itoa(i)] = strings.Join(slices.Insert(slices.Clone(parts), i, part), ".")
	}
	changes["doubled"] = text + text
	changes["repeated"] = text + "." + text
	return changes
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Each believed token has one text: no change of it is believed.
func TestMangledTokens(t *testing.T) {
	// What may still be believed, by the token's name and the change's.
	exceptions := map[string][]string{}
	for _, of := range []struct {
		kind corpus.Kind
		name string
	}{
		{corpus.IDToken(), "T04-rs256"}, {corpus.IDToken(), "T04-es256-agreed"}, {corpus.IDToken(), "T04-eddsa-agreed"},
		{corpus.IDToken(), "T06-x5c-es256"}, {corpus.LogoutToken(), "T39-good"}, {corpus.UserInfo(), "T23-good"}, {corpus.Legacy(), "T27-good"},
	} {
		t.Run(of.kind.Name+"/"+of.name, func(t *testing.T) {
			good, s := load(t, of.kind, of.name)
			decide := decider(t, of.kind.Name, s)
			require.NoError(t, decide(good.Input))
			for change, text := range mangled(good.Input) {
				if err := decide(text); err == nil {
					assert.Contains(t, exceptions[of.name], change, "believed")
				}
			}
		})
	}
}

// decider makes a case's client once.
func decider(t *testing.T, kind string, s corpus.Setup) func(text string) error {
	if kind == corpus.Legacy().Name {
		return func(text string) error {
			_, err := verifyLegacy(t.Context(), corpus.Case{Input: text}, s)
			return err
		}
	}
	v, err := newVerifier(s)
	require.NoError(t, err)
	return func(text string) error {
		_, err := verifyBy(t, v, kind, text, s)
		return err
	}
}

// A key set that was changed gives no key or another, and then nothing is
// believed; or the same key: what is believed was signed by the key that any
// reader finds in the changed text.
func TestMangledKeySet(t *testing.T) {
	for _, name := range []string{"T12-good-with-members", "T05-ec-key"} {
		good, s := load(t, corpus.KeySet(), name)
		want := keyOf(good.Input)
		require.NotEmpty(t, want)
		believed := 0
		for change, text := range mangled(good.Input) {
			s.Keys = []byte(text)
			v, err := newVerifier(s)
			if err != nil {
				continue
			}
			if _, err := v.Verify(t.Context(), s.Token, expected(t, s)); err == nil {
				believed++
				assert.Equal(t, want, keyOf(text), "%s: %s", name, change)
			}
		}
		assert.NotZero(t, believed, "white space between members changes nothing")
	}
}

// keyOf reads the one key of a set as the standard library does, by exact names:
// the members that make it, and what restricts its use.
func keyOf(set string) map[string]string {
	var keys struct {
		Keys []map[string]any `json:"keys"`
	}
	var names map[string]any
	if json.Unmarshal([]byte(set), &keys) != nil || json.Unmarshal([]byte(set), &names) != nil || names["keys"] == nil || len(keys.Keys) != 1 {
		return nil
	}
	found := map[string]string{}
	for name, value := range keys.Keys[0] {
		text, _ := value.(string)
		switch name {
		case "kty", "crv", "n", "e", "x", "y":
			found[name] = text
		case "kid", "use":
			// Without them the only key still fits.
			if name == "use" && text != "sig" || name == "kid" && text != "rsa-1" && text != "ec-1" {
				found[name] = text
			}
		}
	}
	if found["kty"] == "RSA" {
		// Of an RSA key these are unknown members.
		delete(found, "x")
		delete(found, "y")
	}
	return found
}

// A certificate with one bit changed proves nothing, also when its own key signed
// the token that carries it.
func TestMangledCertificates(t *testing.T) {
	good, s := load(t, corpus.IDToken(), "T06-x5c-es256")
	v, err := newVerifier(s)
	require.NoError(t, err)
	parts := strings.Split(good.Input, ".")
	var header struct {
		X5C []string `json:"x5c"`
	}
	require.NoError(t, json.Unmarshal(must(jose.Decode(parts[0])), &header))
	key := privateKey(t, "ec-1")
	// The root comes along and is not used: the anchor is the client's.
	chain := header.X5C[:2]
	sign := func(chain []string) string {
		input := jose.Encode(must(json.Marshal(map[string]any{"alg": "ES256", "typ": "JWT", "x5c": chain}))) + "." + parts[1]
		return input + "." + jose.Encode(must(jose.Sign(t.Context(), "ES256", key, input)))
	}
	_, err = v.Verify(t.Context(), sign(chain), expected(t, s))
	require.NoError(t, err)
	for i := range chain {
		der, err := base64.StdEncoding.DecodeString(chain[i])
		require.NoError(t, err)
		for at := range der {
			changed := slices.Clone(der)
			changed[at] ^= 1 << (at % 8)
			forged := slices.Clone(chain)
			forged[i] = base64.StdEncoding.EncodeToString(changed)
			_, err := v.Verify(t.Context(), sign(forged), expected(t, s))
			assert.Error(t, err, "certificate %d, byte %d", i, at)
		}
	}
}

// privateKey returns one of the corpus's keys.
func privateKey(t *testing.T, name string) *ecdsa.PrivateKey {
	t.Helper()
	text, err := fs.ReadFile(corpus.Files(), "keys/"+name+".pem")
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(*ecdsa.PrivateKey)
}
