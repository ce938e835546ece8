package oidcclient_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func newSigner(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

// A change of keys, played against a provider that goes by what it has fetched for ten
// minutes: nothing is refused in between, on machines that are behind either. Without
// the overlap it is.
func TestRotation(t *testing.T) {
	var served atomic.Value // the JWK Set of the machine that the provider asks
	place := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(served.Load().([]byte))
	}))
	t.Cleanup(place.Close)
	var passed atomic.Int64
	clock := func() time.Time { return time.Unix(1_700_000_000+passed.Load(), 0) }
	op, err := oidctest.New(oidctest.Config{AuthMethod: "private_key_jwt", ClientJWKSURI: place.URL, RedirectURIs: []string{redirectURI}, Clock: clock})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	last, next := newSigner(t), newSigner(t)
	deploy := func(signs string, published ...string) *rig {
		keys := map[string]*ecdsa.PrivateKey{"last": last, "next": next}
		config, err := relying.Config(op)
		require.NoError(t, err)
		config.Clock, config.Carriage = clock, oidcclient.CarryObject
		config.Key = &assertion.Key{Signer: keys[signs], ID: signs}
		for _, id := range published {
			config.PublishedKeys = append(config.PublishedKeys, oidcclient.PublishedKey{ID: id, Public: keys[id].Public()})
		}
		client, err := oidcclient.New(config)
		require.NoError(t, err)
		set, err := client.PublicJWKS()
		require.NoError(t, err)
		served.Store(set)
		return &rig{op, client}
	}
	works := func(r *rig, step string) {
		_, err := r.login(t.Context())
		assert.NoError(t, err, step)
	}
	wait := func() { passed.Add(int64(10 * time.Minute / time.Second)) }
	before := deploy("last")
	works(before, "before")
	announced := deploy("last", "next")
	works(announced, "the next key is published, and not yet fetched")
	_, err = deploy("next").login(t.Context())
	require.Error(t, err, "a key that the provider has never fetched")
	deploy("last", "next")
	wait()
	works(announced, "both are fetched")
	changed := deploy("next", "last")
	works(changed, "the next key signs")
	works(announced, "a machine that is behind")
	wait()
	works(announced, "a machine that is behind, after another fetch")
	works(changed, "the last key is published")
	after := deploy("next")
	works(after, "after")
	wait()
	works(after, "the last key is forgotten")
	_, err = announced.login(t.Context())
	assert.Error(t, err, "a key that was withdrawn")
}

// Sets that a provider could not use, or that would tell a secret, are refused.
// A set of keys to publish has public keys for signatures, and nothing else.
func TestParsePublishedKeys(t *testing.T) {
	const key = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k"`
	for text, good := range map[string]bool{
		`{"keys":[{` + key + `}]}`:                                                   true,
		`{"keys":[{` + key + `,"use":"sig"}]}`:                                       true,
		`{"keys":[{` + key + `,"use":"enc"}]}`:                                       false,
		`{"keys":[{` + key + `,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`: false,
		`{"keys":[]}`: false,
		`{`:           false,
	} {
		keys, err := oidcclient.ParsePublishedKeys([]byte(text))
		assert.Equal(t, good, err == nil, "%s: %v", text, err)
		assert.Equal(t, good, len(keys) == 1)
	}
}

func TestPublishedSets(t *testing.T) {
	signs, next, decrypts := newSigner(t), newSigner(t), newSigner(t)
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	numbered := func(n int) []oidcclient.PublishedKey {
		keys := make([]oidcclient.PublishedKey, n)
		for i := range keys {
			keys[i] = oidcclient.PublishedKey{ID: fmt.Sprint(i), Public: next.Public()}
		}
		return keys
	}
	for name, tt := range map[string]struct {
		change func(*oidcclient.Config)
		field  string
	}{
		"nothing beside":                       {func(c *oidcclient.Config) { c.PublishedKeys = nil }, ""},
		"as many as allowed":                   {func(c *oidcclient.Config) { c.PublishedKeys = numbered(20) }, ""},
		"the next":                             {func(*oidcclient.Config) {}, ""},
		"no ID":                                {func(c *oidcclient.Config) { c.PublishedKeys[0].ID = "" }, "PublishedKeys"},
		"ID of the key":                        {func(c *oidcclient.Config) { c.PublishedKeys[0].ID = "s" }, "PublishedKeys"},
		"ID of a decryption key":               {func(c *oidcclient.Config) { c.PublishedKeys[0].ID = "e" }, "PublishedKeys"},
		"twice":                                {func(c *oidcclient.Config) { c.PublishedKeys = append(c.PublishedKeys, c.PublishedKeys[0]) }, "PublishedKeys"},
		"private":                              {func(c *oidcclient.Config) { c.PublishedKeys[0].Public = next }, "PublishedKeys"},
		"weak":                                 {func(c *oidcclient.Config) { c.PublishedKeys[0].Public = weak }, "PublishedKeys"},
		"nothing":                              {func(c *oidcclient.Config) { c.PublishedKeys[0].Public = nil }, "PublishedKeys"},
		"a nil point":                          {func(c *oidcclient.Config) { c.PublishedKeys[0].Public = (*ecdsa.PublicKey)(nil) }, "PublishedKeys"},
		"misfit":                               {func(c *oidcclient.Config) { c.PublishedKeys[0].Algorithm = "ES384" }, "PublishedKeys"},
		"too many":                             {func(c *oidcclient.Config) { c.PublishedKeys = numbered(21) }, "PublishedKeys"},
		"no ID of the key":                     {func(c *oidcclient.Config) { c.Key.ID = "" }, "Key"},
		"decryption key has the ID of the key": {func(c *oidcclient.Config) { c.DecryptionKeys[0].ID = "s" }, "DecryptionKeys"},
		"all that decrypt are unpublished": {func(c *oidcclient.Config) {
			c.DecryptionKeys[0].Unpublished, c.IDTokenEncrypted = true, &oidcclient.Encrypted{Algorithm: "ECDH-ES"}
		}, "IDTokenEncrypted"},
	} {
		config := oidcclient.Config{
			Profile: profiles.OpenID(), Issuer: "https://op.example", ClientID: "client", RedirectURI: redirectURI, AuthMethod: "private_key_jwt",
			Key: &assertion.Key{Signer: signs, ID: "s"}, DecryptionKeys: []oidcclient.DecryptionKey{{ID: "e", Private: decrypts}},
			PublishedKeys: []oidcclient.PublishedKey{{ID: "n", Public: next.Public()}},
		}
		tt.change(&config)
		_, err := oidcclient.New(config)
		if tt.field == "" {
			assert.NoError(t, err, name)
			continue
		}
		var wrong *oidcclient.ConfigError
		require.ErrorAs(t, err, &wrong, name)
		assert.Equal(t, tt.field, wrong.Field, name)
		assert.Equal(t, name == "private", strings.Contains(wrong.Reason, "private key"), name)
	}
}

// The first step of a change of keys: the next one is published, the present one signs.
func ExamplePublishedKey() {
	var present, next crypto.Signer // from where your keys are kept
	present, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	next, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	client, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: "https://op.example", ClientID: "my-app",
		RedirectURI: "https://app.example/callback", AuthMethod: "private_key_jwt",
		Key:           &assertion.Key{Signer: present, ID: "2026-11"},
		PublishedKeys: []oidcclient.PublishedKey{{ID: "2026-12", Public: next.Public()}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := client.PublicJWKS() // weblogin serves it at /jwks/{id}
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := oidcclient.ParsePublishedKeys(set)
	for _, key := range keys {
		fmt.Println(key.ID, key.Algorithm)
	}
	fmt.Println(err)
	// Output:
	// 2026-11 ES256
	// 2026-12 ES256
	// <nil>
}
