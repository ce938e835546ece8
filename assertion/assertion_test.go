package assertion_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jwx/jwxtest"
)

var now = time.Unix(1_790_000_000, 999_999_999)

func clock() time.Time { return now }

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

// opaque hides everything of a key but crypto.Signer, as a KMS does.
type opaque struct{ crypto.Signer }

// remote is an opaque key that signs with a context.
type remote struct {
	opaque
	asked context.Context
}

func (r *remote) SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r.asked = ctx
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.Sign(rand, digest, opts)
}

// decode verifies with another implementation and returns header and claims.
func decode(t *testing.T, alg string, key any, text string) (header, claims map[string]any) {
	t.Helper()
	head, payload, err := jwxtest.Verify(alg, key, text)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(payload, &claims))
	require.NoError(t, json.Unmarshal(head, &header))
	return header, claims
}

func TestEveryAlgorithm(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	secret := []byte(strings.Repeat("s", 64))
	keys := map[string]crypto.Signer{
		"RS256": rsaKey(), "RS384": rsaKey(), "RS512": rsaKey(), "PS256": rsaKey(), "PS384": rsaKey(), "PS512": rsaKey(),
		"ES256": ecKey(t, elliptic.P256()), "ES384": ecKey(t, elliptic.P384()), "ES512": ecKey(t, elliptic.P521()),
		"EdDSA": ed, "HS256": nil, "HS384": nil, "HS512": nil,
	}
	for alg, key := range keys {
		t.Run(alg, func(t *testing.T) {
			config := assertion.Config{ClientID: "client", Clock: clock, Key: assertion.Key{Algorithm: alg, ID: "k"}}
			var public any = secret
			if key == nil {
				config.Key.Secret = secret
			} else {
				config.Key.Signer, public = opaque{key}, key.Public()
			}
			signer, err := assertion.New(config)
			require.NoError(t, err)
			for range 8 { // ECDSA coordinates have leading zeros now and then
				text, err := signer.ClientAssertion(t.Context(), "https://op.example")
				require.NoError(t, err)
				header, claims := decode(t, alg, public, text)
				assert.Equal(t, map[string]any{"alg": alg, "typ": "JWT", "kid": "k"}, header)
				jti, _ := claims["jti"].(string)
				assert.Len(t, jti, 32, "192 bits")
				delete(claims, "jti")
				assert.Equal(t, map[string]any{
					"iss": "client", "sub": "client", "aud": "https://op.example", "iat": 1790000000.0, "exp": 1790000060.0,
				}, claims)
			}
		})
	}
}

func TestAssertionsDiffer(t *testing.T) {
	signer, err := assertion.New(assertion.Config{ClientID: "client", Key: assertion.Key{Signer: ecKey(t, elliptic.P256())}})
	require.NoError(t, err)
	seen := map[any]bool{}
	for range 100 {
		text, err := signer.ClientAssertion(t.Context(), "aud")
		require.NoError(t, err)
		parts := strings.Split(text, ".")
		assert.False(t, seen[parts[1]])
		seen[parts[1]] = true
	}
}

func TestTimes(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	signer, err := assertion.New(assertion.Config{
		ClientID: "client", Clock: clock, Key: assertion.Key{Signer: key},
		Lifetime: 30 * time.Second, BackDate: 2 * time.Second, NotBefore: true,
	})
	require.NoError(t, err)
	text, err := signer.ClientAssertion(t.Context(), "aud")
	require.NoError(t, err)
	_, claims := decode(t, "ES256", key.Public(), text)
	assert.EqualValues(t, 1789999998, claims["iat"])
	assert.EqualValues(t, 1789999998, claims["nbf"])
	assert.EqualValues(t, 1790000028, claims["exp"])
}

func TestContextReachesTheSigner(t *testing.T) {
	kms := &remote{opaque: opaque{ecKey(t, elliptic.P256())}}
	signer, err := assertion.New(assertion.Config{ClientID: "client", Key: assertion.Key{Signer: kms, Algorithm: "ES256"}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = signer.ClientAssertion(ctx, "aud")
	require.NoError(t, err)
	assert.Equal(t, ctx, kms.asked)
	cancel()
	_, err = signer.ClientAssertion(ctx, "aud")
	assert.ErrorIs(t, err, context.Canceled)
}

// certify makes a chain of leaf, CA and root for a key.
func certify(t testing.TB, key crypto.PublicKey, organization, serial string) []*x509.Certificate {
	t.Helper()
	issuerKey := ecKey(t, elliptic.P256())
	make := func(template, parent *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
		template.NotBefore, template.NotAfter, template.BasicConstraintsValid = now.Add(-time.Hour), now.Add(time.Hour), true
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, issuerKey)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	ca := func(n int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	}
	rootTemplate := ca(1, "root")
	root := make(rootTemplate, rootTemplate, issuerKey.Public())
	middle := make(ca(2, "ca"), root, issuerKey.Public())
	leaf := &x509.Certificate{SerialNumber: big.NewInt(3), KeyUsage: x509.KeyUsageContentCommitment, Subject: pkix.Name{
		SerialNumber: serial,
		ExtraNames:   []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: organization}},
	}}
	return []*x509.Certificate{make(leaf, middle, key), middle, root}
}

const party = "did:ishare:EU.NL.NTRNL-12345678"

func TestCertificateNaming(t *testing.T) {
	chain := certify(t, rsaKey().Public(), "NTRNL-12345678", "")
	config := assertion.Config{
		ClientID: party, BindCertificate: true, Lifetime: 30 * time.Second, Clock: clock,
		Key: assertion.Key{Signer: opaque{rsaKey()}, Algorithm: "RS256", ID: "ignored", Certificates: chain, Naming: assertion.NameX5C},
	}
	signer, err := assertion.New(config)
	require.NoError(t, err)
	text, err := signer.ClientAssertion(t.Context(), "did:ishare:EU.NL.NTRNL-10000006")
	require.NoError(t, err)
	header, claims := decode(t, "RS256", rsaKey().Public(), text)
	assert.Len(t, header, 3, "alg, typ and x5c, nothing else")
	assert.Len(t, header["x5c"], 3)
	assert.Equal(t, party, claims["iss"])
	assert.Equal(t, party, claims["sub"])

	config.Key.Naming = assertion.NameThumbprint
	signer, err = assertion.New(config)
	require.NoError(t, err)
	text, err = signer.ClientAssertion(t.Context(), "aud")
	require.NoError(t, err)
	header, _ = decode(t, "RS256", rsaKey().Public(), text)
	assert.Len(t, header["x5t#S256"], 43)
	assert.Len(t, header, 3)
}

func TestSelfCheck(t *testing.T) {
	good := certify(t, rsaKey().Public(), "NTRNL-12345678", "")
	serial := certify(t, rsaKey().Public(), "X", "EU.EORI.NL000000001")
	tests := map[string]struct {
		change func(*assertion.Config)
		want   string
	}{
		"good":             {func(*assertion.Config) {}, ""},
		"by serial number": {func(c *assertion.Config) { c.ClientID, c.Key.Certificates = "EU.EORI.NL000000001", serial }, ""},
		"another key":      {func(c *assertion.Config) { c.Key.Signer, c.Key.Algorithm = ecKey(t, elliptic.P256()), "ES256" }, "does not fit the leaf"},
		"root first":       {func(c *assertion.Config) { c.Key.Certificates = []*x509.Certificate{good[2], good[1], good[0]} }, "does not fit the leaf"},
		"out of order":     {func(c *assertion.Config) { c.Key.Certificates = []*x509.Certificate{good[0], good[2], good[1]} }, "not issued by the next"},
		"middle left out":  {func(c *assertion.Config) { c.Key.Certificates = []*x509.Certificate{good[0], good[2]} }, "not issued by the next"},
		"root left out":    {func(c *assertion.Config) { c.Key.Certificates = good[:2] }, "not complete"},
		"eleven certificates": {func(c *assertion.Config) {
			c.Key.Certificates = append(slices.Clone(good), slices.Repeat([]*x509.Certificate{good[2]}, 8)...)
		}, "longer than ten"},
		"no certificates":    {func(c *assertion.Config) { c.Key.Certificates = nil }, "no certificate"},
		"expired":            {func(c *assertion.Config) { c.Clock = func() time.Time { return now.Add(2 * time.Hour) } }, "not valid at this time"},
		"not valid yet":      {func(c *assertion.Config) { c.Clock = func() time.Time { return now.Add(-2 * time.Hour) } }, "not valid at this time"},
		"another party":      {func(c *assertion.Config) { c.ClientID = "did:ishare:EU.NL.NTRNL-12345679" }, "does not name the party"},
		"party look-alike":   {func(c *assertion.Config) { c.ClientID = "did:ishare:EU.NL.NTRLNL-12345678" }, "does not name the party"},
		"bound but not sent": {func(c *assertion.Config) { c.Key.Naming = assertion.NameKeyID }, "has to send it"},
	}
	for name, tt := range tests {
		config := assertion.Config{
			ClientID: party, BindCertificate: true, Clock: clock,
			Key: assertion.Key{Signer: rsaKey(), Algorithm: "RS256", Certificates: good, Naming: assertion.NameX5C},
		}
		tt.change(&config)
		_, err := assertion.New(config)
		if tt.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, tt.want, name)
	}
}

func TestNewRefuses(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	for name, config := range map[string]assertion.Config{
		"no client":         {Key: assertion.Key{Signer: rsaKey()}},
		"no key":            {ClientID: "c"},
		"short secret":      {ClientID: "c", Key: assertion.Key{Secret: make([]byte, 31), Algorithm: "HS256"}},
		"short for HS512":   {ClientID: "c", Key: assertion.Key{Secret: make([]byte, 63), Algorithm: "HS512"}},
		"none":              {ClientID: "c", Key: assertion.Key{Signer: rsaKey(), Algorithm: "none"}},
		"another curve":     {ClientID: "c", Key: assertion.Key{Signer: ecKey(t, elliptic.P256()), Algorithm: "ES384"}},
		"another kind":      {ClientID: "c", Key: assertion.Key{Signer: rsaKey(), Algorithm: "ES256"}},
		"secret and signer": {ClientID: "c", Key: assertion.Key{Signer: rsaKey(), Secret: make([]byte, 64), Algorithm: "RS256"}},
		"secret for RS256":  {ClientID: "c", Key: assertion.Key{Secret: make([]byte, 64), Algorithm: "RS256"}},
		"signer for HS256":  {ClientID: "c", Key: assertion.Key{Signer: rsaKey(), Algorithm: "HS256"}},
		"half a second":     {ClientID: "c", Key: assertion.Key{Signer: rsaKey()}, Lifetime: time.Second / 2},
		"six minutes":       {ClientID: "c", Key: assertion.Key{Signer: rsaKey()}, Lifetime: 6 * time.Minute},
		"into the future":   {ClientID: "c", Key: assertion.Key{Signer: rsaKey()}, BackDate: -time.Second},
		"unknown naming":    {ClientID: "c", Key: assertion.Key{Signer: rsaKey(), Naming: 9, Certificates: certify(t, rsaKey().Public(), "x", "")}, Clock: clock},
	} {
		_, err := assertion.New(config)
		assert.Error(t, err, name)
	}
	if err == nil { // some builds refuse to make such a key at all
		_, err = assertion.New(assertion.Config{ClientID: "c", Key: assertion.Key{Signer: short}})
		assert.ErrorContains(t, err, "1024 bits")
	}
}

func TestRequestObject(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	signer, err := assertion.New(assertion.Config{ClientID: "client", Clock: clock, Key: assertion.Key{Signer: key}})
	require.NoError(t, err)
	text, err := signer.RequestObject(t.Context(), assertion.RequestObject{
		Audience: "https://op.example", Subject: "urn:TBD",
		Params: url.Values{
			"client_id": {"client"}, "response_type": {"code"}, "max_age": {"60"}, "claims": {`{"id_token":{"acr":null}}`},
			"resource": {"https://a.example", "https://b.example"},
		},
	})
	require.NoError(t, err)
	header, claims := decode(t, "ES256", key.Public(), text)
	assert.Equal(t, map[string]any{"alg": "ES256", "typ": "oauth-authz-req+jwt"}, header)
	assert.NotEmpty(t, claims["jti"])
	delete(claims, "jti")
	assert.Equal(t, map[string]any{
		"iss": "client", "sub": "urn:TBD", "aud": "https://op.example", "iat": 1790000000.0, "exp": 1790000060.0,
		"client_id": "client", "response_type": "code", "max_age": 60.0,
		"claims": map[string]any{"id_token": map[string]any{"acr": nil}}, "resource": []any{"https://a.example", "https://b.example"},
	}, claims)

	for name, params := range map[string]url.Values{
		"request inside":     {"request": {"x"}},
		"request_uri inside": {"request_uri": {"x"}},
		"issuer":             {"iss": {"x"}},
		"another client":     {"client_id": {"x"}},
		"max_age words":      {"max_age": {"soon"}},
		"claims not JSON":    {"claims": {"{"}},
		"claims no object":   {"claims": {"null"}},
		"details no array":   {"authorization_details": {"{}"}},
		"no value":           {"scope": nil},
	} {
		_, err := signer.RequestObject(t.Context(), assertion.RequestObject{Audience: "a", Params: params})
		assert.Error(t, err, name)
	}
	_, err = signer.RequestObject(t.Context(), assertion.RequestObject{})
	assert.Error(t, err, "audience is missing")
}

func TestEncryptedRequestObject(t *testing.T) {
	chain := certify(t, rsaKey().Public(), "NTRNL-12345678", "")
	signer, err := assertion.New(assertion.Config{
		ClientID: party, Clock: clock, BindCertificate: true,
		Key: assertion.Key{Signer: rsaKey(), Certificates: chain, Naming: assertion.NameX5C},
	})
	require.NoError(t, err)
	for _, tt := range [][2]string{{"RSA-OAEP", "A256GCM"}, {"RSA-OAEP-256", "A128CBC-HS256"}, {"RSA-OAEP-256", "A256GCM"}} {
		text, err := signer.RequestObject(t.Context(), assertion.RequestObject{
			Audience: "aud", Encrypt: &assertion.Encryption{Algorithm: tt[0], Encoding: tt[1], Key: rsaKey().Public()},
		})
		require.NoError(t, err)
		header, inside, err := jwxtest.Decrypt(tt[0], rsaKey(), text)
		require.NoError(t, err)
		assert.JSONEq(t, `{"alg":"`+tt[0]+`","enc":"`+tt[1]+`","typ":"JWT"}`, string(header))
		_, claims := decode(t, "RS256", rsaKey().Public(), string(inside))
		assert.Equal(t, party, claims["iss"])
	}
	for name, bad := range map[string]assertion.Encryption{
		"RSA1_5":       {Algorithm: "RSA1_5", Encoding: "A256GCM", Key: rsaKey().Public()},
		"dir":          {Algorithm: "dir", Encoding: "A256GCM", Key: rsaKey().Public()},
		"no encoding":  {Algorithm: "RSA-OAEP", Key: rsaKey().Public()},
		"no key":       {Algorithm: "RSA-OAEP", Encoding: "A256GCM"},
		"not an RSA's": {Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: ecKey(t, elliptic.P256()).Public()},
	} {
		_, err := signer.RequestObject(t.Context(), assertion.RequestObject{Audience: "aud", Encrypt: &bad})
		assert.Error(t, err, name)
	}
}

func TestLoaders(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	cert := block("CERTIFICATE", certify(t, key.Public(), "x", "")[0].Raw)

	for name, text := range map[string][]byte{
		"PKCS #8": block("PRIVATE KEY", pkcs8), "SEC 1": block("EC PRIVATE KEY", sec1),
		"beside a certificate": append(cert, block("PRIVATE KEY", pkcs8)...),
	} {
		loaded, err := assertion.ParseKeyPEM(text)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(loaded), name)
	}
	loaded, err := assertion.ParseKeyPEM(block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())))
	require.NoError(t, err)
	assert.True(t, rsaKey().Equal(loaded))
	for name, text := range map[string][]byte{
		"nothing": nil, "only a certificate": cert, "malformed": block("PRIVATE KEY", []byte("x")),
		"encrypted": block("ENCRYPTED PRIVATE KEY", pkcs8), "two": append(block("PRIVATE KEY", pkcs8), block("PRIVATE KEY", pkcs8)...),
	} {
		_, err := assertion.ParseKeyPEM(text)
		assert.Error(t, err, name)
	}
	chain, err := assertion.ParseCertificatesPEM(cert)
	require.NoError(t, err)
	assert.Len(t, chain, 1)
	_, err = assertion.ParseCertificatesPEM(block("PRIVATE KEY", pkcs8))
	assert.Error(t, err)

	// RFC 8037 appendix A.1.
	jwk, err := assertion.ParseKeyJWK([]byte(`{"kty":"OKP","crv":"Ed25519","kid":"k","alg":"EdDSA",
		"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	require.NoError(t, err)
	assert.Equal(t, "k", jwk.ID)
	assert.Equal(t, "EdDSA", jwk.Algorithm)
	signer, err := assertion.New(assertion.Config{ClientID: "c", Key: jwk})
	require.NoError(t, err)
	set, err := signer.PublicJWKS()
	require.NoError(t, err)
	assert.NotContains(t, string(set), `"d"`)
	assert.Contains(t, string(set), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	for _, bad := range []string{``, `{}`, `{"kty":"oct","k":"AAAA"}`, `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`} {
		_, err := assertion.ParseKeyJWK([]byte(bad))
		assert.Error(t, err, bad)
	}
}

func TestBackchannelRequestRefuses(t *testing.T) {
	signer, err := assertion.New(assertion.Config{ClientID: "client", Clock: clock, Key: assertion.Key{Signer: ecKey(t, elliptic.P256())}})
	require.NoError(t, err)
	text, err := signer.BackchannelRequest(t.Context(), "https://op.example", url.Values{"login_hint": {"anna"}})
	require.NoError(t, err)
	assert.NotEmpty(t, text)
	for name, tt := range map[string]struct {
		audience string
		params   url.Values
	}{
		"no audience": {"", url.Values{"login_hint": {"anna"}}},
		"a claim":     {"https://op.example", url.Values{"iss": {"another"}}},
		"no value":    {"https://op.example", url.Values{"login_hint": nil}},
	} {
		text, err := signer.BackchannelRequest(t.Context(), tt.audience, tt.params)
		assert.Error(t, err, name)
		assert.Empty(t, text, name)
	}
}

func TestUnsignedRequestObjectIsChecked(t *testing.T) {
	good := assertion.Config{ClientID: "client"}
	object, err := assertion.UnsignedRequestObject(good, assertion.RequestObject{Audience: "https://op.example", Params: url.Values{"state": {"s"}}})
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(object, "."), "no signature")
	for name, try := range map[string]func() (string, error){
		"no client": func() (string, error) {
			return assertion.UnsignedRequestObject(assertion.Config{}, assertion.RequestObject{Audience: "a"})
		},
		"no audience": func() (string, error) { return assertion.UnsignedRequestObject(good, assertion.RequestObject{}) },
		"encrypted": func() (string, error) {
			return assertion.UnsignedRequestObject(good, assertion.RequestObject{Audience: "a", Encrypt: &assertion.Encryption{}})
		},
		"long-lived": func() (string, error) {
			return assertion.UnsignedRequestObject(assertion.Config{ClientID: "client", Lifetime: time.Hour}, assertion.RequestObject{Audience: "a"})
		},
		"own claims": func() (string, error) {
			return assertion.UnsignedRequestObject(good, assertion.RequestObject{Audience: "a", Params: url.Values{"aud": {"x"}}})
		},
	} {
		_, err := try()
		assert.Error(t, err, name)
	}
}
