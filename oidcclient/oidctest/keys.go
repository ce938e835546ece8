package oidctest

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
)

// keySpec says which key a system publishes.
type keySpec struct {
	alg string // RFC 7518; for a key of use "enc" its key management
	use string // sig or enc
}

// signingKey is one of the provider's keys; those of use "enc" decrypt.
type signingKey struct {
	keySpec
	kid     string
	private crypto.Signer
	agree   *ecdh.PrivateKey    // instead of private, of ECDH-ES
	chain   []*x509.Certificate // the leaf first; nil without certificates
}

// generateKey makes a key that fits an algorithm.
func generateKey(alg string) (crypto.Signer, error) {
	switch {
	case alg == "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case alg == "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		if spare := spares.take(); spare != nil {
			return spare, nil
		}
		return rsa.GenerateKey(rand.Reader, 2048)
	}
}

// generateKeys makes one key per algorithm, several at a time because RSA keys
// take long.
func generateKeys(algs ...string) ([]crypto.Signer, error) {
	keys, errs := make([]crypto.Signer, len(algs)), make([]error, len(algs))
	var all sync.WaitGroup
	for i, alg := range algs {
		all.Go(func() { keys[i], errs[i] = generateKey(alg) })
	}
	all.Wait()
	return keys, errors.Join(errs...)
}

// makeKeys makes the provider's keys and, where the system has certificates,
// its hierarchy at the first call.
func (p *Provider) makeKeys() error {
	if p.desc.certificates && p.pki == nil {
		var err error
		if p.pki, err = newPKI(p.clock()); err != nil {
			return err
		}
	}
	specs := p.desc.keys(p.config.SigningAlg)
	var algs []string
	for _, s := range specs {
		algs = append(algs, s.alg)
	}
	private, err := generateKeys(algs...)
	if err != nil {
		return err
	}
	keys := make([]signingKey, len(specs))
	for i, s := range specs {
		keys[i] = signingKey{keySpec: s, kid: random(16), private: private[i]}
		if p.desc.certificates {
			if keys[i].chain, err = p.pki.issue(providerName, providerOrganization, private[i]); err != nil {
				return err
			}
		}
	}
	if p.desc.agreements {
		more, err := agreementKeys()
		if err != nil {
			return err
		}
		keys = append(keys, more...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = append(p.keys, p.retired...)
	p.retired = p.retired[:min(len(p.retired), maxRetired)]
	p.keys = keys
	return nil
}

// giveKeys leaves the provider's own keys, but not its client's, to the next ones.
func (p *Provider) giveKeys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range slices.Concat(p.keys, p.retired) {
		spares.give(k.private)
	}
	if p.pki != nil {
		spares.give(p.pki.keys...)
	}
}

// maxRetired bounds the former keys that id_token_hint may still be signed with.
const maxRetired = 20

// signedHere reports whether one of the provider's keys, present or former,
// signed a JWT.
func (p *Provider) signedHere(t parsedJWT) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(slices.Concat(p.keys, p.retired), func(k signingKey) bool {
		return k.use == "sig" && t.verify(k.private.Public())
	})
}

// RotateKeys replaces all of the provider's keys: from now on it signs with new
// ones and publishes no other. Under IShare the new key has a new certificate
// of the same authorities.
func (p *Provider) RotateKeys() error { return p.makeKeys() }

// keyFor returns the signing key for an algorithm, else the first that fits its
// family; ok is false when none does.
func (p *Provider) keyFor(alg string) (key signingKey, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, _ := jwsAlgOf(alg)
	for _, k := range p.keys {
		if k.use == "sig" && k.alg == alg {
			return k, true
		}
		if !ok && k.use == "sig" && fits(a, k.private.Public()) {
			key, ok = k, true
		}
	}
	return key, ok
}

// signer is the key that signs ID tokens.
func (p *Provider) signer() signingKey {
	key, _ := p.keyFor(p.config.SigningAlg) // every system makes one for its algorithms
	return key
}

// decrypters are the keys to which request objects are encrypted, those with that kid
// if there is one.
func (p *Provider) decrypters(kid string) []signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []signingKey
	for _, k := range p.keys {
		if k.use == "enc" && (kid == "" || kid == k.kid) {
			found = append(found, k)
		}
	}
	return found
}

// JWKS returns the provider's present public keys as a JWK Set, the same that
// its keys endpoint serves where it has one.
func (p *Provider) JWKS() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := map[string]any{"keys": []any{}}
	for _, k := range p.keys {
		set["keys"] = append(set["keys"].([]any), k.jwk())
	}
	out, err := json.Marshal(set)
	if err != nil {
		return nil // strings always encode
	}
	return out
}

// jwk writes the public key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
func (k signingKey) jwk() map[string]any {
	m := map[string]any{"kid": k.kid, "use": k.use}
	if k.use == "sig" { // a key for encryption is for each alg that fits
		m["alg"] = k.alg
	}
	if k.agree != nil {
		agreementJWK(k.agree.PublicKey(), m)
		return m
	}
	switch key := k.private.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64.EncodeToString(key.N.Bytes()), b64.EncodeToString(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err == nil && len(point) == 65 {
			m["kty"], m["crv"], m["x"], m["y"] = "EC", "P-256", b64.EncodeToString(point[1:33]), b64.EncodeToString(point[33:])
		}
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64.EncodeToString(key)
	}
	return m
}

// x5c writes the chain into a header (RFC 7515 §4.1.6), or its tail as the
// scheme's samples do.
func (k signingKey) x5c(pemTail bool) []string {
	var out []string
	for i, c := range k.chain {
		der := c.Raw
		if i > 0 && pemTail {
			text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
			der = []byte(strings.ReplaceAll(text, "\n", "\r\n"))
		}
		out = append(out, base64.StdEncoding.EncodeToString(der))
	}
	return out
}

// signWith signs with the key that the header's alg asks for, which is how a
// hook makes wrong tokens.
func (p *Provider) signWith(issue *Issue) (string, error) {
	key, err := p.keyOf(issue)
	if err != nil {
		return "", err
	}
	compact, err := signJWT(key, issue.Header, issue.Claims, p.desc.headerOrder, p.desc.claimOrder)
	if err == nil && issue.Rewrite != nil {
		compact = issue.Rewrite(compact)
	}
	return compact, err
}

// keyOf chooses the key for signWith; nil leaves the signature empty.
func (p *Provider) keyOf(issue *Issue) (any, error) {
	alg := text(issue.Header, "alg")
	a, ok := jwsAlgOf(alg)
	switch {
	case !ok:
		return nil, nil
	case a.family == "HS" && issue.Secret != nil:
		return issue.Secret, nil
	case a.family == "HS":
		return []byte(p.client.secret), nil
	case issue.Key != nil && fits(a, issue.Key.Public()):
		return issue.Key, nil
	}
	own, ok := p.keyFor(alg)
	if !ok || issue.Key != nil {
		return nil, fmt.Errorf("oidctest: no key for %q", alg)
	}
	return own.private, nil
}

func encodePEM(kind string, blocks ...[]byte) []byte {
	var out []byte
	for _, b := range blocks {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})...)
	}
	return out
}
