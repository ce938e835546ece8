package oidctest

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published is the client assertion printed at
// https://dev.ishare.eu/identity-provider/access-token. Its times are of 2020,
// its certificates of 2024.
func published(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/ishare-client-assertion.jwt")
	require.NoError(t, err)
	return strings.TrimSpace(string(raw))
}

func TestPublishedClientAssertion(t *testing.T) {
	parsed, err := parseJWT(published(t))
	require.NoError(t, err)
	chain, ok := ishareChain(parsed.header)
	require.True(t, ok)
	require.Len(t, chain, 4)
	scheme := &pki{root: chain[3]}
	key, party, err := scheme.party(chain, time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	assert.Equal(t, "did:ishare:EU.NL.NTRNL-10000001", party)
	assert.True(t, parsed.verify(key))
	p := &Provider{clock: func() time.Time { return time.Unix(1588597560, 0) }, state: newState()}
	assert.Nil(t, p.ishareTimes(parsed.claims))
	assert.NotNil(t, p.ishareTimes(parsed.claims), "the jti was seen")

	_, _, err = scheme.party(chain, time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC))
	require.ErrorContains(t, err, "no trusted root", "expired")
	own, err := newPKI(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	_, _, err = own.party(chain, own.now)
	require.ErrorContains(t, err, "does not end", "another root")
	_, _, err = scheme.party(append(chain[:1:1], chain[3]), time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	require.ErrorContains(t, err, "no trusted root", "authorities are missing")
	_, _, err = scheme.party(chain[1:], time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	require.ErrorContains(t, err, "not for signing", "an authority is no party")
}

// A certificate of the scheme is good for its own party only.
func TestOtherPartyIsRefused(t *testing.T) {
	p, err := New(Config{System: IShare})
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	key, err := generateKey("RS256")
	require.NoError(t, err)
	try := func(organization, issuer string) *refusal {
		chain, err := p.pki.issue("Other", organization, key)
		require.NoError(t, err)
		now := time.Now().Unix()
		compact, err := signJWT(key,
			map[string]any{"alg": "RS256", "typ": "JWT", "x5c": signingKey{chain: chain}.x5c(false)},
			map[string]any{"iss": issuer, "sub": p.client.id, "aud": p.Issuer(), "jti": uuid(), "iat": now, "exp": now + 30}, nil, nil)
		require.NoError(t, err)
		return p.ishareAssertion(compact)
	}
	assert.Nil(t, try(clientOrganization, p.client.id))
	assert.NotNil(t, try("NTRNL-90000008", p.client.id), "names the client, is somebody else")
	assert.NotNil(t, try("NTRNL-90000008", partyPrefix+"NTRNL-90000008"), "is not the client")
}

func TestPublishedAccessTokenHash(t *testing.T) {
	// The pilot of BankID printed this token with its at_hash.
	assert.Equal(t, "Pk9ADa9YMMHTMdq7pLjVHA", leftHalf("RS256", "4497db915b5b479191c81a7854a2fa8"))
}

func TestTableIsBounded(t *testing.T) {
	now := time.Unix(1_750_000_000, 0)
	table := newTable[int]()
	for i := range maxEntries {
		lifetime := time.Hour
		if i%2 == 0 {
			lifetime = time.Second
		}
		table.put(now, strconv.Itoa(i), i, lifetime)
	}
	now = now.Add(time.Minute)
	table.put(now, "more", 0, time.Hour)
	assert.Len(t, table.entries, maxEntries/2+1, "expired entries go first")
	_, ok := table.get(now, "1")
	assert.True(t, ok)
	for i := range maxEntries {
		table.put(now, "x"+strconv.Itoa(i), i, time.Hour)
	}
	assert.Len(t, table.entries, maxEntries)
	assert.Len(t, table.order, maxEntries)
	_, ok = table.get(now, "1")
	assert.False(t, ok, "then the oldest")
	_, ok = table.take(now, "x5")
	assert.True(t, ok)
	_, ok = table.take(now, "x5")
	assert.False(t, ok)
	_, ok = table.get(now.Add(time.Hour), "x6")
	assert.False(t, ok, "an entry ends on time")
}

func TestSignAndVerify(t *testing.T) {
	keys, err := generateKeys("RS256", "ES256", "EdDSA")
	require.NoError(t, err)
	for i, algs := range [][]string{{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, {"ES256"}, {"EdDSA"}} {
		for _, alg := range algs {
			sig, err := sign(alg, keys[i], []byte("input"))
			require.NoError(t, err)
			assert.True(t, verify(alg, keys[i].Public(), []byte("input"), sig), alg)
			assert.False(t, verify(alg, keys[i].Public(), []byte("other"), sig), alg)
			assert.False(t, verify(alg, keys[(i+1)%3].Public(), []byte("input"), sig), alg)
			assert.False(t, verify("HS256", keys[i].Public(), []byte("input"), sig), alg)
			assert.False(t, verify("none", keys[i].Public(), []byte("input"), nil), alg)
		}
	}
	weak := &rsa.PublicKey{N: new(big.Int).Rsh(keys[0].Public().(*rsa.PublicKey).N, 1024), E: 65537}
	assert.False(t, fits(jwsAlg{"RS", 0}, weak), "1024 bits")
	_, err = sign("ES512", keys[1], nil)
	assert.Error(t, err)
}

func TestParseJWTRefuses(t *testing.T) {
	part := func(s string) string { return b64.EncodeToString([]byte(s)) }
	good := part(`{"alg":"RS256"}`) + "." + part(`{"n":1}`) + "."
	_, err := parseJWT(good + part("sig"))
	require.NoError(t, err)
	for name, compact := range map[string]string{
		"two parts":    "a.b",
		"padding":      good + "YQ==",
		"stray bits":   good + "YR",
		"not JSON":     part("x") + "." + part("{}") + ".",
		"array":        part("[]") + "." + part("{}") + ".",
		"twice":        part(`{"alg":"a","alg":"b"}`) + "." + part("{}") + ".",
		"claims twice": part("{}") + "." + part(`{"a":1,"a":2}`) + ".",
		"trailing":     part("{}x") + "." + part("{}") + ".",
		"cut":          part(`{"a":`) + "." + part("{}") + ".",
		"long":         strings.Repeat("a", maxJWT+1),
	} {
		_, err := parseJWT(compact)
		assert.Error(t, err, name)
	}
}

func TestSystems(t *testing.T) {
	var names []string
	for _, s := range Systems() {
		names = append(names, s.String())
	}
	assert.Equal(t, []string{"oidc", "ishare", "bankid", "blockid", "faces"}, names)
	assert.Equal(t, "System(77)", System(77).String())
	for _, s := range Systems() {
		d, err := describe(s)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, len(d.persons()), 2)
		seen := map[string]bool{}
		for _, e := range d.endpoints {
			assert.False(t, seen[e.path], e.path)
			seen[e.path] = true
		}
	}
}

// FuzzParse feeds what a client could send; nothing may panic, and what parses
// has the signature that was sent.
func FuzzParse(f *testing.F) {
	f.Add(published(f))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.AAAA.AAAA.AAAA")
	f.Add("eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0....")
	key, err := generateKey("RS256")
	if err != nil {
		f.Fatal(err)
	}
	agreements, err := agreementKeys()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, compact string) {
		if jwe, err := parseJWE(compact); err == nil {
			if _, err := jwe.decrypt(signingKey{private: key}); err == nil {
				t.Fatal("decrypted what was not encrypted to the key")
			}
			for _, key := range agreements {
				_, _ = jwe.decrypt(key)
			}
			_, _ = jwe.openGCM(make([]byte, 32))
			_, _ = jwe.openCBC(crypto.SHA256, make([]byte, 16), make([]byte, 16))
		}
		parsed, err := parseJWT(compact)
		if err != nil {
			return
		}
		if !strings.HasSuffix(compact, "."+b64.EncodeToString(parsed.sig)) {
			t.Fatal("signature changed")
		}
		ishareChain(parsed.header)
		if parsed.verify(key.Public()) {
			t.Fatal("verified what the key did not sign")
		}
	})
}
