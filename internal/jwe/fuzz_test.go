package jwe

import (
	"slices"
	"strings"
	"testing"

	"github.com/rely-go/rely/internal/jose"
)

func addSeeds(f *testing.F) {
	f.Helper()
	for _, e := range examples(f) {
		f.Add(e.Token)
	}
	var refused []example
	readExamples(f, "refused.json", &refused)
	for _, e := range refused {
		f.Add(e.Token)
	}
	f.Add(oaepShaped(oaepHeader))
	f.Add(esShaped(esHeader))
	f.Add(shaped(kwHeader, 72, 16, 32, 32))
	f.Add(esShaped(strings.Replace(esHeader, epk, `"apu":"AQ","apv":"","epk":{"kty":"OKP","crv":"X25519","x":"`+strings.Repeat("A", 43)+`"}`, 1)))
	f.Add("....")
}

// FuzzParse: what can be parsed has no other text, and nothing that was not
// offered.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text, 1<<16)
		if err != nil {
			if !slices.Contains([]error{ErrSize, ErrShape, ErrHeader, ErrAlgorithm}, err) {
				t.Fatal(err)
			}
			return
		}
		enc, ok := contentOf(c.Encryption)
		if !ok || !KnownAlgorithm(c.Algorithm) || c.Header.Has("zip") || c.Header.Has("crit") {
			t.Fatalf("%q is not offered", text)
		}
		end := len(c.sealed) - enc.tag
		parts := []string{c.encoded, jose.Encode(c.encryptedKey), jose.Encode(c.iv), jose.Encode(c.sealed[:end]), jose.Encode(c.sealed[end:])}
		if again := strings.Join(parts, "."); again != text {
			t.Fatalf("%q is another text of %q", text, again)
		}
	})
}

// FuzzDecrypt: only the examples can be decrypted, and all others fail in one of
// three ways.
func FuzzDecrypt(f *testing.F) {
	addSeeds(f)
	known := map[string]string{}
	keys := []Key{}
	for _, e := range examples(f) {
		known[e.Token] = e.Plaintext
		// By its kid, and for tokens without one.
		for _, id := range []string{e.Key["kid"], ""} {
			keys = append(keys, newKey(f, id, "", privateKey(f, e.Key)))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text, 1<<16)
		if err != nil {
			return
		}
		plaintext, err := c.Decrypt(t.Context(), everything(), keys)
		want, isKnown := known[text]
		switch {
		case isKnown && (err != nil || string(plaintext) != want):
			t.Fatalf("an example: %v", err)
		case !isKnown && (err == nil || plaintext != nil):
			t.Fatalf("%q was decrypted", text)
		case !isKnown && err != ErrDecrypt && err != ErrKey:
			t.Fatal(err)
		}
	})
}
