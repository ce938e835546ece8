package bench

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"strings"
)

// A Forged is one token that is to be refused, for what refusing it costs.
type Forged struct {
	Name    string
	Columns []Column // each refuses; an error is that it does not
}

// ForgedTokens are as expensive as a stranger can make them.
func ForgedTokens() ([]Forged, error) {
	k := newKeys()[0]
	var all []Forged
	for _, t := range []struct{ name, raw string }{
		{"signature of 64 KiB", k.sized(64 << 10)},
		{"claims of 64 KiB", k.forge(`{"alg":"RS256","kid":"key-1"}`, `{"x":"`+strings.Repeat("A", 47<<10)+`"}`)},
		{"header of 64 KiB, all of it members", k.forge(`{"alg":"RS256"`+members(4500)+`}`, `{}`)},
		{"header nested 10,000 deep", k.forge(`{"alg":"RS256","x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`}`, `{}`)},
		{"dots, 64 KiB", strings.Repeat(".", 64<<10)},
		{"1.6 MB of certificates", k.forge(string(must(json.Marshal(map[string]any{"alg": "RS256", "x5c": repeat(x5c(newChain().certs), 300)}))), `{}`)},
		{"48 KiB of certificates", k.forge(string(must(json.Marshal(map[string]any{"alg": "RS256", "kid": keyID, "x5c": repeat(x5c(newChain().certs), 5)}))), `{}`)},
	} {
		forged := Forged{Name: t.name}
		for _, p := range Peers() {
			verify, err := p.Verifier("RS256", k.jwks())
			if err != nil {
				return nil, err
			}
			_ = verify(context.Background(), k.idToken()) // the keys are there
			forged.Columns = append(forged.Columns, Column{p.Name, refuses(verify, t.raw)})
		}
		all = append(all, forged)
	}
	genuine := newChain()
	v, err := genuine.verifier()
	if err != nil {
		return nil, err
	}
	verify := func(ctx context.Context, raw string) error { _, err := v.Verify(ctx, raw, expect()); return err }
	if err := verify(context.Background(), genuine.token(partyID, 0)); err != nil {
		return nil, err
	}
	for _, t := range forgedChains(genuine) {
		all = append(all, Forged{"chain asked for: " + t.name, []Column{{"rely", refuses(verify, t.raw)}}})
	}
	return all, nil
}

// refuses turns a belief into an error.
func refuses(verify Verify, raw string) func() error {
	return func() error {
		if verify(context.Background(), raw) == nil {
			return errRefused
		}
		return nil
	}
}

func (k key) sized(n int) string {
	input := encode([]byte(`{"alg":"RS256","kid":"key-1"}`)) + "." + encode(claims(nil)) + "."
	return input + strings.Repeat("A", (n-len(input))/4*4)
}

func (k key) forge(header, claims string) string {
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode(make([]byte, 256))
}

func members(n int) string {
	var all strings.Builder
	for range n {
		all.WriteString(`,"` + rand.Text()[:4] + `":1`)
	}
	return all.String()
}

func repeat(entries []string, times int) (all []string) {
	for range times {
		all = append(all, entries...)
	}
	return all
}

// forgedChains are tokens signed by a stranger's leaf, whose certificates are in
// every way what the issuer's are, but for a signature that the stranger can't
// make.
func forgedChains(genuine *chain) (all []struct{ name, raw string }) {
	strangers := must(rsa.GenerateKey(rand.Reader, 2048))
	add := func(name string, certs []*x509.Certificate) {
		header := must(json.Marshal(map[string]any{"alg": "RS256", "typ": "JWT", "x5c": x5c(certs)}))
		all = append(all, struct{ name, raw string }{name, key{"RS256", strangers}.sign(header, claims(map[string]any{"iss": partyID}))})
	}
	leaf := func(parent *x509.Certificate, signer crypto.Signer) *x509.Certificate {
		return certificate(0, strangers.Public(), parent, signer)
	}
	// The stranger's keys are as large as the real ones; those of the test serve.
	add("stranger's leaf under the real CAs", append([]*x509.Certificate{leaf(genuine.certs[1], genuine.cas[1])}, genuine.certs[1:]...))
	add("a path of ten, RSA-4096", impostors(genuine.certs[3], leaf, func() crypto.Signer { return genuine.cas[0] }))
	add("a path of ten, P-521", impostors(genuine.certs[3], leaf, func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) }))
	add("nine CAs that all answer for each other", crossed(leaf, genuine))
	return all
}

// impostors is a path of ten whose last certificate has the name of a CA under
// the root, and no signature of the root.
func impostors(root *x509.Certificate, leaf func(*x509.Certificate, crypto.Signer) *x509.Certificate, newKey func() crypto.Signer) []*x509.Certificate {
	above, signer := root, newKey() // signs in the root's name
	certs := make([]*x509.Certificate, 10)
	for i := 9; i > 0; i-- {
		next := newKey()
		certs[i] = certificate(i+3, next.Public(), above, signer)
		above, signer = certs[i], next
	}
	certs[0] = leaf(above, signer)
	return certs
}

// crossed are nine CAs of one name under the root's name.
func crossed(leaf func(*x509.Certificate, crypto.Signer) *x509.Certificate, genuine *chain) []*x509.Certificate {
	root := genuine.certs[3]
	certs := make([]*x509.Certificate, 1, 10)
	for range 9 {
		certs = append(certs, certificate(2, genuine.cas[0].Public(), root, genuine.cas[0]))
	}
	certs[0] = leaf(certs[1], genuine.cas[1])
	return certs
}
