package idtoken

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/certchain"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// What the systems published, decided. Claims and certificates of published
// tokens are of different years, so each has a clock of its own.

func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/published/" + name)
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

// x5c reads the chain of a token without believing it.
func x5c(t *testing.T, raw string, pemTail bool) []*x509.Certificate {
	t.Helper()
	parsed, refusal := parse(raw)
	require.Nil(t, refusal)
	header, refusal := readHeader(parsed.HeaderPart)
	require.Nil(t, refusal)
	entries, err := chainOf(header)
	require.NoError(t, err)
	leaf, err := certchain.ParseLeaf(entries)
	require.NoError(t, err)
	others, err := certchain.ParseOthers(entries, pemTail)
	require.NoError(t, err)
	return append([]*x509.Certificate{leaf}, others...)
}

func build(t *testing.T, chain, anchors []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	t.Helper()
	a, err := certchain.NewAnchors(anchors)
	require.NoError(t, err)
	return a.Build(chain, now)
}

// judgeHeader makes the checks of an RS256 token's header.
func judgeHeader(t *token) (refusal *Error) {
	if t.header, refusal = readHeader(t.HeaderPart); refusal != nil {
		return refusal
	}
	if refusal := t.header.check([]string{"RS256"}, nil); refusal != nil {
		return refusal
	}
	return t.header.checkType("jwt")
}

const (
	ishareClient   = "did:ishare:EU.NL.NTRNL-10000001"
	ishareProvider = "did:ishare:EU.NL.NTRNL-10000006"
	ishareRoot     = "c75373cd352d9d99b8bdcbddd3570aeccf9fafb4bbd1f8bab211caff8f5230f0"
)

func clock(seconds int64) func() time.Time {
	return func() time.Time { return time.Unix(seconds, 0) }
}

var in2025 = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

func ishareChain(t *testing.T, raw string, now time.Time) *CertificateChain {
	t.Helper()
	chain := x5c(t, raw, false)
	root := chain[len(chain)-1]
	thumbprint := sha256.Sum256(root.Raw)
	require.Equal(t, ishareRoot, hex.EncodeToString(thumbprint[:]))
	source, err := NewCertificateChain(ChainConfig{
		Anchors: []*x509.Certificate{root}, Issuer: ishareProvider, Clock: func() time.Time { return now },
	})
	require.NoError(t, err)
	return source
}

func ishareRules() Rules {
	return Rules{
		StringDates: true, HeaderMembers: []string{"alg", "typ", "x5c"}, SingleAudience: true,
		Lifetime: 30 * time.Second, MaxSkew: 5 * time.Second, Required: []string{"jti", "acr"}, ACR: EIDAS(),
	}
}

func TestPublishedIShareIDToken(t *testing.T) {
	raw := sample(t, "ishare-id-token.jwt")
	config := Config{
		Issuer: ishareProvider, ClientID: ishareClient, Keys: ishareChain(t, raw, in2025),
		Rules: ishareRules(), Clock: clock(1588926710),
	}
	expect := Expect{Nonce: "c428224ca5a", MinACR: "urn:http://eidas.europa.eu/LoA/NotNotified/low"}
	verify := func(change func(*Config, *Expect)) (*IDToken, error) {
		config, expect := config, expect
		change(&config, &expect)
		v, err := NewVerifier(config)
		require.NoError(t, err)
		return v.Verify(t.Context(), raw, expect)
	}
	token, err := verify(func(*Config, *Expect) {})
	require.NoError(t, err)
	assert.Equal(t, "419404e1-07ce-4d80-9e8a-eca94vde0003de", token.Subject())
	authTime, _ := token.AuthTime()
	assert.EqualValues(t, 1588926702, authTime.Unix())
	assert.EqualValues(t, 1588926702, token.IssuedAt().Unix())
	assert.EqualValues(t, 1588926732, token.Expiry().Unix())

	for name, tt := range map[string]struct {
		change  func(*Config, *Expect)
		refused Check
	}{
		"strict dates":        {func(c *Config, _ *Expect) { c.Rules.StringDates = false }, CheckExpiry},
		"31 seconds later":    {func(c *Config, _ *Expect) { c.Clock = clock(1588926732 + 5) }, CheckExpiry},
		"before it was made":  {func(c *Config, _ *Expect) { c.Clock = clock(1588926702 - 6) }, CheckIssuedAt},
		"another nonce":       {func(_ *Config, e *Expect) { e.Nonce = "c428224ca5b" }, CheckNonce},
		"another client":      {func(c *Config, _ *Expect) { c.ClientID = "did:ishare:EU.NL.NTRNL-10000002" }, CheckAudience},
		"another provider":    {func(c *Config, _ *Expect) { c.Issuer = ishareClient }, CheckIssuer},
		"substantial demand":  {func(_ *Config, e *Expect) { e.MinACR = "urn:http://eidas.europa.eu/LoA/NotNotified/substantial" }, CheckACR},
		"chain in 2020":       {func(c *Config, _ *Expect) { c.Keys = ishareChain(t, raw, time.Unix(1588926710, 0)) }, CheckKey},
		"chain in 2028":       {func(c *Config, _ *Expect) { c.Keys = ishareChain(t, raw, in2025.AddDate(3, 0, 0)) }, CheckKey},
		"chain before notice": {func(c *Config, _ *Expect) { c.Keys = ishareChain(t, raw, time.Date(2024, 11, 6, 0, 0, 0, 0, time.UTC)) }, CheckKey},
	} {
		_, err := verify(tt.change)
		var refusal *Error
		require.True(t, errors.As(err, &refusal), name)
		assert.Equal(t, tt.refused.String(), refusal.Check.String(), "%s: %v", name, err)
	}
}

func TestPublishedIShareSignatures(t *testing.T) {
	for _, name := range []string{"ishare-id-token.jwt", "ishare-client-assertion.jwt"} {
		raw := sample(t, name)
		token, refusal := parse(raw)
		require.Nil(t, refusal)
		leaf := x5c(t, raw, false)[0]
		assert.NoError(t, jose.Verify("RS256", leaf.PublicKey, token.SigningInput, token.Signature), name)

		changed := []byte(raw)
		at := strings.Index(raw, ".") + 20
		changed[at] ^= 1
		token, refusal = parse(string(changed))
		require.Nil(t, refusal)
		assert.Error(t, jose.Verify("RS256", leaf.PublicKey, token.SigningInput, token.Signature), "%s with a byte changed", name)
	}
}

func TestPublishedIShareChain(t *testing.T) {
	raw := sample(t, "ishare-client-assertion.jwt")
	chain := x5c(t, raw, false)
	leaf, root := chain[0], chain[len(chain)-1]
	assert.True(t, certchain.Bound(leaf, ishareClient))
	assert.False(t, certchain.Bound(leaf, ishareProvider))

	anchors := []*x509.Certificate{root}
	path, err := build(t, chain, anchors, in2025)
	require.NoError(t, err)
	assert.Len(t, path, 4)
	_, err = build(t, chain, anchors, in2025.AddDate(-5, 0, 0))
	assert.Error(t, err, "2020")
	_, err = build(t, chain, anchors, in2025.AddDate(3, 0, 0))
	assert.Error(t, err, "2028")
	other := newPKI(t).root.cert
	_, err = build(t, chain, []*x509.Certificate{other}, in2025)
	assert.Error(t, err, "root replaced")
	_, err = build(t, append(chain[:3:3], other), []*x509.Certificate{other}, in2025)
	assert.Error(t, err, "root replaced, and sent along")

	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	between.AddCert(chain[1])
	between.AddCert(chain[2])
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: in2025})
	assert.Error(t, err, "the usual extended key usage is not in these certificates, so it can't be demanded")
}

func TestPublishedIShareDocumentation(t *testing.T) {
	var samples []struct{ Source, JWT string }
	require.NoError(t, json.Unmarshal([]byte(sample(t, "ishare-documentation.json")), &samples))
	require.Len(t, samples, 14)
	for _, s := range samples {
		token, refusal := parse(s.JWT)
		require.Nil(t, refusal, s.Source)
		if s.Source == "identity-provider/authorize.rst" {
			// Published without alg, and with a signature that does not hold.
			assert.Equal(t, CheckHeader, judgeHeader(token).Check)
			continue
		}
		assert.Nil(t, judgeHeader(token), s.Source)
		leaf := x5c(t, s.JWT, true)[0]
		assert.NoError(t, jose.Verify("RS256", leaf.PublicKey, token.SigningInput, token.Signature), s.Source)
	}
}

func TestPublishedBankIDToken(t *testing.T) {
	raw := sample(t, "bankid-id-token.jwt")
	token, refusal := parse(raw)
	require.Nil(t, refusal)
	require.Nil(t, judgeHeader(token))
	require.Nil(t, token.readClaims())
	v, err := NewVerifier(Config{Issuer: "https://preprod.bankidapis.no", ClientID: "Postman", Keys: refusing{}, Clock: clock(1495710600)})
	require.NoError(t, err)
	token.now = v.now()
	ask := func(expect Expect) Check {
		token.expect = expect
		for _, step := range sequence {
			if _, reason := step.ask(v, token); reason != "" {
				return step.check
			}
		}
		return 0
	}
	const accessToken = "4497db915b5b479191c81a7854a2fa8"
	assert.Equal(t, Check(0), ask(Expect{AccessToken: accessToken}), "nonce null and none sent; at_hash fits")
	assert.Equal(t, CheckNonce, ask(Expect{AccessToken: accessToken, Nonce: "sent"}))
	assert.Equal(t, CheckAccessTokenHash, ask(Expect{AccessToken: accessToken + "0"}))
	_, err = v.Verify(t.Context(), raw, Expect{})
	assert.ErrorContains(t, err, "signature", "its key is not published")
}

func TestPublishedBlockIDTokens(t *testing.T) {
	keys, err := PinnedPublicKeys(x5c(t, sample(t, "ishare-id-token.jwt"), false)[0].PublicKey)
	require.NoError(t, err)
	v, err := NewVerifier(Config{
		Issuer: "https://blockid-dev.1kosmos.net/oauth2/community/devx", ClientID: "2ee529699faa2aaf3b24b6154bc05468",
		Keys: keys, Clock: clock(1672913800),
	})
	require.NoError(t, err)
	for _, name := range []string{"blockid-first.jwt", "blockid-second.jwt"} {
		raw := sample(t, name)
		_, err := v.Verify(t.Context(), raw, Expect{})
		var refusal *Error
		require.True(t, errors.As(err, &refusal), name)
		assert.Equal(t, CheckShape, refusal.Check, "its signature is redacted to something that no signature is")

		_, payload, _ := strings.Cut(raw, ".")
		payload, _, _ = strings.Cut(payload, ".")
		text, err := base64.RawURLEncoding.DecodeString(payload)
		require.NoError(t, err, name)
		claims, err := strictjson.ParseObject(text, maxClaimsDepth)
		require.NoError(t, err, name)
		token := &token{header: &header{alg: "RS256"}, claims: claims}
		made, reason := token.hashOf("at_hash", "hpJufMH9txiObwaoXVZ6ftcmoKVE34_ZJrGjWhXXXXX", false)
		assert.True(t, made)
		assert.NotEmpty(t, reason, "the printed access token is redacted, so at_hash can't be its hash")
	}
}

func TestPublishedFacesIdentity(t *testing.T) {
	raw := sample(t, "faces-identity.jwt")
	v := testVerifier(t, func(c *Config) { c.Algorithms, c.Keys = []string{"RS256"}, confirming{} })
	_, err := v.Verify(t.Context(), raw, Expect{})
	assert.ErrorContains(t, err, "iss", "it is no ID token")

	_, err = NewLegacyVerifier(LegacyConfig{Issuer: "https://faces.example"})
	assert.Error(t, err, "without a key it has to be asked for twice")
	_, err = NewLegacyVerifier(LegacyConfig{Issuer: "https://faces.example", UnverifiedReason: "no key is published"})
	assert.Error(t, err)
	legacy, err := NewLegacyVerifier(LegacyConfig{
		Issuer: "https://faces.example", UnverifiedReason: "no key is published", InsecureAcceptUnverified: true,
	})
	require.NoError(t, err)
	identity, err := legacy.Verify(t.Context(), raw)
	require.NoError(t, err)
	assert.Equal(t, "3d9205ca-f264-4ad8-b1ac-e645557eaa99", identity.Subject())
	assert.Equal(t, "https://faces.example", identity.Issuer())
	assert.False(t, identity.SignatureVerified())

	pinned, err := PinnedPublicKeys(crypto.PublicKey(x5c(t, sample(t, "ishare-id-token.jwt"), false)[0].PublicKey))
	require.NoError(t, err)
	legacy, err = NewLegacyVerifier(LegacyConfig{Issuer: "https://faces.example", Keys: pinned})
	require.NoError(t, err)
	_, err = legacy.Verify(t.Context(), raw)
	assert.ErrorContains(t, err, "signature", "another key")
}
