package pseudonym_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/pseudonym"
	"github.com/rely-go/rely/pseudonym/linktest"
)

var anna = pseudonym.Identity{Issuer: "https://op.example", Subject: "anna"}

func key(id string, fill byte) pseudonym.Key {
	return pseudonym.Key{ID: id, Secret: bytes.Repeat([]byte{fill}, 32)}
}

func maker(t testing.TB, keys ...pseudonym.Key) *pseudonym.Maker {
	m, err := pseudonym.NewMaker(keys...)
	require.NoError(t, err)
	return m
}

func TestIdentityText(t *testing.T) {
	for text, id := range map[string]pseudonym.Identity{
		"https://op.example|anna": anna,
		"a%7Cb|c":                 {Issuer: "a|b", Subject: "c"},
		"a|b%7Cc":                 {Issuer: "a", Subject: "b|c"},
		"a%257C|%25":              {Issuer: "a%7C", Subject: "%"},
		"did:x|ü":                 {Issuer: "did:x", Subject: "ü"},
	} {
		got, err := id.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
		parsed, err := pseudonym.ParseIdentity(text)
		require.NoError(t, err)
		assert.Equal(t, id, parsed)

		inJSON, err := json.Marshal(map[pseudonym.Identity]pseudonym.Identity{id: id})
		require.NoError(t, err)
		var back map[pseudonym.Identity]pseudonym.Identity
		require.NoError(t, json.Unmarshal(inJSON, &back))
		assert.Equal(t, id, back[id])

		value, err := id.Value()
		require.NoError(t, err)
		var scanned pseudonym.Identity
		require.NoError(t, scanned.Scan(value))
		assert.Equal(t, id, scanned)
		require.NoError(t, scanned.Scan([]byte(value.(string))))
	}
	for _, bad := range []string{"", "a", "|", "a|", "|b", "a|b|c", "a%|b", "a%7c|b", "a%41|b", "a|\x00", "a|\xff", "a|b\n"} {
		_, err := pseudonym.ParseIdentity(bad)
		assert.ErrorIs(t, err, pseudonym.ErrIdentity, "%q", bad)
	}
	for _, bad := range []pseudonym.Identity{
		{}, {Issuer: "a"}, {Subject: "b"}, {Issuer: "a", Subject: "\xff"}, {Issuer: "a\n", Subject: "b"},
		{Issuer: strings.Repeat("a", 2049), Subject: "b"}, {Issuer: "a", Subject: strings.Repeat("b", 256)},
	} {
		_, err := bad.MarshalText()
		assert.ErrorIs(t, err, pseudonym.ErrIdentity)
		_, err = bad.Value()
		assert.Error(t, err)
	}
	var id pseudonym.Identity
	assert.Error(t, id.Scan(7))
	assert.Error(t, id.Scan(nil))
}

func TestReversible(t *testing.T) {
	m := maker(t, key("k1", 1))
	text, err := m.Reversible(anna, "recipient")
	require.NoError(t, err)
	again, err := m.Reversible(anna, "recipient")
	require.NoError(t, err)
	assert.Equal(t, text, again, "the same each time")
	id, err := m.Reveal(text, "recipient")
	require.NoError(t, err)
	assert.Equal(t, anna, id)

	different := map[string]bool{text: true}
	for name, make := range map[string]func() (string, error){
		"another human": func() (string, error) {
			return m.Reversible(pseudonym.Identity{Issuer: anna.Issuer, Subject: "bert"}, "recipient")
		},
		"another provider": func() (string, error) {
			return m.Reversible(pseudonym.Identity{Issuer: "https://b.example", Subject: "anna"}, "recipient")
		},
		"another recipient": func() (string, error) { return m.Reversible(anna, "recipienu") },
		"another key":       func() (string, error) { return maker(t, key("k1", 2)).Reversible(anna, "recipient") },
		"moved border": func() (string, error) {
			return m.Reversible(pseudonym.Identity{Issuer: "https://op.example|a", Subject: "nna"}, "recipient")
		},
	} {
		other, err := make()
		require.NoError(t, err)
		assert.False(t, different[other], name)
		different[other] = true
		assert.Len(t, other, len(text), "%s: length tells nothing", name)
	}
	_, err = m.Reveal(text, "recipienu")
	assert.ErrorIs(t, err, pseudonym.ErrPseudonym)
	_, err = m.Reversible(anna, "")
	assert.Error(t, err)
	_, err = m.Reversible(pseudonym.Identity{}, "recipient")
	assert.Error(t, err)
}

func TestRevealRefusesEveryChange(t *testing.T) {
	m := maker(t, key("k1", 1))
	text, err := m.Reversible(anna, "r")
	require.NoError(t, err)
	for i := range len(text) {
		_, err := m.Reveal(text[:i], "r")
		assert.ErrorIs(t, err, pseudonym.ErrPseudonym)
		for _, b := range []byte("Aa1-_.= \n") {
			if text[i] != b {
				_, err := m.Reveal(text[:i]+string(b)+text[i+1:], "r")
				assert.ErrorIs(t, err, pseudonym.ErrPseudonym)
			}
			_, err := m.Reveal(text[:i]+string(b)+text[i:], "r")
			assert.ErrorIs(t, err, pseudonym.ErrPseudonym)
		}
	}
	oneWay, err := m.OneWay(anna, "r")
	require.NoError(t, err)
	_, err = m.Reveal(oneWay, "r")
	assert.ErrorIs(t, err, pseudonym.ErrPseudonym)
}

func TestOneWay(t *testing.T) {
	m := maker(t, key("k1", 1))
	text, err := m.OneWay(anna, "recipient")
	require.NoError(t, err)
	assert.True(t, m.Matches(text, anna, "recipient"))
	assert.False(t, m.Matches(text, anna, "other"))
	assert.False(t, m.Matches(text, pseudonym.Identity{Issuer: anna.Issuer, Subject: "bert"}, "recipient"))
	assert.False(t, m.Matches(text+"A", anna, "recipient"))
	assert.False(t, m.Matches("", anna, "recipient"))
	reversible, err := m.Reversible(anna, "recipient")
	require.NoError(t, err)
	assert.False(t, m.Matches(reversible, anna, "recipient"))
}

func TestKeysRotate(t *testing.T) {
	old := maker(t, key("k1", 1))
	both := maker(t, key("k2", 2), key("k1", 1))
	reversible, err := old.Reversible(anna, "r")
	require.NoError(t, err)
	id, err := both.Reveal(reversible, "r")
	require.NoError(t, err)
	assert.Equal(t, anna, id)
	oneWay, err := old.OneWay(anna, "r")
	require.NoError(t, err)
	assert.True(t, both.Matches(oneWay, anna, "r"))
	candidates, err := both.Candidates(anna, "r")
	require.NoError(t, err)
	assert.Len(t, candidates, 2)
	assert.Equal(t, oneWay, candidates[1])
	fresh, err := both.OneWay(anna, "r")
	require.NoError(t, err)
	assert.Equal(t, fresh, candidates[0])
	_, err = maker(t, key("k2", 2)).Reveal(reversible, "r")
	assert.ErrorIs(t, err, pseudonym.ErrPseudonym)
}

func TestNewMakerRefuses(t *testing.T) {
	for name, keys := range map[string][]pseudonym.Key{
		"none": nil, "short": {{ID: "k", Secret: make([]byte, 31)}}, "no id": {key("", 1)}, "odd id": {key("a.b", 1)},
		"long id": {key(strings.Repeat("a", 17), 1)}, "twice": {key("k", 1), key("k", 2)},
	} {
		_, err := pseudonym.NewMaker(keys...)
		assert.Error(t, err, name)
	}
	text, err := json.Marshal(key("k", 's'))
	require.NoError(t, err)
	all := string(text) + fmt.Sprintf("%v %+v %#v %x %d", key("k", 's'), key("k", 's'), key("k", 's'), key("k", 's'), maker(t, key("k", 's')))
	assert.NotContains(t, all, "ssss")
	assert.NotContains(t, all, "7373")
	assert.NotContains(t, all, "115 115")
}

// A maker prints no key, nor one of those that it has derived, whatever it is part of.
func TestMakersPrintNoKey(t *testing.T) {
	given := key("k", 's')
	derived, err := hkdf.Key(sha256.New, given.Secret, nil, "rely pseudonym v1 one-way", sha256.Size)
	require.NoError(t, err)
	m := maker(t, given)
	for name, value := range map[string]any{
		"maker": m, "copy": *m, "struct": struct{ M pseudonym.Maker }{*m}, "hidden": struct{ m pseudonym.Maker }{*m}, "hidden pointer": struct{ m *pseudonym.Maker }{m}, "list": []any{*m},
	} {
		var all bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			fmt.Fprintf(&all, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&all, nil)).Info("", "value", value)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("", "value", value)
		text, err := json.Marshal(value)
		require.NoError(t, err)
		all.Write(text)
		for _, secret := range [][]byte{given.Secret, derived} {
			assert.NotContains(t, all.String(), string(secret[:8]), name)
			for _, format := range []string{"%d", "%x"} {
				assert.NotContains(t, all.String(), strings.Trim(fmt.Sprintf(format, secret[:4]), "[]"), "%s %s", name, format)
			}
			list := fmt.Sprintf("%#v", secret[:4])
			assert.NotContains(t, all.String(), list[strings.IndexByte(list, '{')+1:len(list)-1], name)
		}
	}
}

type vector struct {
	KeyID      string `json:"key_id"`
	Secret     string `json:"secret"` // hexadecimal
	Issuer     string `json:"issuer"`
	Subject    string `json:"subject"`
	Recipient  string `json:"recipient"`
	Reversible string `json:"reversible"`
	OneWay     string `json:"one_way"`
}

func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var vectors []vector
	require.NoError(t, json.Unmarshal(text, &vectors))
	require.NotEmpty(t, vectors)
	for _, v := range vectors {
		secret, err := hex.DecodeString(v.Secret)
		require.NoError(t, err)
		m := maker(t, pseudonym.Key{ID: v.KeyID, Secret: secret})
		id := pseudonym.Identity{Issuer: v.Issuer, Subject: v.Subject}
		reversible, err := m.Reversible(id, v.Recipient)
		require.NoError(t, err)
		oneWay, err := m.OneWay(id, v.Recipient)
		require.NoError(t, err)
		assert.Equal(t, v.Reversible, reversible)
		assert.Equal(t, v.OneWay, oneWay)
	}
}

func TestAccounts(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	bert := pseudonym.Identity{Issuer: "https://b.example", Subject: "bert"}
	carl := pseudonym.Identity{Issuer: "https://c.example", Subject: "carl"}
	accounts := &pseudonym.Accounts{Store: &pseudonym.MemoryStore{}, Clock: func() time.Time { return now }}
	proof := func(id pseudonym.Identity) pseudonym.Proof {
		return pseudonym.Proof{Identity: id, BrowserSession: "b", At: now}
	}
	ctx := t.Context()
	for name, change := range map[string]func(*pseudonym.Proof){
		"another browser": func(p *pseudonym.Proof) { p.BrowserSession = "c" },
		"no browser":      func(p *pseudonym.Proof) { p.BrowserSession = "" },
		"long ago":        func(p *pseudonym.Proof) { p.At = now.Add(-10*time.Minute - 1) },
		"in the future":   func(p *pseudonym.Proof) { p.At = now.Add(1) },
		"the same person": func(p *pseudonym.Proof) { p.Identity = anna },
		"nobody":          func(p *pseudonym.Proof) { p.Identity = pseudonym.Identity{} },
	} {
		other := proof(bert)
		change(&other)
		_, err := accounts.Link(ctx, proof(anna), other)
		assert.ErrorIs(t, err, pseudonym.ErrProof, name)
		_, err = accounts.Link(ctx, other, proof(anna))
		assert.ErrorIs(t, err, pseudonym.ErrProof, name)
	}
	list, err := accounts.List(ctx, anna)
	require.NoError(t, err)
	assert.Equal(t, []pseudonym.Identity{anna}, list)
	assert.ErrorIs(t, accounts.Unlink(ctx, anna, anna), pseudonym.ErrNotLinked)

	account, err := accounts.Link(ctx, proof(anna), proof(bert))
	require.NoError(t, err)
	again, err := accounts.Link(ctx, proof(carl), proof(bert))
	require.NoError(t, err)
	assert.Equal(t, account, again, "an account grows")
	list, err = accounts.List(ctx, carl)
	require.NoError(t, err)
	assert.Equal(t, []pseudonym.Identity{anna, bert, carl}, list)

	dora := pseudonym.Identity{Issuer: "https://d.example", Subject: "dora"}
	emil := pseudonym.Identity{Issuer: "https://d.example", Subject: "emil"}
	_, err = accounts.Link(ctx, proof(dora), proof(emil))
	require.NoError(t, err)
	_, err = accounts.Link(ctx, proof(dora), proof(anna))
	assert.ErrorIs(t, err, pseudonym.ErrLinkedElsewhere, "accounts are never merged")

	assert.ErrorIs(t, accounts.Unlink(ctx, anna, dora), pseudonym.ErrNotLinked)
	require.NoError(t, accounts.Unlink(ctx, anna, bert))
	require.NoError(t, accounts.Unlink(ctx, anna, anna))
	assert.ErrorIs(t, accounts.Unlink(ctx, carl, carl), pseudonym.ErrLastIdentity)
}

func TestMemoryStore(t *testing.T) {
	linktest.TestStore(t, func(*testing.T) pseudonym.LinkStore { return &pseudonym.MemoryStore{} })
}

func FuzzParseIdentity(f *testing.F) {
	f.Add("https://op.example|anna")
	f.Add("a%7Cb|%25")
	f.Add("|")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := pseudonym.ParseIdentity(text)
		if err != nil {
			return
		}
		again, err := id.MarshalText()
		if err != nil || string(again) != text {
			t.Fatalf("%q is also %q", text, again)
		}
	})
}

func FuzzReveal(f *testing.F) {
	m := maker(f, key("k1", 1))
	text, err := m.Reversible(anna, "r")
	require.NoError(f, err)
	f.Add(text)
	f.Add("p1r.k1.")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := m.Reveal(text, "r")
		if err != nil {
			return
		}
		again, err := m.Reversible(id, "r")
		if err != nil || again != text {
			t.Fatal("revealed what was never made")
		}
	})
}

func Example() {
	maker, err := pseudonym.NewMaker(pseudonym.Key{ID: "2026", Secret: []byte("thirty-two random bytes, not this")})
	if err != nil {
		fmt.Println(err)
		return
	}
	anna := pseudonym.Identity{Issuer: "https://op.example", Subject: "anna"}
	text, err := maker.Reversible(anna, "https://partner.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := maker.Reveal(text, "https://partner.example")
	fmt.Println(found == anna, err)
	_, err = maker.Reveal(text, "https://another.example")
	fmt.Println(err)
	// Output:
	// true <nil>
	// pseudonym: not a pseudonym of this maker for this recipient
}
