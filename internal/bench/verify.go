package bench

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

var errRefused = errors.New("refused")

// verifyCases are ordinary ID tokens, with keys that were fetched before.
func verifyCases() ([]Case, error) {
	var cases []Case
	for _, k := range newKeys() {
		raw := k.idToken()
		bound := 1.40
		if k.alg == "ES256" || k.alg == "EdDSA" {
			bound = 1.20
		}
		c := Case{Name: "Verify/" + k.alg, Limit: "limit", Bound: bound, Ahead: true, Columns: []Column{
			{"limit", k.limit(raw)},
			{"limit+decode", func() error { return k.byHand(raw, nonce) }},
		}}
		for _, p := range Peers() {
			verify, err := p.Verifier(k.alg, k.jwks())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			c.Columns = append(c.Columns, Column{p.Name, func() error { return verify(context.Background(), raw) }})
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// limit is the bare signature over the digest.
func (k key) limit(raw string) func() error {
	input, signature := raw[:strings.LastIndexByte(raw, '.')], must(base64.RawURLEncoding.DecodeString(raw[strings.LastIndexByte(raw, '.')+1:]))
	digest := digestOf(input)
	switch public := k.signer.Public().(type) {
	case *rsa.PublicKey:
		if k.alg == "PS256" {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return func() error { return rsa.VerifyPSS(public, crypto.SHA256, digest, signature, options) }
		}
		return func() error { return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) }
	case *ecdsa.PublicKey:
		der := must(asn1Of(signature))
		return func() error { return holds(ecdsa.VerifyASN1(public, digest, der)) }
	}
	public := k.signer.Public().(ed25519.PublicKey)
	message := []byte(input)
	return func() error { return holds(ed25519.Verify(public, message, signature)) }
}

func holds(ok bool) error {
	if !ok {
		return errRefused
	}
	return nil
}

// byHand is the limit with what nobody can leave out: base64, a struct of the
// claims, and the comparisons.
func (k key) byHand(raw, nonce string) error {
	parts := strings.Split(raw, ".")
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return err
		}
	}
	var header struct{ Alg, Kid string }
	var c struct {
		Iss, Sub, Aud, Nonce string
		AtHash               string `json:"at_hash"`
		Exp, Iat             int64
	}
	if err := errors.Join(json.Unmarshal(decoded[0], &header), json.Unmarshal(decoded[1], &c)); err != nil {
		return err
	}
	input := raw[:strings.LastIndexByte(raw, '.')]
	if err := k.verify(input, decoded[2]); err != nil || header.Alg != k.alg {
		return errRefused
	}
	now := time.Now().Unix()
	if c.Iss != issuer || c.Aud != clientID || c.Nonce != nonce || c.Exp < now || c.Iat > now+30 || c.AtHash != k.atHash() {
		return errRefused
	}
	return nil
}

func (k key) verify(input string, signature []byte) error {
	switch public := k.signer.Public().(type) {
	case *rsa.PublicKey:
		if k.alg == "PS256" {
			return rsa.VerifyPSS(public, crypto.SHA256, digestOf(input), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digestOf(input), signature)
	case *ecdsa.PublicKey:
		der, err := asn1Of(signature)
		return errors.Join(err, holds(ecdsa.VerifyASN1(public, digestOf(input), der)))
	}
	return holds(ed25519.Verify(k.signer.Public().(ed25519.PublicKey), []byte(input), signature))
}
