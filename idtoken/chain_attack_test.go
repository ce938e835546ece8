package idtoken

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/certchain"
)

// reissue certifies the name and key of an authority once more.
func reissue(t *testing.T, of, parent authority, change func(*x509.Certificate)) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: of.cert.SerialNumber, Subject: of.cert.Subject, BasicConstraintsValid: true,
		NotBefore: testNow.Add(-time.Hour), NotAfter: testNow.Add(time.Hour),
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, of.key.Public(), parent.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{cert, of.key}
}

func and(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, change := range changes {
			change(c)
		}
	}
}

func ends(at time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = at }
}

func begins(at time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore = at }
}

func dns(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = []string{name} }
}

func critical(id asn1.ObjectIdentifier, value []byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: id, Critical: true, Value: value}}
	}
}

type attack struct {
	signer  authority
	chain   []authority
	config  func(*ChainConfig)
	refused Check // 0: believed
}

func runAttacks(t *testing.T, base ChainConfig, attacks map[string]attack) {
	t.Helper()
	for name, tt := range attacks {
		t.Run(name, func(t *testing.T) {
			config := base
			if tt.config != nil {
				tt.config(&config)
			}
			source, err := NewCertificateChain(config)
			require.NoError(t, err)
			raw := signedBy(t, tt.signer.key, certchain.EncodeX5C(certificates(tt.chain)))
			for range 2 { // the second time from memory
				_, err = source.VerifySignature(t.Context(), raw)
				assertCheck(t, tt.refused, err)
			}
		})
	}
}

func certificates(chain []authority) (certs []*x509.Certificate) {
	for _, a := range chain {
		certs = append(certs, a.cert)
	}
	return certs
}

func assertCheck(t *testing.T, want Check, err error) {
	t.Helper()
	if want == 0 {
		require.NoError(t, err)
		return
	}
	var refusal *Error
	require.True(t, errors.As(err, &refusal), "%v", err)
	assert.Equal(t, want.String(), refusal.Check.String(), refusal.Reason)
}

func TestConstraintsOfCAs(t *testing.T) {
	root := issue(t, authority{}, asCA)
	leaf := named(organization, "")
	under := func(leafChange func(*x509.Certificate), caChange ...func(*x509.Certificate)) []authority {
		ca := issue(t, root, and(append([]func(*x509.Certificate){asCA}, caChange...)...))
		return []authority{issue(t, ca, and(leaf, leafChange)), ca}
	}
	permits := func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"good.example"}
	}
	excludes := func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.ExcludedDNSDomains = true, []string{"bad.example"}
	}
	none := func(*x509.Certificate) {}
	// NameConstraints with a permitted directoryName O=x, which crypto/x509 can't
	// weigh: critical, so the path must not be taken.
	directory := []byte{0x30, 0x16, 0xa0, 0x14, 0x30, 0x12, 0xa4, 0x10, 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x03, 'x', 'y', 'z'}
	unknown := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	last := func(c *x509.Certificate) { c.MaxPathLenZero = true }
	deep := func(change func(*x509.Certificate)) []authority {
		upper := issue(t, root, and(asCA, change))
		lower := issue(t, upper, asCA)
		return []authority{issue(t, lower, leaf), lower, upper}
	}
	attacks := map[string]attack{}
	for name, tt := range map[string]struct {
		chain   []authority
		refused Check
	}{
		"name permitted":             {under(dns("a.good.example"), permits), 0},
		"name not permitted":         {under(dns("a.other.example"), permits), CheckKey},
		"name not excluded":          {under(dns("a.good.example"), excludes), 0},
		"name excluded":              {under(dns("a.bad.example"), excludes), CheckKey},
		"directory names":            {under(none, critical(asn1.ObjectIdentifier{2, 5, 29, 30}, directory)), CheckKey},
		"room for a CA":              {deep(none), 0},
		"a CA too many":              {deep(last), CheckKey},
		"last CA signs a leaf":       {under(none, last), 0},
		"unknown critical in CA":     {under(none, critical(unknown, []byte{5, 0})), CheckKey},
		"unknown critical in leaf":   {under(critical(unknown, []byte{5, 0})), CheckKey},
		"unknown, not critical":      {under(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{{Id: unknown, Value: []byte{5, 0}}} }), 0},
		"no CA bit":                  {under(none, func(c *x509.Certificate) { c.IsCA = false }), CheckKey},
		"no basic constraints":       {under(none, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }), CheckKey},
		"CA not for certificates":    {under(none, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), CheckKey},
		"leaf for content":           {under(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }), 0},
		"leaf for key encipherment":  {under(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), CheckKey},
		"leaf for key agreement too": {under(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyAgreement }), 0},
		"organization twice": {under(func(c *x509.Certificate) {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, c.Subject.ExtraNames[0])
		}), CheckKey},
	} {
		attacks[name] = attack{signer: tt.chain[0], chain: tt.chain, refused: tt.refused}
	}
	runAttacks(t, pki{root: root}.config(), attacks)
}

func TestWaysThroughChains(t *testing.T) {
	p, stranger := newPKI(t), newPKI(t)
	second := issue(t, authority{}, asCA)
	both := func(c *ChainConfig) { c.Anchors = []*x509.Certificate{p.root.cert, second.cert} }
	cross := reissue(t, p.ca, second, asCA)
	crossOld := reissue(t, p.ca, second, and(asCA, ends(testNow.Add(-time.Second))))
	caOld := reissue(t, p.ca, p.root, and(asCA, ends(testNow.Add(-time.Second))))
	a, b := issue(t, authority{}, asCA), issue(t, authority{}, asCA)
	aByB, bByA := reissue(t, a, b, asCA), reissue(t, b, a, asCA)
	inLoop := issue(t, a, named(organization, ""))
	linked := reissue(t, a, p.root, asCA)
	impostor := issue(t, authority{}, func(c *x509.Certificate) {
		asCA(c)
		c.Subject, c.SubjectKeyId = p.ca.cert.Subject, p.ca.cert.SubjectKeyId
	})
	ofImpostor := issue(t, impostor, named(organization, ""))
	expired := issue(t, p.ca, and(named(organization, ""), ends(testNow.Add(-time.Second))))
	others := issue(t, p.ca, named("NTRNL-00000000", ""))
	own := issue(t, authority{}, named(organization, ""))
	thumbprint := func(of authority) func(*ChainConfig) {
		return func(c *ChainConfig) {
			sum := certchain.Thumbprint(of.cert)
			c.Issuer, c.Thumbprints = "other", []string{hex.EncodeToString(sum[:])}
		}
	}
	many := []authority{p.leaf, p.ca}
	for len(many) < 40 {
		many = append(many, p.ca)
	}
	anchor := func(of ...authority) func(*ChainConfig) {
		return func(c *ChainConfig) { c.Anchors = certificates(of) }
	}
	runAttacks(t, p.config(), map[string]attack{
		"two ways":                     {p.leaf, []authority{p.leaf, p.ca, cross}, both, 0},
		"the first way expired":        {p.leaf, []authority{p.leaf, caOld, cross}, both, 0},
		"the second way expired":       {p.leaf, []authority{p.leaf, crossOld, p.ca}, both, 0},
		"both ways expired":            {p.leaf, []authority{p.leaf, crossOld, caOld}, both, CheckKey},
		"the other way not trusted":    {p.leaf, []authority{p.leaf, cross}, nil, CheckKey},
		"loop":                         {inLoop, []authority{inLoop, aByB, bByA}, nil, CheckKey},
		"loop with a way out":          {inLoop, []authority{inLoop, aByB, bByA, linked}, nil, 0},
		"forty certificates":           {p.leaf, many, nil, CheckKey},
		"ten certificates":             {p.leaf, many[:10], nil, 0},
		"unrelated beside":             {p.leaf, []authority{p.leaf, stranger.ca, p.ca, stranger.root}, nil, 0},
		"unrelated only":               {p.leaf, []authority{p.leaf, stranger.ca, stranger.root}, nil, CheckKey},
		"others in any order":          {p.leaf, []authority{p.leaf, p.root, p.ca}, nil, 0},
		"leaf last":                    {p.leaf, []authority{p.root, p.ca, p.leaf}, nil, CheckKey},
		"leaf and CA twice":            {p.leaf, []authority{p.leaf, p.leaf, p.ca, p.ca}, nil, 0},
		"bad leaf, good way":           {expired, []authority{expired, p.ca}, nil, CheckKey},
		"own root along":               {stranger.leaf, []authority{stranger.leaf, stranger.ca, stranger.root}, nil, CheckKey},
		"trusted CA appended":          {stranger.leaf, []authority{stranger.leaf, stranger.ca, p.ca, p.root}, nil, CheckKey},
		"signed by the second":         {p.ca, []authority{p.leaf, p.ca}, nil, CheckSignature},
		"impostor's leaf":              {ofImpostor, []authority{ofImpostor, impostor, p.ca}, nil, CheckKey},
		"other party of the CA":        {others, []authority{others, p.ca}, nil, CheckKey},
		"other party, registered":      {others, []authority{others, p.ca}, thumbprint(others), 0},
		"another leaf is registered":   {others, []authority{others, p.ca}, thumbprint(p.leaf), CheckKey},
		"thumbprint of the last":       {others, []authority{others, p.ca, p.leaf}, thumbprint(p.leaf), CheckKey},
		"registered, way not trusted":  {stranger.leaf, []authority{stranger.leaf, stranger.ca}, thumbprint(stranger.leaf), CheckKey},
		"self-signed":                  {own, []authority{own}, nil, CheckKey},
		"self-signed beside the CA":    {own, []authority{own, p.ca}, nil, CheckKey},
		"self-signed and anchor":       {own, []authority{own}, anchor(own), 0},
		"self-signed, another anchor":  {own, []authority{own}, anchor(p.root, p.ca), CheckKey},
		"anchors of both, leaf of one": {stranger.leaf, []authority{stranger.leaf, stranger.ca}, anchor(p.root, stranger.root), 0},
	})
}

// Each certificate's validity holds to the second, for new chains and for those
// that are remembered.
func TestValidityToTheSecond(t *testing.T) {
	limit := testNow.Add(10 * time.Minute)
	for name, position := range map[string]int{"leaf": 0, "CA": 1, "anchor": 2} {
		for _, end := range []bool{true, false} {
			change := begins(limit)
			if end {
				change = ends(limit)
			}
			at := func(i int) func(*x509.Certificate) {
				if i == position {
					return change
				}
				return func(*x509.Certificate) {}
			}
			root := issue(t, authority{}, and(asCA, at(2)))
			ca := issue(t, root, and(asCA, at(1)))
			leaf := issue(t, ca, and(named(organization, ""), at(0)))
			raw := signedBy(t, leaf.key, certchain.EncodeX5C(certificates([]authority{leaf, ca})))
			outside := limit.Add(-time.Second)
			if end {
				outside = limit.Add(time.Second)
			}
			now := limit
			config := pki{root: root}.config()
			config.Clock = func() time.Time { return now }
			remembering, err := NewCertificateChain(config)
			require.NoError(t, err)
			for _, step := range []struct {
				now  time.Time
				want Check
			}{{limit, 0}, {outside, CheckKey}, {limit, 0}} {
				now = step.now
				fresh, err := NewCertificateChain(config)
				require.NoError(t, err)
				for _, source := range []*CertificateChain{fresh, remembering} {
					_, err = source.VerifySignature(t.Context(), raw)
					t.Run(name, func(t *testing.T) { assertCheck(t, step.want, err) })
				}
			}
		}
	}
}

// asked counts the questions, and answers with what it holds.
type asked struct {
	times  int
	answer error
}

func (a *asked) CheckRevocation(context.Context, []*x509.Certificate) error {
	a.times++
	return a.answer
}

func TestRevocationIsAskedOnEachUse(t *testing.T) {
	p, checker := newPKI(t), &asked{}
	config := p.config()
	config.Revocation = checker
	source, err := NewCertificateChain(config)
	require.NoError(t, err)
	raw := signedBy(t, p.leaf.key, certchain.EncodeX5C(p.chain()))
	for i, answer := range []error{nil, nil, errors.New("revoked"), nil} {
		checker.answer = answer
		_, err := source.VerifySignature(t.Context(), raw)
		want := Check(0)
		if answer != nil {
			want = CheckKey
		}
		assertCheck(t, want, err)
		assert.Equal(t, i+1, checker.times)
	}
}

// Who could not ask about revocation does not know that a certificate is revoked: the
// token is not believed now, and may be later.
func TestRevocationThatNobodyAnswers(t *testing.T) {
	p := newPKI(t)
	raw := signedBy(t, p.leaf.key, certchain.EncodeX5C(p.chain()))
	for name, tt := range map[string]struct {
		answer error
		later  bool
	}{
		"revoked":     {errors.New("revoked"), false},
		"not reached": {fmt.Errorf("OCSP: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}), true},
		"too late":    {fmt.Errorf("OCSP: %w", context.DeadlineExceeded), true},
		"given up":    {context.Canceled, true},
	} {
		config := p.config()
		config.Revocation = &asked{answer: tt.answer}
		source, err := NewCertificateChain(config)
		require.NoError(t, err)
		_, err = source.VerifySignature(t.Context(), raw)
		assertCheck(t, CheckKey, err)
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, tt.later, refused.Retryable(), name)
	}
}

// The roots of the system are no anchors, also where they hold the attacker's.
func TestSystemRootsAreNotUsed(t *testing.T) {
	p, stranger := newPKI(t), newPKI(t)
	name := filepath.Join(t.TempDir(), "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stranger.root.cert.Raw})
	require.NoError(t, os.WriteFile(name, text, 0o600))
	t.Setenv("SSL_CERT_FILE", name)
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	runAttacks(t, p.config(), map[string]attack{
		"the system's": {stranger.leaf, []authority{stranger.leaf, stranger.ca}, nil, CheckKey},
		"ours":         {p.leaf, []authority{p.leaf, p.ca}, nil, 0},
	})
}

// A CA with the real one's name and another key spoils the chain it stands in:
// looking further would cost signature checks.
func TestImpostorBesideTheCA(t *testing.T) {
	p := newPKI(t)
	impostor := issue(t, authority{}, func(c *x509.Certificate) {
		asCA(c)
		c.Subject, c.SubjectKeyId = p.ca.cert.Subject, p.ca.cert.SubjectKeyId
	})
	source, err := NewCertificateChain(p.config())
	require.NoError(t, err)
	leaf := issue(t, impostor, named(organization, ""))
	for _, others := range [][]authority{{impostor, p.ca}, {p.ca, impostor}} {
		verify := func(leaf authority) error {
			chain := append([]authority{leaf}, others...)
			_, err := source.VerifySignature(t.Context(), signedBy(t, leaf.key, certchain.EncodeX5C(certificates(chain))))
			return err
		}
		assertCheck(t, CheckKey, verify(leaf))
		assertCheck(t, CheckKey, verify(p.leaf))
	}
}
