package idtoken

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

// A case is a token that is refused at one check and nowhere earlier, or, without
// a check, one that is believed.
type verifyCase struct {
	name    string
	header  members
	claims  members
	raw     func(good string) string // changes the signed token
	config  func(*Config)
	expect  func(*Expect)
	refused Check
}

func leftHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return jose.Encode(sum[:16])
}

func verifyCases() []verifyCase {
	now := testNow.Unix()
	minute, zero := time.Minute, time.Duration(0)
	claims := func(pairs ...any) members { return with(goodClaims(), pairs...) }
	header := func(pairs ...any) members { return with(goodHeader(), pairs...) }
	rules := func(r Rules) func(*Config) { return func(c *Config) { c.Rules = r } }
	maxAge := func(d *time.Duration) func(*Expect) { return func(e *Expect) { e.MaxAge = d } }
	minACR := func(acr string) func(*Expect) { return func(e *Expect) { e.MinACR = acr } }
	return []verifyCase{
		{name: "good"},
		{name: "typ JWT", header: header("typ", "JWT")},
		{name: "typ jwt", header: header("typ", "jwt")},
		{name: "typ with media type", header: header("typ", "application/jwt")},
		{name: "no kid and one key", header: header("kid", nil)},
		{name: "unknown header", header: header("x", members{"y": 1}, "jku", "https://evil.example", "x5u", "https://evil.example", "x5c", []string{"!"})},
		{name: "aud as array", claims: claims("aud", []string{testClient})},
		{name: "trusted second audience", claims: claims("aud", []string{testClient, "api"}), config: func(c *Config) { c.TrustedAudiences = []string{"api"} }},
		{name: "azp is us", claims: claims("azp", testClient)},
		{name: "azp null is absent", claims: claims("azp", json.RawMessage("null"))},
		{name: "exp a second ago, within the skew", claims: claims("exp", now-29)},
		{name: "iat ahead, within the skew", claims: claims("iat", now+30)},
		{name: "iat as old as it may be", claims: claims("iat", now-90), expect: func(e *Expect) { e.MaxTokenAge = time.Minute }},
		{name: "iat of any age", claims: claims("iat", now-1_000_000)},
		{name: "fractions", claims: claims("exp", json.RawMessage("1790000300.999999999999"), "iat", json.RawMessage("1790000000.5"))},
		{name: "exponent", claims: claims("exp", json.RawMessage("1.7900003e9"))},
		{name: "string dates where tolerated", claims: claims("exp", "1790000300", "iat", "1790000000", "auth_time", "1790000000"), config: rules(Rules{StringDates: true}), expect: maxAge(&minute)},
		{name: "nonce null and none sent", claims: claims("nonce", json.RawMessage("null")), expect: func(e *Expect) { e.Nonce = "" }},
		{name: "hashes", claims: claims("at_hash", leftHash("a"), "c_hash", leftHash("c"), "s_hash", leftHash("s")), expect: func(e *Expect) {
			e.AccessToken, e.Code, e.State, e.RequireHashes, e.RequireStateHash = "a", "c", "s", true, true
		}},
		{name: "auth_time just within max_age", claims: claims("auth_time", now-90), expect: maxAge(&minute)},
		{name: "acr equal", claims: claims("acr", "a"), expect: minACR("a")},
		{name: "longest sub", claims: claims("sub", strings.Repeat("s", 255))},
		{name: "exact lifetime", config: rules(Rules{Lifetime: 300 * time.Second, MaxLifetime: 300 * time.Second, Required: []string{"nonce"}})},
		{name: "fixed header", header: header("typ", "JWT"), config: rules(Rules{HeaderMembers: []string{"alg", "kid", "typ"}})},

		{name: "too long", raw: func(s string) string { return s + strings.Repeat("A", maxToken) }, refused: CheckSize},

		{name: "empty", raw: func(string) string { return "" }, refused: CheckShape},
		{name: "two parts", raw: func(s string) string { return s[:strings.LastIndex(s, ".")] }, refused: CheckShape},
		{name: "no signature", raw: func(s string) string { return s[:strings.LastIndex(s, ".")+1] }, refused: CheckShape},
		{name: "four parts", raw: func(s string) string { return s + ".AA" }, refused: CheckShape},
		{name: "many dots", raw: func(string) string { return strings.Repeat(".", maxToken) }, refused: CheckShape},
		{name: "padding", raw: func(s string) string { return s + "=" }, refused: CheckShape},
		{name: "line break", raw: func(s string) string { return s + "\n" }, refused: CheckShape},
		{name: "JSON serialisation", raw: func(string) string { return `{"payload":"","signatures":[]}` }, refused: CheckShape},
		{name: "header not JSON", raw: func(s string) string { return jose.Encode([]byte("{")) + s[strings.Index(s, "."):] }, refused: CheckShape},
		{name: "header twice alg", raw: func(s string) string {
			return jose.Encode([]byte(`{"alg":"ES256","alg":"ES256"}`)) + s[strings.Index(s, "."):]
		}, refused: CheckShape},
		{name: "claims differ by case", claims: claims("SUB", "mallory"), refused: CheckShape},
		{name: "claims differ by folding", claims: claims("ſub", "mallory"), refused: CheckShape},
		{name: "deep claims", claims: claims("x", json.RawMessage(strings.Repeat("[", 40)+strings.Repeat("]", 40))), refused: CheckShape},

		{name: "alg none", header: header("alg", "none"), refused: CheckHeader},
		{name: "alg missing", header: header("alg", nil), refused: CheckHeader},
		{name: "alg not agreed", header: header("alg", "ES384"), refused: CheckHeader},
		{name: "alg HS256", header: header("alg", "HS256"), refused: CheckHeader},
		{name: "alg lower case", header: header("alg", "es256"), refused: CheckHeader},
		{name: "crit", header: header("crit", []string{"exp"}), refused: CheckHeader},
		{name: "crit null", header: header("crit", json.RawMessage("null")), refused: CheckHeader},
		{name: "b64", header: header("b64", false), refused: CheckHeader},
		{name: "kid a number", header: header("kid", 1), refused: CheckHeader},
		{name: "access token", header: header("typ", "at+jwt"), refused: CheckHeader},
		{name: "logout token", header: header("typ", "logout+jwt"), refused: CheckHeader},
		{name: "DPoP proof", header: header("typ", "dpop+jwt"), refused: CheckHeader},
		{name: "header not fixed", config: rules(Rules{HeaderMembers: []string{"alg"}}), refused: CheckHeader},
		{name: "header lacks", config: rules(Rules{HeaderMembers: []string{"alg", "kid", "typ"}}), refused: CheckHeader},

		{name: "unknown kid", header: header("kid", "two"), refused: CheckKey},

		{name: "signature of another token", raw: func(s string) string { return s[:strings.LastIndex(s, ".")+1] + jose.Encode(make([]byte, 64)) }, refused: CheckSignature},
		{name: "signature cut", raw: func(s string) string { return s[:strings.LastIndex(s, ".")+1] + jose.Encode(make([]byte, 63)) }, refused: CheckSignature},

		{name: "iss missing", claims: claims("iss", nil), refused: CheckIssuer},
		{name: "iss with slash", claims: claims("iss", testIssuer+"/"), refused: CheckIssuer},
		{name: "iss prefix", claims: claims("iss", testIssuer[:len(testIssuer)-1]), refused: CheckIssuer},
		{name: "iss other case", claims: claims("iss", strings.ToUpper(testIssuer)), refused: CheckIssuer},
		{name: "iss array", claims: claims("iss", []string{testIssuer}), refused: CheckIssuer},

		{name: "aud missing", claims: claims("aud", nil), refused: CheckAudience},
		{name: "aud another", claims: claims("aud", testClient+"1"), refused: CheckAudience},
		{name: "aud empty array", claims: claims("aud", []string{}), refused: CheckAudience},
		{name: "aud number", claims: claims("aud", 1), refused: CheckAudience},
		{name: "aud nested", claims: claims("aud", []any{[]string{testClient}}), refused: CheckAudience},
		{name: "aud with another", claims: claims("aud", []string{testClient, "other"}, "azp", testClient), refused: CheckAudience},
		{name: "aud array where one is due", claims: claims("aud", []string{testClient}), config: rules(Rules{SingleAudience: true}), refused: CheckAudience},

		{name: "azp another", claims: claims("azp", "other"), refused: CheckAuthorizedParty},
		{name: "azp number", claims: claims("azp", 1), refused: CheckAuthorizedParty},

		{name: "exp missing", claims: claims("exp", nil), refused: CheckExpiry},
		{name: "exp passed", claims: claims("exp", now-30), refused: CheckExpiry},
		{name: "exp string", claims: claims("exp", "1790000300"), refused: CheckExpiry},
		{name: "exp negative", claims: claims("exp", -1), refused: CheckExpiry},
		{name: "exp huge", claims: claims("exp", json.RawMessage("1e400")), refused: CheckExpiry},
		{name: "exp beyond time", claims: claims("exp", json.RawMessage("99999999999999999999")), refused: CheckExpiry},
		{name: "exp string with sign", claims: claims("exp", "+1790000300", "iat", "1790000000"), config: rules(Rules{StringDates: true}), refused: CheckExpiry},
		{name: "exp string empty", claims: claims("exp", ""), config: rules(Rules{StringDates: true}), refused: CheckExpiry},
		{name: "exp string with exponent", claims: claims("exp", "1e12"), config: rules(Rules{StringDates: true}), refused: CheckExpiry},
		{name: "exp string with space", claims: claims("exp", " 1790000300"), config: rules(Rules{StringDates: true}), refused: CheckExpiry},
		{name: "exp less skew", claims: claims("exp", now-5), config: rules(Rules{MaxSkew: 5 * time.Second}), refused: CheckExpiry},

		{name: "nbf ahead", claims: claims("nbf", now+31), refused: CheckNotBefore},
		{name: "nbf string", claims: claims("nbf", "soon"), refused: CheckNotBefore},

		{name: "iat missing", claims: claims("iat", nil), refused: CheckIssuedAt},
		{name: "iat ahead", claims: claims("iat", now+31), refused: CheckIssuedAt},
		{name: "iat too old", claims: claims("iat", now-91), expect: func(e *Expect) { e.MaxTokenAge = time.Minute }, refused: CheckIssuedAt},
		{name: "iat NaN", claims: claims("iat", "NaN"), refused: CheckIssuedAt},

		{name: "sub missing", claims: claims("sub", nil), refused: CheckSubject},
		{name: "sub empty", claims: claims("sub", ""), refused: CheckSubject},
		{name: "sub number", claims: claims("sub", 7), refused: CheckSubject},
		{name: "sub too long", claims: claims("sub", strings.Repeat("s", 256)), refused: CheckSubject},

		{name: "nonce missing", claims: claims("nonce", nil), refused: CheckNonce},
		{name: "nonce null", claims: claims("nonce", json.RawMessage("null")), refused: CheckNonce},
		{name: "nonce another", claims: claims("nonce", "x"), refused: CheckNonce},
		{name: "nonce though none sent", expect: func(e *Expect) { e.Nonce = "" }, refused: CheckNonce},
		{name: "nonce empty though none sent", claims: claims("nonce", ""), expect: func(e *Expect) { e.Nonce = "" }, refused: CheckNonce},
		{name: "nonce array", claims: claims("nonce", []string{"the-nonce"}), refused: CheckNonce},

		{name: "at_hash wrong", claims: claims("at_hash", leftHash("b")), expect: func(e *Expect) { e.AccessToken = "a" }, refused: CheckAccessTokenHash},
		{name: "at_hash number", claims: claims("at_hash", 1), refused: CheckAccessTokenHash},
		{name: "at_hash missing in front", expect: func(e *Expect) { e.AccessToken, e.RequireHashes = "a", true }, refused: CheckAccessTokenHash},
		{name: "c_hash wrong", claims: claims("c_hash", leftHash("b")), expect: func(e *Expect) { e.Code = "a" }, refused: CheckCodeHash},
		{name: "c_hash missing in front", expect: func(e *Expect) { e.Code, e.RequireHashes = "a", true }, refused: CheckCodeHash},
		{name: "s_hash missing", expect: func(e *Expect) { e.State, e.RequireStateHash = "a", true }, refused: CheckStateHash},
		{name: "s_hash wrong", claims: claims("s_hash", leftHash("b")), expect: func(e *Expect) { e.State = "a" }, refused: CheckStateHash},

		{name: "auth_time missing", expect: maxAge(&minute), refused: CheckAuthTime},
		{name: "auth_time too long ago", claims: claims("auth_time", now-91), expect: maxAge(&minute), refused: CheckAuthTime},
		{name: "auth_time before max_age 0", claims: claims("auth_time", now-31), expect: maxAge(&zero), refused: CheckAuthTime},
		{name: "auth_time ahead", claims: claims("auth_time", now+31), refused: CheckAuthTime},
		{name: "auth_time string", claims: claims("auth_time", "x"), refused: CheckAuthTime},

		{name: "acr missing", expect: minACR("a"), refused: CheckACR},
		{name: "acr another", claims: claims("acr", "b"), expect: minACR("a"), refused: CheckACR},
		{name: "acr number", claims: claims("acr", 1), refused: CheckACR},

		{name: "member missing", config: rules(Rules{Required: []string{"jti"}}), refused: CheckExtra},
		{name: "member null", claims: claims("jti", json.RawMessage("null")), config: rules(Rules{Required: []string{"jti"}}), refused: CheckExtra},
		{name: "lifetime not exact", config: rules(Rules{Lifetime: 30 * time.Second}), refused: CheckExtra},
		{name: "lifetime longer than a Duration", claims: claims("exp", now+18_446_744_073), config: rules(Rules{MaxLifetime: 299 * time.Second}), refused: CheckExtra},
		{name: "lifetime too long", config: rules(Rules{MaxLifetime: 299 * time.Second}), refused: CheckExtra},

		{name: "refreshed person", claims: claims("nonce", nil), expect: original(claims("sub", "bert")), refused: CheckRefresh},
		{name: "refreshed party", claims: claims("nonce", nil), expect: original(claims("azp", testClient)), refused: CheckRefresh},
		{name: "refreshed login", claims: claims("nonce", nil, "auth_time", now), expect: original(claims("auth_time", now-100)), refused: CheckRefresh},
		{name: "refreshed nonce", claims: claims("nonce", "x"), expect: original(claims()), refused: CheckNonce},
		{name: "refreshed with nonce", expect: original(claims())},
		{name: "refreshed without nonce", claims: claims("nonce", nil, "auth_time", now-100), expect: original(claims("auth_time", now-100))},
	}
}

// original makes a refreshed token answer to one with these claims.
func original(claims members) func(*Expect) {
	return func(e *Expect) {
		text, err := json.Marshal(claims)
		if err != nil {
			panic(err)
		}
		raw := jose.Encode([]byte(`{"alg":"ES256"}`)) + "." + jose.Encode(text) + ".AA"
		if e.Original, err = Restore(raw); err != nil {
			panic(err)
		}
	}
}

func TestVerify(t *testing.T) {
	seen := map[Check]bool{CheckEvent: true} // of logout tokens, which have a test of their own
	for _, tt := range verifyCases() {
		seen[tt.refused] = true
		t.Run(tt.name, func(t *testing.T) {
			if tt.header == nil {
				tt.header = goodHeader()
			}
			if tt.claims == nil {
				tt.claims = goodClaims()
			}
			raw := signed(t, tt.header, tt.claims)
			if tt.raw != nil {
				raw = tt.raw(raw)
			}
			expect := goodExpect()
			if tt.expect != nil {
				tt.expect(&expect)
			}
			token, err := testVerifier(t, tt.config).Verify(t.Context(), raw, expect)
			if tt.refused == 0 {
				require.NoError(t, err)
				assert.Equal(t, raw, token.Raw())
				return
			}
			assert.Nil(t, token)
			var refusal *Error
			require.True(t, errors.As(err, &refusal), "%v", err)
			assert.Equal(t, tt.refused.String(), refusal.Check.String(), refusal.Reason)
			assert.False(t, refusal.Retryable())
			assert.NotContains(t, err.Error(), "mallory")
		})
	}
	for _, check := range Checks() {
		assert.True(t, seen[check], "no case fails at %s", check)
	}
}

func TestVerifyRefusesEveryChange(t *testing.T) {
	v := testVerifier(t, nil)
	good := signed(t, goodHeader(), goodClaims())
	_, err := v.Verify(t.Context(), good, goodExpect())
	require.NoError(t, err)
	for i := range len(good) {
		for _, b := range []byte("Az09-_.= \n\x00\xff") {
			if good[i] != b {
				_, err := v.Verify(t.Context(), good[:i]+string(b)+good[i+1:], goodExpect())
				assert.Error(t, err, "byte %d as %q", i, b)
			}
		}
		_, err := v.Verify(t.Context(), good[:i], goodExpect())
		assert.Error(t, err, "prefix of %d", i)
		_, err = v.Verify(t.Context(), good[:i]+"\n"+good[i:], goodExpect())
		assert.Error(t, err, "line break at %d", i)
	}
	for _, again := range []string{good + good, good + "." + good, " " + good, good + " "} {
		_, err := v.Verify(t.Context(), again, goodExpect())
		assert.Error(t, err)
	}
}

func TestVerifyHMAC(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	v := testVerifier(t, func(c *Config) { c.Algorithms, c.Secret, c.Keys = []string{"HS256"}, secret, nil })
	input := jose.Encode([]byte(`{"alg":"HS256"}`)) + "." + jose.Encode([]byte(toJSON(t, goodClaims())))
	mac, err := jose.SignHMAC("HS256", secret, input)
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), input+"."+jose.Encode(mac), goodExpect())
	require.NoError(t, err)
	mac[0] ^= 1
	_, err = v.Verify(t.Context(), input+"."+jose.Encode(mac), goodExpect())
	assert.ErrorContains(t, err, "signature")
}

// lying is a foreign key source that confirms another payload.
type lying struct{}

func (lying) VerifySignature(context.Context, string) ([]byte, error) { return []byte("{}"), nil }

func TestForeignKeySources(t *testing.T) {
	raw := signed(t, goodHeader(), goodClaims())
	for name, source := range map[string]KeySource{"refusing": refusing{}, "lying": lying{}} {
		_, err := testVerifier(t, func(c *Config) { c.Keys = source }).Verify(t.Context(), raw, goodExpect())
		var refusal *Error
		require.True(t, errors.As(err, &refusal), name)
		assert.Equal(t, CheckSignature, refusal.Check, name)
		assert.NotContains(t, err.Error(), "eyJ", name)
	}
	_, err := testVerifier(t, func(c *Config) { c.Keys = confirming{} }).Verify(t.Context(), raw, goodExpect())
	require.NoError(t, err)

	v := testVerifier(t, func(c *Config) { c.Keys = unreachable{} })
	_, err = v.Verify(t.Context(), raw, goodExpect())
	var refusal *Error
	require.True(t, errors.As(err, &refusal))
	assert.True(t, refusal.Unavailable, "the network is no verdict")
	assert.Equal(t, CheckKey, refusal.Check)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = testVerifier(t, func(c *Config) { c.Keys = refusing{} }).Verify(ended, raw, goodExpect())
	require.True(t, errors.As(err, &refusal))
	assert.True(t, refusal.Unavailable, "nor is a caller who gave up")
}

func TestPinnedKeysRefuse(t *testing.T) {
	for name, jwks := range map[string]string{"nothing": "", "no keys": `{"keys":[]}`, "none that verifies": `{"keys":[{"kty":"oct","k":"AAAA"}]}`} {
		_, err := PinnedKeys([]byte(jwks))
		assert.Error(t, err, name)
	}
	_, err := PinnedKeys([]byte("{"))
	assert.ErrorContains(t, err, "not a JWK Set")
	_, err = PinnedPublicKeys()
	assert.Error(t, err)
	_, err = PinnedPublicKeys(testKey().Public(), []byte("secret"))
	assert.Error(t, err, "one that can't be used is a mistake, not one less")
}

func TestNobodysToken(t *testing.T) {
	var nobody *IDToken
	assert.Zero(t, nobody.Expiry())
	assert.Zero(t, nobody.IssuedAt())
	_, ok := nobody.AuthTime()
	assert.False(t, ok)
	restored, err := Restore(signed(t, goodHeader(), with(goodClaims(), "exp", nil)))
	require.NoError(t, err)
	assert.Zero(t, restored.Expiry())
	for _, raw := range []string{"", "a.b.c", "e30.e30.AA.AA"} {
		_, err := Restore(raw)
		assert.Error(t, err, raw)
	}
	_, err = Restore(jose.Encode([]byte("{}")) + "." + jose.Encode([]byte("[]")) + ".AA")
	assert.Error(t, err)
	assert.Equal(t, "nonce", Outcome{CheckNonce, true}.String())
	assert.Equal(t, "nonce (nothing to check)", Outcome{CheckNonce, false}.String())
}

func TestSourcesForOthersRefuse(t *testing.T) {
	keys, err := PinnedPublicKeys(testKey().Public())
	require.NoError(t, err)
	for name, header := range map[string]members{
		"no alg": {}, "none": {"alg": "none"}, "HMAC": {"alg": "HS256"}, "alg number": {"alg": 1}, "kid number": {"alg": "ES256", "kid": 1},
	} {
		_, err := keys.VerifySignature(t.Context(), signed(t, header, goodClaims()))
		var refusal *Error
		require.True(t, errors.As(err, &refusal), name)
		assert.Equal(t, CheckHeader, refusal.Check, name)
	}
	_, err = keys.VerifySignature(t.Context(), "not a token")
	assert.Error(t, err)
}

func TestVerifiersPrintNoSecret(t *testing.T) {
	secret := []byte("s3cr3t of at least thirty-two bytes")
	config := Config{Issuer: testIssuer, ClientID: testClient, Algorithms: []string{"HS256"}, Secret: secret}
	v, err := NewVerifier(config)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, value := range []any{config, v, struct{ V any }{v}, []any{config}} {
			text := fmt.Sprintf(verb, value)
			assert.NotContains(t, text, "s3cr3t", verb)
			assert.NotContains(t, text, fmt.Sprintf("%x", "s3cr3t"), verb)
			assert.NotContains(t, text, "115 51 99", verb)
		}
	}
}

func TestAccessors(t *testing.T) {
	claims := with(goodClaims(), "aud", []string{testClient}, "amr", "BID", "acr", "high", "sid", "s", "jti", "j",
		"auth_time", json.RawMessage("1789999999.9"), "azp", testClient, "big", json.RawMessage("12345678901234567890"), "Name", "Upper", "name", "lower")
	token, err := testVerifier(t, nil).Verify(t.Context(), signed(t, goodHeader(), claims), goodExpect())
	require.NoError(t, err)
	assert.Equal(t, testIssuer, token.Issuer())
	assert.Equal(t, "anna", token.Subject())
	assert.Equal(t, []string{testClient}, token.Audience())
	assert.Equal(t, []string{"BID"}, token.AMR())
	assert.Equal(t, "high", token.ACR())
	assert.Equal(t, "s", token.SessionID())
	assert.Equal(t, "j", token.JWTID())
	assert.Equal(t, testClient, token.AuthorizedParty())
	assert.Equal(t, testNow.Unix()+300, token.Expiry().Unix())
	assert.Equal(t, testNow.Unix(), token.IssuedAt().Unix())
	authTime, ok := token.AuthTime()
	assert.True(t, ok)
	assert.EqualValues(t, 1789999999, authTime.Unix())
	var into struct {
		Name string      `json:"name"`
		Big  json.Number `json:"big"`
	}
	require.NoError(t, token.Claims(&into))
	assert.Equal(t, "lower", into.Name, "by exact names")
	assert.Equal(t, json.Number("12345678901234567890"), into.Big)

	made := map[string]bool{}
	for _, outcome := range token.Checks() {
		made[outcome.Check.String()] = outcome.Made
	}
	assert.True(t, made["signature"])
	assert.True(t, made["nonce"])
	assert.False(t, made["at_hash"])

	var nobody *IDToken
	assert.Empty(t, nobody.Subject())
	assert.Error(t, nobody.Claims(&into))
	assert.Empty(t, nobody.Checks())
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s %x", token, token, token, token, token), "anna")
	text, err := json.Marshal(token)
	require.NoError(t, err)
	assert.Equal(t, `"[redacted]"`, string(text))
}

func TestNewVerifierRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no issuer":              func(c *Config) { c.Issuer = "" },
		"no client":              func(c *Config) { c.ClientID = "" },
		"no keys":                func(c *Config) { c.Keys = nil },
		"no algorithm":           func(c *Config) { c.Algorithms = []string{} },
		"none":                   func(c *Config) { c.Algorithms = []string{"none"} },
		"unknown":                func(c *Config) { c.Algorithms = []string{"ES256", "RS1"} },
		"HMAC without a secret":  func(c *Config) { c.Algorithms, c.Keys = []string{"HS256"}, nil },
		"HMAC with short secret": func(c *Config) { c.Algorithms, c.Keys, c.Secret = []string{"HS256"}, nil, make([]byte, 31) },
		"HMAC beside keys":       func(c *Config) { c.Algorithms, c.Secret = []string{"HS256"}, make([]byte, 32) },
		"HMAC beside ES256":      func(c *Config) { c.Algorithms, c.Keys, c.Secret = []string{"HS256", "ES256"}, nil, make([]byte, 32) },
		"secret beside keys":     func(c *Config) { c.Secret = make([]byte, 32) },
		"too much skew":          func(c *Config) { c.Skew = 61 * time.Second },
		"negative skew":          func(c *Config) { c.Skew = -1 },
	} {
		config := testConfig(t)
		change(&config)
		_, err := NewVerifier(config)
		assert.Error(t, err, name)
	}
}

func TestACRPolicy(t *testing.T) {
	eidas := EIDAS()
	bankID := ACRPolicy{Accepts: map[string][]string{"urn:bankid:bid": {"urn:bankid:bid;LOA=4"}}}
	const loa = "urn:http://eidas.europa.eu/LoA/NotNotified/"
	for _, tt := range []struct {
		policy        ACRPolicy
		got, demanded string
		want          bool
	}{
		{eidas, loa + "high", loa + "low", true},
		{eidas, loa + "substantial", loa + "substantial", true},
		{eidas, loa + "low", loa + "substantial", false},
		{eidas, loa + "substantial", loa + "high", false},
		{eidas, "http://eidas.europa.eu/LoA/high", loa + "low", false},
		{eidas, "http://eidas.europa.eu/LoA/high", "http://eidas.europa.eu/LoA/low", true},
		{eidas, loa + "HIGH", loa + "low", false},
		{eidas, "", loa + "low", false},
		{bankID, "urn:bankid:bid", "urn:bankid:bid", true},
		{bankID, "urn:bankid:bid;LOA=4", "urn:bankid:bid", true},
		{bankID, "urn:bankid:bid;LOA=3", "urn:bankid:bid", false},
		{bankID, "urn:bankid:bid;LOA=44", "urn:bankid:bid", false},
		{bankID, "urn:bankid:bis;LOA=4", "urn:bankid:bid", false},
		{ACRPolicy{}, "a", "a", true},
		{ACRPolicy{}, "a", "b", false},
		{ACRPolicy{}, "", "", false},
	} {
		assert.Equal(t, tt.want, tt.policy.Satisfies(tt.got, tt.demanded), "%s for %s", tt.got, tt.demanded)
	}
}

func FuzzVerify(f *testing.F) {
	v := testVerifier(f, nil)
	f.Add(signed(f, goodHeader(), goodClaims()))
	f.Add("a.b.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := v.Verify(t.Context(), raw, goodExpect())
		if (token == nil) == (err == nil) {
			t.Fatal("neither or both of token and error")
		}
		_, _ = Restore(raw)
	})
}
