package idtoken

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/certchain"
)

// authority is a certificate with its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; a zero parent makes it self-signed.
func issue(t *testing.T, parent authority, change func(*x509.Certificate)) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "test " + serial.String()},
		NotBefore: testNow.Add(-time.Hour), NotAfter: testNow.Add(time.Hour),
		BasicConstraintsValid: true,
	}
	change(template)
	if parent.cert == nil {
		parent = authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, &key.PublicKey, parent.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{cert, key}
}

func asCA(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
}

const party, organization = "did:ishare:EU.NL.NTRNL-12345678", "NTRNL-12345678"

func named(organization, serial string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.KeyUsage = x509.KeyUsageContentCommitment
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		if organization != "" {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: organization}}
		}
		c.Subject.SerialNumber = serial
	}
}

// pki is a root, a CA under it, and a leaf for party.
type pki struct{ root, ca, leaf authority }

func newPKI(t *testing.T) pki {
	root := issue(t, authority{}, asCA)
	ca := issue(t, root, asCA)
	return pki{root, ca, issue(t, ca, named(organization, ""))}
}

func (p pki) chain() []*x509.Certificate {
	return []*x509.Certificate{p.leaf.cert, p.ca.cert, p.root.cert}
}

func (p pki) config() ChainConfig {
	return ChainConfig{Anchors: []*x509.Certificate{p.root.cert}, Issuer: party, Clock: func() time.Time { return testNow }}
}

// signedBy returns a token signed by key with an x5c header.
func signedBy(t *testing.T, key *ecdsa.PrivateKey, x5c any) string {
	header := members{"alg": "ES256", "typ": "JWT", "x5c": x5c}
	return signText(t, key, "ES256", toJSON(t, header), toJSON(t, goodClaims()))
}

func TestCertificateChain(t *testing.T) {
	p, stranger := newPKI(t), newPKI(t)
	encode := func(certs ...*x509.Certificate) []string { return certchain.EncodeX5C(certs) }
	good := encode(p.chain()...)
	tail := encode(p.chain()...)
	for i, cert := range p.chain()[1:] {
		tail[i+1] = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	headPEM := append([]string{base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.leaf.cert.Raw}))}, good[1:]...)
	twoPEM := append([]string{}, tail...)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.ca.cert.Raw})
	twoPEM[1] = base64.StdEncoding.EncodeToString(append(block, block...))
	thumbprint := certchain.Thumbprint(p.leaf.cert)
	leafOf := func(change func(*x509.Certificate)) authority { return issue(t, p.ca, change) }

	oldCA := issue(t, p.root, func(c *x509.Certificate) { asCA(c); c.NotAfter = testNow.Add(-time.Second) })
	narrowCA := issue(t, p.root, func(c *x509.Certificate) { asCA(c); c.MaxPathLenZero = true })
	underNarrow := issue(t, narrowCA, asCA)
	underOld, tooDeep := issue(t, oldCA, named(organization, "")), issue(t, underNarrow, named(organization, ""))
	weak := weakAuthority(t, p.root)
	underWeak := issue(t, weak, named(organization, ""))
	tests := map[string]struct {
		signer  authority
		x5c     any
		config  func(*ChainConfig)
		refused Check
	}{
		"only the CA expired":    {underOld, encode(underOld.cert, oldCA.cert), nil, CheckKey},
		"CA under a last CA":     {tooDeep, encode(tooDeep.cert, underNarrow.cert, narrowCA.cert), nil, CheckKey},
		"CA with a weak key":     {underWeak, encode(underWeak.cert, weak.cert), nil, CheckKey},
		"x5c a string, no chain": {p.leaf, good[0], func(c *ChainConfig) { c.Anchors = []*x509.Certificate{p.ca.cert} }, CheckKey},

		"no certificate after the leaf, and none needed": {p.leaf, []string{good[0], "AAAA"}, func(c *ChainConfig) { c.Anchors = []*x509.Certificate{p.ca.cert} }, CheckKey},

		"good":                    {p.leaf, good, nil, 0},
		"without the root":        {p.leaf, good[:2], nil, 0},
		"PEM tail tolerated":      {p.leaf, tail, func(c *ChainConfig) { c.PEMTail = true }, 0},
		"CA as anchor":            {p.leaf, good[:1], func(c *ChainConfig) { c.Anchors = []*x509.Certificate{p.ca.cert} }, 0},
		"serialNumber":            {leafOf(named("", party)), nil, nil, 0},
		"registered, other party": {p.leaf, good, func(c *ChainConfig) { c.Issuer, c.Thumbprints = "other", []string{hex.EncodeToString(thumbprint[:])} }, 0},
		"digital signature":       {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.KeyUsage = x509.KeyUsageDigitalSignature }), nil, nil, 0},
		"no key usage":            {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.KeyUsage = 0 }), nil, nil, 0},

		"no x5c":                 {p.leaf, []string{}, nil, CheckKey},
		"x5c a string":           {p.leaf, good[0], nil, CheckKey},
		"x5c of numbers":         {p.leaf, []int{1}, nil, CheckKey},
		"PEM tail not tolerated": {p.leaf, tail, nil, CheckKey},
		"PEM head":               {p.leaf, headPEM, func(c *ChainConfig) { c.PEMTail = true }, CheckKey},
		"two PEM blocks":         {p.leaf, twoPEM, func(c *ChainConfig) { c.PEMTail = true }, CheckKey},
		"eleven certificates":    {p.leaf, append(append([]string{}, good...), make([]string, 8)...), nil, CheckKey},
		"another root":           {stranger.leaf, encode(stranger.chain()...), nil, CheckKey},
		"anchor appended":        {stranger.leaf, encode(stranger.leaf.cert, stranger.ca.cert, p.root.cert), nil, CheckKey},
		"without the CA":         {p.leaf, good[:1], nil, CheckKey},
		"leaf not first":         {p.leaf, []string{good[1], good[0], good[2]}, nil, CheckKey},
		"another party":          {leafOf(named("NTRNL-00000000", "")), nil, nil, CheckKey},
		"no party":               {leafOf(named("", "")), nil, nil, CheckKey},
		"party with a space":     {leafOf(named(organization+" ", "")), nil, nil, CheckKey},
		"party of another land":  {leafOf(named("NTRDE-12345678", "")), nil, nil, CheckKey},
		"party in the name only": {leafOf(func(c *x509.Certificate) { named("", "")(c); c.Subject.CommonName = party }), nil, nil, CheckKey},
		"two serial numbers": {leafOf(func(c *x509.Certificate) {
			named("", "x")(c)
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: "x"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: party}}
		}), nil, nil, CheckKey},
		"leaf is a CA":           {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.IsCA = true }), nil, nil, CheckKey},
		"leaf issues":            {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.KeyUsage |= x509.KeyUsageCRLSign }), nil, nil, CheckKey},
		"leaf encrypts":          {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.KeyUsage = x509.KeyUsageKeyEncipherment }), nil, nil, CheckKey},
		"expired":                {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.NotAfter = testNow.Add(-time.Second) }), nil, nil, CheckKey},
		"valid to this second":   {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.NotAfter = testNow }), nil, nil, 0},
		"valid from this second": {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.NotBefore = testNow }), nil, nil, 0},
		"valid from next second": {leafOf(func(c *x509.Certificate) { named(organization, "")(c); c.NotBefore = testNow.Add(time.Second) }), nil, nil, CheckKey},
		"issued by a leaf":       {issue(t, p.leaf, named(organization, "")), nil, nil, CheckKey},
		"CA expired":             {p.leaf, good, func(c *ChainConfig) { c.Clock = func() time.Time { return testNow.Add(2 * time.Hour) } }, CheckKey},
		"victim and attacker":    {stranger.leaf, encode(p.leaf.cert, p.ca.cert, stranger.leaf.cert), nil, CheckSignature},
		"victim's chain copied":  {stranger.leaf, good, nil, CheckSignature},
		"revoked":                {p.leaf, good, func(c *ChainConfig) { c.Revocation = revoking{errors.New("revoked")} }, CheckKey},
		"not revoked":            {p.leaf, good, func(c *ChainConfig) { c.Revocation = revoking{} }, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.x5c == nil {
				tt.x5c = encode(tt.signer.cert, p.ca.cert, p.leaf.cert, p.root.cert)
			}
			config := p.config()
			if tt.config != nil {
				tt.config(&config)
			}
			source, err := NewCertificateChain(config)
			require.NoError(t, err)
			raw := signedBy(t, tt.signer.key, tt.x5c)
			for range 2 { // the second time from memory
				_, err := source.VerifySignature(t.Context(), raw)
				if tt.refused == 0 {
					require.NoError(t, err)
					continue
				}
				var refusal *Error
				require.True(t, errors.As(err, &refusal), "%v", err)
				assert.Equal(t, tt.refused.String(), refusal.Check.String(), refusal.Reason)
				assert.Empty(t, source.known.known, "what was refused is not remembered")
			}
		})
	}
}

// weakAuthority is a CA with a key of 224 bits.
func weakAuthority(t *testing.T, parent authority) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "weak"}, BasicConstraintsValid: true,
		NotBefore: testNow.Add(-time.Hour), NotAfter: testNow.Add(time.Hour),
	}
	asCA(template)
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{cert, key}
}

func TestCertificateOfAnotherKind(t *testing.T) {
	p := newPKI(t)
	source, err := NewCertificateChain(p.config())
	require.NoError(t, err)
	header := members{"alg": "RS256", "x5c": certchain.EncodeX5C(p.chain())}
	raw := signText(t, p.leaf.key, "ES256", toJSON(t, header), "{}")
	_, err = source.VerifySignature(t.Context(), raw)
	assert.ErrorContains(t, err, "key", "an EC certificate does not sign RS256")
}

// revoking answers each question with an error or nil.
type revoking struct{ err error }

func (r revoking) CheckRevocation(_ context.Context, path []*x509.Certificate) error {
	if len(path) != 3 {
		return errors.New("path is not the whole one")
	}
	return r.err
}

func TestRememberedChainEnds(t *testing.T) {
	p := newPKI(t)
	now := testNow
	config := p.config()
	config.Clock = func() time.Time { return now }
	source, err := NewCertificateChain(config)
	require.NoError(t, err)
	raw := signedBy(t, p.leaf.key, certchain.EncodeX5C(p.chain()))
	_, err = source.VerifySignature(t.Context(), raw)
	require.NoError(t, err)
	require.Len(t, source.known.known, 1)
	now = testNow.Add(time.Hour + time.Second)
	_, err = source.VerifySignature(t.Context(), raw)
	assert.Error(t, err, "validity is looked at each time")
}

func TestRememberedChainsAreBounded(t *testing.T) {
	p := newPKI(t)
	source, err := NewCertificateChain(p.config())
	require.NoError(t, err)
	for i := range 2 * maxHeaders {
		header := members{"alg": "ES256", "x5c": certchain.EncodeX5C(p.chain()), "n": i}
		_, err := source.VerifySignature(t.Context(), signText(t, p.leaf.key, "ES256", toJSON(t, header), "{}"))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(source.known.known), maxHeaders)
	}
}

func TestNewCertificateChainRefuses(t *testing.T) {
	p := newPKI(t)
	for name, change := range map[string]func(*ChainConfig){
		"no anchors":     func(c *ChainConfig) { c.Anchors = nil },
		"nil anchor":     func(c *ChainConfig) { c.Anchors = []*x509.Certificate{nil} },
		"no issuer":      func(c *ChainConfig) { c.Issuer = "" },
		"bad thumbprint": func(c *ChainConfig) { c.Thumbprints = []string{""} },
	} {
		config := p.config()
		change(&config)
		_, err := NewCertificateChain(config)
		assert.Error(t, err, name)
	}
}
