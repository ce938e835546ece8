package bench

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/rely-go/rely/idtoken"
)

//go:embed testdata/*.pem
var keyFiles embed.FS

// chain is a hierarchy as in iSHARE: a root and two CAs with RSA-4096, a leaf
// with RSA-2048. Its keys are kept in testdata, because making them takes
// seconds.
type chain struct {
	leaf  key
	certs []*x509.Certificate // from the leaf to the root
	cas   []*rsa.PrivateKey   // of certs[1:]
}

const partyID = "did:ishare:EU.NL.NTRNL-12345678"

func keyFile(name string) *rsa.PrivateKey {
	block, _ := pem.Decode(must(keyFiles.ReadFile("testdata/" + name + ".pem")))
	return must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*rsa.PrivateKey)
}

func newChain() *chain {
	c := &chain{leaf: key{"RS256", keyFile("leaf")}, certs: make([]*x509.Certificate, 4)}
	for _, name := range []string{"issuing", "sub", "root"} {
		c.cas = append(c.cas, keyFile(name))
	}
	for i := 3; i >= 0; i-- {
		signer, parent := c.cas[min(i, 2)], (*x509.Certificate)(nil)
		public := c.leaf.signer.Public()
		if i > 0 {
			public = c.cas[i-1].Public()
		}
		if i < 3 {
			parent = c.certs[i+1]
		}
		c.certs[i] = certificate(i, public, parent, signer)
	}
	return c
}

// certificate makes one; a nil parent makes it self-signed.
func certificate(depth int, public crypto.PublicKey, parent *x509.Certificate, signer crypto.Signer) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(depth + 1)), Subject: pkix.Name{CommonName: strings.Repeat("CA ", depth) + "example", SerialNumber: partyID},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true,
		IsCA: depth > 0, KeyUsage: x509.KeyUsageContentCommitment,
	}
	if depth > 0 {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	if parent == nil {
		parent = template
	}
	// Without its key, crypto/x509 lets anybody sign in the parent's name.
	named := *parent
	named.PublicKey = nil
	parent = &named
	return must(x509.ParseCertificate(must(x509.CreateCertificate(nil, template, parent, public, signer))))
}

// x5c are the entries of a header for certificates.
func x5c(certs []*x509.Certificate) (entries []string) {
	for _, cert := range certs {
		entries = append(entries, base64.StdEncoding.EncodeToString(cert.Raw))
	}
	return entries
}

// token is signed by the leaf; more is a member of its header.
func (c *chain) token(issuer string, more int) string {
	header := map[string]any{"alg": "RS256", "typ": "JWT", "x5c": x5c(c.certs)}
	if more > 0 {
		header["n"] = more
	}
	return c.leaf.sign(must(json.Marshal(header)), claims(map[string]any{"iss": issuer, "at_hash": c.leaf.atHash()}))
}

func (c *chain) source() (*idtoken.CertificateChain, error) {
	return idtoken.NewCertificateChain(idtoken.ChainConfig{Anchors: c.certs[3:], Issuer: partyID})
}

func (c *chain) verifier() (*idtoken.Verifier, error) {
	source, err := c.source()
	if err != nil {
		return nil, err
	}
	return idtoken.NewVerifier(idtoken.Config{Issuer: partyID, ClientID: clientID, Keys: source})
}

func expect() idtoken.Expect { return idtoken.Expect{Nonce: nonce, AccessToken: accessToken} }

// manyHeaders are more than a verifier remembers.
const manyHeaders = 64

// chainCases are tokens that carry their certificates.
func chainCases() ([]Case, error) {
	c := newChain()
	v, err := c.verifier()
	if err != nil {
		return nil, err
	}
	seen := c.token(partyID, 0)
	var fresh []string
	for i := range manyHeaders {
		fresh = append(fresh, c.token(partyID, i+1))
	}
	next := turns(len(fresh))
	byHand := func() error { return c.byHand(fresh[next()]) }
	unasked, err := c.unasked()
	return []Case{
		{Name: "Chain/seen", Limit: "limit", Bound: 2.0, Columns: []Column{
			{"limit", c.leaf.limit(seen)},
			{"rely", func() error { _, err := v.Verify(context.Background(), seen, expect()); return err }},
		}},
		{Name: "Chain/new", Limit: "parse+build+verify", Bound: 1.05, Columns: []Column{
			{"limit", c.leaf.limit(seen)},
			{"parse+build+verify", byHand},
			{"rely", func() error { _, err := v.Verify(context.Background(), fresh[next()], expect()); return err }},
		}},
		{Name: "Chain/first", Limit: "parse+build+verify", Columns: []Column{
			{"parse+build+verify", byHand},
			{"rely", func() error {
				v, err := c.verifier()
				if err != nil {
					return err
				}
				_, err = v.Verify(context.Background(), seen, expect())
				return err
			}},
		}},
		unasked,
	}, err
}

// turns counts from 0 to n-1 again and again.
func turns(n int) func() int {
	i := 0
	return func() int {
		i = (i + 1) % n
		return i
	}
}

// byHand reads the header, builds the path with crypto/x509, and verifies the
// leaf's signature.
func (c *chain) byHand(raw string) error {
	part, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	var header struct{ X5C []string }
	if err := json.Unmarshal(text, &header); err != nil {
		return err
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(c.certs[3])
	var leaf *x509.Certificate
	for i, entry := range header.X5C {
		der, err := base64.StdEncoding.DecodeString(entry)
		if err != nil {
			return err
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		switch {
		case i == 0:
			leaf = cert
		case !cert.Equal(c.certs[3]): // the root costs one more signature
			between.AddCert(cert)
		}
	}
	if leaf == nil {
		return errRefused
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return err
	}
	public, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errRefused
	}
	signature, err := base64.RawURLEncoding.DecodeString(raw[strings.LastIndexByte(raw, '.')+1:])
	return errors.Join(err, rsa.VerifyPKCS1v15(public, crypto.SHA256, digestOf(raw[:strings.LastIndexByte(raw, '.')]), signature))
}

// unasked is a token that carries certificates although the key is known.
func (c *chain) unasked() (Case, error) {
	raw := c.leaf.sign(must(json.Marshal(map[string]any{"alg": "RS256", "typ": "JWT", "kid": keyID, "x5c": x5c(c.certs)})), claims(map[string]any{"at_hash": c.leaf.atHash()}))
	unasked := Case{Name: "X5CUnasked", Limit: "limit", Bound: 2.0, Ahead: true, Columns: []Column{{"limit", c.leaf.limit(raw)}}}
	for _, p := range Peers() {
		verify, err := p.Verifier("RS256", c.leaf.jwks())
		if err != nil {
			return unasked, err
		}
		unasked.Columns = append(unasked.Columns, Column{p.Name, func() error { return verify(context.Background(), raw) }})
	}
	return unasked, nil
}
