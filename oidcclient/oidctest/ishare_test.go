package oidctest_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const low = "urn:http://eidas.europa.eu/LoA/NotNotified/low"

// party signs an iSHARE JWT as the client; headers and claims can be changed, and
// removed with nil.
func (r *rp) party(header, claims map[string]any) string {
	r.Helper()
	var x5c []string
	for _, c := range r.client.Certificates {
		x5c = append(x5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	h := map[string]any{"alg": "RS256", "typ": "JWT", "x5c": x5c}
	now := r.clock.Now().Unix()
	c := map[string]any{
		"iss": r.client.ClientID, "sub": r.client.ClientID, "aud": r.client.Issuer, "jti": fmt.Sprint(time.Now().UnixNano()),
		"iat": now, "exp": now + 30,
	}
	for from, to := range map[*map[string]any]map[string]any{&header: h, &claims: c} {
		maps.Copy(to, *from)
		maps.DeleteFunc(to, func(_ string, v any) bool { return v == nil })
	}
	return signed(r.T, r.client.PrivateKey, h, c)
}

func (r *rp) requestObject(change map[string]any) string {
	claims := map[string]any{
		"sub": "urn:TBD", "response_type": "code", "client_id": r.client.ClientID, "scope": "openid iSHARE",
		"redirect_uri": redirectURI, "state": "the-state", "nonce": "the-nonce", "acr_values": low,
	}
	maps.Copy(claims, change)
	return r.party(nil, claims)
}

func (r *rp) post(request string, change ...string) answer {
	v := url.Values{"response_type": {"code"}, "client_id": {r.client.ClientID}, "scope": {"openid iSHARE"}, "request": {request}}
	return r.do("POST", r.client.AuthorizationEndpoint, alter(v, change...), nil)
}

func (r *rp) asserted(form url.Values, assertion string) answer {
	form.Del("code_verifier")
	return r.token(alter(form, "client_id", r.client.ClientID, "client_assertion", assertion,
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), nil)
}

// leafKey checks the chain of a header and returns the leaf's key.
func (r *rp) leafKey(header []byte, pemTail bool) any {
	r.Helper()
	var h struct{ X5C []string }
	require.NoError(r, json.Unmarshal(header, &h))
	require.Len(r, h.X5C, 4)
	var chain []*x509.Certificate
	for i, s := range h.X5C {
		der, err := base64.StdEncoding.DecodeString(s)
		require.NoError(r, err)
		if pemTail && i > 0 {
			block, rest := pem.Decode(der)
			require.NotNil(r, block)
			require.Empty(r, rest)
			der = block.Bytes
		}
		c, err := x509.ParseCertificate(der)
		require.NoError(r, err)
		chain = append(chain, c)
	}
	roots, middle := x509.NewCertPool(), x509.NewCertPool()
	require.True(r, roots.AppendCertsFromPEM(r.client.TrustAnchorsPEM))
	middle.AddCert(chain[1])
	middle.AddCert(chain[2])
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle, CurrentTime: r.clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	require.NoError(r, err)
	require.Equal(r, x509.KeyUsageContentCommitment, chain[0].KeyUsage)
	for _, n := range chain[0].Subject.Names {
		if n.Type.String() == "2.5.4.97" {
			require.Equal(r, r.client.Issuer, fmt.Sprint("did:ishare:EU.NL.", n.Value))
			return chain[0].PublicKey
		}
	}
	require.Fail(r, "no organization identifier")
	return nil
}

func TestIShareLogin(t *testing.T) {
	for _, alg := range []string{"RS256", "RS384", "RS512"} {
		t.Run(alg, func(t *testing.T) {
			r := start(t, oidctest.Config{System: oidctest.IShare, SigningAlg: alg, IShare: oidctest.IShareOptions{PEMTail: alg == "RS512"}})
			back := r.post(r.requestObject(nil)).location(t)
			assert.Equal(t, "the-state", back.Get("state"))
			assert.Empty(t, back.Get("iss"))
			a := r.asserted(exchange(back.Get("code")), r.party(nil, nil))
			require.Equal(t, 200, a.status, "%s", a.body)
			assert.Equal(t, "id_token access_token expires_in# token_type", shape(t, a.body))
			tokens := a.json(t)
			assert.EqualValues(t, 3600, tokens["expires_in"])

			header, payload := open(t, tokens["id_token"])
			assert.Equal(t, "alg typ x5c:array", shape(t, header))
			r.check(tokens["id_token"], alg, r.leafKey(header, alg == "RS512"))
			assert.Equal(t, "iss sub aud jti exp iat auth_time nonce acr azp", shape(t, payload), "times are strings")
			var claims map[string]any
			require.NoError(t, json.Unmarshal(payload, &claims))
			assert.Equal(t, "1750000030", claims["exp"])
			assert.Equal(t, "1750000000", claims["iat"])
			assert.Equal(t, r.client.ClientID, claims["aud"])
			assert.Equal(t, r.client.Issuer, claims["iss"])
			assert.Equal(t, low, claims["acr"])
			assert.Equal(t, "the-nonce", claims["nonce"])

			info := r.do("POST", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"]))
			assert.Equal(t, "application/jwt", info.header.Get("Content-Type"))
			header, payload = open(t, string(info.body))
			r.check(string(info.body), alg, r.leafKey(header, alg == "RS512"))
			assert.Contains(t, string(payload), `"sub":"`+claims["sub"].(string))
			assert.Equal(t, 405, r.do("GET", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"])).status)
		})
	}
}

func TestIShareAuthorizeRefuses(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.IShare})
	refused := func(name string, a answer) {
		t.Helper()
		assert.Equal(t, 400, a.status, name)
		assert.Empty(t, a.header.Get("Location"), "%s: the client is never told", name)
		assert.Contains(t, a.header.Get("Content-Type"), "text/html", name)
	}
	for name, claims := range map[string]map[string]any{
		"sub":             {"sub": r.client.ClientID},
		"iss":             {"iss": "did:ishare:EU.NL.NTRNL-1"},
		"aud url":         {"aud": r.client.AuthorizationEndpoint},
		"aud array":       {"aud": []string{r.client.Issuer}},
		"exp":             {"exp": r.clock.Now().Unix() + 31},
		"future":          {"iat": r.clock.Now().Unix() + 1, "exp": r.clock.Now().Unix() + 31},
		"text times":      {"iat": fmt.Sprint(r.clock.Now().Unix())},
		"no jti":          {"jti": nil},
		"nbf":             {"nbf": r.clock.Now().Unix() - 1},
		"scope":           {"scope": "openid"},
		"response_type":   {"response_type": "token"},
		"client_id":       {"client_id": "x"},
		"nested":          {"request_uri": "https://example.com"},
		"no nonce":        {"nonce": ""},
		"no redirect_uri": {"redirect_uri": nil},
		"other redirect":  {"redirect_uri": redirectURI + "2"},
		"unknown level":   {"acr_values": "high"},
		"language":        {"language": "nld"},
	} {
		refused(name, r.post(r.requestObject(claims)))
	}
	good := r.requestObject(nil)
	require.Equal(t, 302, r.post(good).status)
	refused("replayed", r.post(good))
	refused("unsigned", r.post(""))
	refused("state outside", r.post(r.requestObject(nil), "state", "x"))
	refused("scope outside", r.post(r.requestObject(nil), "scope", "openid iSHARE name"))
	refused("small letters", r.post(r.requestObject(map[string]any{"scope": "openid ishare"}), "scope", "openid ishare"))
	assert.Equal(t, 405, r.do("GET", r.client.AuthorizationEndpoint, nil, nil).status)
	assert.Empty(t, r.client.Discovery)
	assert.Equal(t, 404, r.do("GET", r.op.URL()+"/.well-known/openid-configuration", nil, nil).status)
	r.op.SetRedirectURIs()
	assert.Equal(t, 302, r.post(r.requestObject(map[string]any{"redirect_uri": "https://app.example/cb"})).status, "nothing is registered")
}

func TestIShareTokenRefuses(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.IShare})
	other := start(t, oidctest.Config{System: oidctest.IShare})
	code := func() string { return r.post(r.requestObject(nil)).location(t).Get("code") }
	old := r.party(nil, nil)
	require.Equal(t, 200, r.asserted(exchange(code()), old).status)
	leafOnly := base64.StdEncoding.EncodeToString(r.client.Certificates[0].Raw)
	now := r.clock.Now().Unix()
	forger := *r // has the client's public certificates and a key of its own
	forger.client.PrivateKey = other.client.PrivateKey
	for name, assertion := range map[string]string{
		"forged":             forger.party(nil, nil),
		"replayed":           old,
		"foreign chain":      (&rp{t, r.op, other.client, r.clock, r.http}).party(nil, nil),
		"leaf alone":         r.party(map[string]any{"x5c": []string{leafOnly}}, nil),
		"x5c is text":        r.party(map[string]any{"x5c": leafOnly}, nil),
		"no x5c":             r.party(map[string]any{"x5c": nil}, nil),
		"kid too":            r.party(map[string]any{"kid": "1"}, nil),
		"no typ":             r.party(map[string]any{"typ": nil}, nil),
		"other alg":          r.party(map[string]any{"alg": "PS256"}, nil),
		"aud is an endpoint": r.party(nil, map[string]any{"aud": r.client.TokenEndpoint}),
		"aud is an array":    r.party(nil, map[string]any{"aud": []string{r.client.Issuer}}),
		"sub of requests":    r.party(nil, map[string]any{"sub": "urn:TBD"}),
		"60 seconds":         r.party(nil, map[string]any{"exp": now + 60}),
		"29 seconds":         r.party(nil, map[string]any{"exp": now + 29}),
		"future":             r.party(nil, map[string]any{"iat": now + 1, "exp": now + 31}),
		"past":               r.party(nil, map[string]any{"iat": now - 31, "exp": now - 1}),
	} {
		a := r.asserted(exchange(code()), assertion)
		assert.Equal(t, 400, a.status, name)
		assert.Equal(t, "invalid_client", a.json(t)["error"], name)
	}
	noID := alter(exchange(code()), "code_verifier", "", "client_assertion", r.party(nil, nil),
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	assert.Equal(t, "invalid_request", r.token(noID, nil).json(t)["error"], "client_id is sent too")
	assert.Equal(t, "invalid_grant", r.asserted(exchange("x"), r.party(nil, nil)).json(t)["error"])
	assert.Equal(t, "unsupported_grant_type", r.asserted(renew("x"), r.party(nil, nil)).json(t)["error"], "refresh is forbidden")
	assert.Equal(t, 405, r.do("GET", r.client.TokenEndpoint, nil, nil).status)
}

func TestIShareMachine(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.IShare})
	form := func(scope string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	}
	a := r.asserted(form("iSHARE"), r.party(nil, nil))
	assert.Equal(t, "access_token expires_in# token_type", shape(t, a.body))
	assert.Equal(t, 401, r.do("POST", r.client.UserInfoEndpoint, nil, bearer(a.json(t)["access_token"])).status, "there is no person")
	assert.Equal(t, "invalid_scope", r.asserted(form("ishare"), r.party(nil, nil)).json(t)["error"])
}

func TestIShareRefusalShapes(t *testing.T) {
	for shapeOf, status := range map[oidctest.RefusalShape]int{oidctest.RefuseWithOK: 200, oidctest.RefuseWithAccepted: 202} {
		r := start(t, oidctest.Config{System: oidctest.IShare, IShare: oidctest.IShareOptions{Refusals: shapeOf, NumberDates: true}})
		a := r.asserted(exchange("x"), r.party(nil, nil))
		assert.Equal(t, status, a.status)
		assert.Equal(t, "status:other message", shape(t, a.body))
		assert.Equal(t, false, a.json(t)["status"])
		back := r.post(r.requestObject(nil)).location(t)
		_, payload := open(t, r.asserted(exchange(back.Get("code")), r.party(nil, nil)).json(t)["id_token"])
		assert.Contains(t, shape(t, payload), "exp# iat# auth_time# ")
	}
}

// encrypt makes a JWE of RSA-OAEP and the given content encryption.
func encrypt(t *testing.T, key *rsa.PublicKey, header map[string]any, plain string) string {
	t.Helper()
	h, err := json.Marshal(header)
	require.NoError(t, err)
	aad := b64.EncodeToString(h)
	cek, iv := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(cek)
	oaep := map[any]hash.Hash{"RSA-OAEP": sha1.New(), "RSA-OAEP-256": sha256.New()}[header["alg"]]
	wrapped, err := rsa.EncryptOAEP(oaep, rand.Reader, key, cek, nil)
	require.NoError(t, err)
	block, err := aes.NewCipher(cek)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	sealed := gcm.Seal(nil, iv, []byte(plain), []byte(aad))
	cut := len(sealed) - 16
	return strings.Join([]string{aad, b64.EncodeToString(wrapped), b64.EncodeToString(iv), b64.EncodeToString(sealed[:cut]), b64.EncodeToString(sealed[cut:])}, ".")
}

func TestIShareEncryptedRequest(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.IShare, IShare: oidctest.IShareOptions{EncryptedRequests: true}})
	block, _ := pem.Decode(r.client.ProviderCertificatePEM)
	leaf, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	key := leaf.PublicKey.(*rsa.PublicKey)
	good := map[string]any{"alg": "RSA-OAEP", "enc": "A256GCM", "typ": "JWT"}
	assert.Equal(t, 302, r.post(encrypt(t, key, good, r.requestObject(nil))).status)
	assert.Equal(t, 400, r.post(r.requestObject(nil)).status, "not encrypted")
	assert.Equal(t, 400, r.post(encrypt(t, key, map[string]any{"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "x"}, r.requestObject(nil))).status)
	assert.Equal(t, 400, r.post(encrypt(t, key, map[string]any{"alg": "RSA-OAEP-256", "enc": "A256GCM"}, r.requestObject(nil))).status)
	tampered := []byte(encrypt(t, key, good, r.requestObject(nil)))
	tampered[len(tampered)-4] ^= 1
	assert.Equal(t, 400, r.post(string(tampered)).status)
}

func TestIShareRotateKeys(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.IShare})
	before := r.client.ProviderCertificatePEM
	require.NoError(t, r.op.RotateKeys())
	assert.NotEqual(t, before, r.op.Client().ProviderCertificatePEM)
	assert.Equal(t, r.client.TrustAnchorsPEM, r.op.Client().TrustAnchorsPEM)
}
