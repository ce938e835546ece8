package oidctest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/stretchr/testify/require"
)

const (
	redirectURI = "http://127.0.0.1:1/callback"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

var b64 = base64.RawURLEncoding

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rp is a relying party with no more than net/http.
type rp struct {
	*testing.T
	op     *oidctest.Provider
	client oidctest.Client
	clock  *clock
	http   *http.Client
}

func start(t *testing.T, config oidctest.Config) *rp {
	t.Helper()
	c := &clock{now: time.Unix(1_750_000_000, 0)}
	config.Clock = c.Now
	if config.RedirectURIs == nil {
		config.RedirectURIs = []string{redirectURI}
	}
	op, err := oidctest.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, op.Close()) })
	return &rp{t, op, op.Client(), c, &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(a.body, &m), "%s", a.body)
	return m
}

func (a answer) location(t *testing.T) url.Values {
	t.Helper()
	require.Contains(t, []int{302, 303}, a.status, "%s", a.body)
	u, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	return u.Query()
}

func (r *rp) do(method, target string, form url.Values, header http.Header) answer {
	r.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	q, err := http.NewRequestWithContext(r.Context(), method, target, body)
	require.NoError(r, err)
	maps.Copy(q.Header, header)
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a, err := r.http.Do(q)
	require.NoError(r, err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	require.NoError(r, err)
	return answer{a.StatusCode, a.Header, raw}
}

// params are those of a good authorization request; change sets, and deletes
// where the value is empty.
func (r *rp) params(change ...string) url.Values {
	v := url.Values{
		"client_id": {r.client.ClientID}, "response_type": {"code"}, "redirect_uri": {redirectURI},
		"scope": {r.client.Scope}, "state": {"the-state"}, "nonce": {"the-nonce"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	return alter(v, change...)
}

func alter(v url.Values, change ...string) url.Values {
	for i := 0; i < len(change); i += 2 {
		if v.Set(change[i], change[i+1]); change[i+1] == "" {
			v.Del(change[i])
		}
	}
	return v
}

func (r *rp) authorize(change ...string) answer {
	return r.do("GET", r.client.AuthorizationEndpoint+"?"+r.params(change...).Encode(), nil, nil)
}

func (r *rp) code(change ...string) string {
	r.Helper()
	code := r.authorize(change...).location(r.T).Get("code")
	require.NotEmpty(r, code)
	return code
}

// basic is HTTP Basic with the encoding of RFC 6749 §2.3.1.
func (r *rp) basic() http.Header {
	pair := url.QueryEscape(r.client.ClientID) + ":" + url.QueryEscape(r.client.ClientSecret)
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}
}

func exchange(code string, change ...string) url.Values {
	return alter(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}, change...)
}

func renew(refresh any, change ...string) url.Values {
	return alter(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(refresh)}}, change...)
}

func (r *rp) token(form url.Values, header http.Header) answer {
	return r.do("POST", r.client.TokenEndpoint, form, header)
}

// tokens logs in and returns the token answer.
func (r *rp) tokens(change ...string) map[string]any {
	r.Helper()
	a := r.token(exchange(r.code(change...)), r.basic())
	require.Equal(r, 200, a.status, "%s", a.body)
	return a.json(r.T)
}

func bearer(token any) http.Header {
	return http.Header{"Authorization": {"Bearer " + fmt.Sprint(token)}}
}

// open takes a JWT apart without checking it.
func open(t *testing.T, compact any) (header, claims []byte) {
	t.Helper()
	parts := strings.Split(fmt.Sprint(compact), ".")
	require.Len(t, parts, 3)
	header, err := b64.DecodeString(parts[0])
	require.NoError(t, err)
	claims, err = b64.DecodeString(parts[1])
	require.NoError(t, err)
	return header, claims
}

// verified checks a JWT with the keys of the JWK Set and returns its claims.
func (r *rp) verified(compact any, jwks []byte) map[string]any {
	r.Helper()
	header, payload := open(r.T, compact)
	var h struct{ Alg, Kid string }
	require.NoError(r, json.Unmarshal(header, &h))
	var set struct{ Keys []map[string]string }
	require.NoError(r, json.Unmarshal(jwks, &set))
	for _, k := range set.Keys {
		if k["use"] == "sig" && k["alg"] == h.Alg && (h.Kid == "" || h.Kid == k["kid"]) {
			r.check(compact, h.Alg, publicKey(r.T, k))
			var claims map[string]any
			require.NoError(r, json.Unmarshal(payload, &claims))
			return claims
		}
	}
	require.Fail(r, "no key", "%s", header)
	return nil
}

func publicKey(t *testing.T, k map[string]string) any {
	t.Helper()
	number := func(name string) *big.Int {
		raw, err := b64.DecodeString(k[name])
		require.NoError(t, err)
		return new(big.Int).SetBytes(raw)
	}
	switch k["kty"] {
	case "RSA":
		return &rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}
	case "EC":
		point := append([]byte{4}, append(number("x").FillBytes(make([]byte, 32)), number("y").FillBytes(make([]byte, 32))...)...)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		require.NoError(t, err)
		return key
	}
	raw, err := b64.DecodeString(k["x"])
	require.NoError(t, err)
	return ed25519.PublicKey(raw)
}

func (r *rp) check(compact any, alg string, key any) {
	r.Helper()
	s := fmt.Sprint(compact)
	dot := strings.LastIndex(s, ".")
	sig, err := b64.DecodeString(s[dot+1:])
	require.NoError(r, err)
	h := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	sum := []byte(s[:dot])
	if h != 0 {
		d := h.New()
		d.Write(sum)
		sum = d.Sum(nil)
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if alg[0] == 'P' {
			require.NoError(r, rsa.VerifyPSS(key, h, sum, sig, nil))
		} else {
			require.NoError(r, rsa.VerifyPKCS1v15(key, h, sum, sig))
		}
	case *ecdsa.PublicKey:
		require.Len(r, sig, 64)
		require.True(r, ecdsa.Verify(key, sum, new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])))
	case ed25519.PublicKey:
		require.True(r, ed25519.Verify(key, sum, sig))
	}
}

// signed makes a JWT as the client.
func signed(t *testing.T, key crypto.Signer, header, claims map[string]any) string {
	t.Helper()
	h, err := json.Marshal(header)
	require.NoError(t, err)
	c, err := json.Marshal(claims)
	require.NoError(t, err)
	input := b64.EncodeToString(h) + "." + b64.EncodeToString(c)
	sum := sha256.Sum256([]byte(input))
	var sig []byte
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		require.NoError(t, err)
		sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		sig, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		require.NoError(t, err)
	}
	return input + "." + b64.EncodeToString(sig)
}

// shape lists the members of a JSON object in their order with their types.
func shape(t *testing.T, object []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	_, err := d.Token()
	require.NoError(t, err)
	var out []string
	for d.More() {
		name, err := d.Token()
		require.NoError(t, err)
		var value any
		require.NoError(t, d.Decode(&value))
		switch value.(type) {
		case string:
			out = append(out, fmt.Sprint(name))
		case float64:
			out = append(out, fmt.Sprint(name, "#"))
		case map[string]any:
			out = append(out, fmt.Sprint(name, ":object"))
		case []any:
			out = append(out, fmt.Sprint(name, ":array"))
		default:
			out = append(out, fmt.Sprint(name, ":other"))
		}
	}
	return strings.Join(out, " ")
}
