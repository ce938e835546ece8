package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"strings"
)

func toBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// unsigned takes the signature away.
func unsigned(signed string) string { return signed[:strings.LastIndex(signed, ".")+1] }

func es256(more ...any) []any { return append([]any{"alg", "ES256", "kid", "ec-1"}, more...) }

// algorithmCases are T01, T03 and T04: alg is not what was agreed.
func algorithmCases(k keyring, c *collection) {
	f := idTokenFamily()
	for name, alg := range map[string]string{"none": "none", "None capitalised": "None", "nOnE mixed": "nOnE", "NONE in capitals": "NONE"} {
		f.add(k, c, "T01",
			token{name: "alg " + name + " without signature", expect: "shape", about: "not signed, alg is " + alg, header: []any{"alg", alg}, alg: "RS256", change: unsigned},
			token{name: "alg " + name + " with signature", expect: "header", about: "signed, but alg is " + alg, header: []any{"alg", alg}, alg: "RS256"})
	}
	f.add(k, c, "T01",
		token{name: "alg null", expect: "header", about: "alg is null", header: []any{"alg", nil}, alg: "RS256"},
		token{name: "alg missing", expect: "header", about: "the header has no alg", header: []any{"alg", gone{}}, alg: "RS256"},
		token{name: "alg empty", expect: "header", about: "alg is an empty string", header: []any{"alg", ""}, alg: "RS256"},
		token{name: "alg number", expect: "header", about: "alg is a number", header: []any{"alg", 256}, alg: "RS256"},
		token{name: "alg array", expect: "header", about: "alg is an array of the right one", header: []any{"alg", []string{"RS256"}}, alg: "RS256"},
		token{name: "alg none agreed", expect: "config", about: "a client that wants to accept none", header: []any{"alg", "none"}, alg: "RS256", fields: []string{"algorithms: none"}},
		token{name: "alg in the claims", expect: "header", about: "alg is in the claims, not in the header", header: []any{"alg", gone{}}, claims: []any{"alg", "RS256"}, alg: "RS256"},
	)
	f.add(k, c, "T04",
		token{name: "RS256", about: "a good token, RS256"},
		token{name: "RS512", expect: "header", about: "signed by the right key with RS512, where RS256 is agreed", header: []any{"alg", "RS512"}},
		token{name: "RS384", expect: "header", about: "signed by the right key with RS384, where RS256 is agreed", header: []any{"alg", "RS384"}},
		token{name: "PS256", expect: "header", about: "signed by the right key with PS256, where RS256 is agreed", header: []any{"alg", "PS256"}},
		token{name: "ES256", expect: "header", about: "signed by another published key with ES256, where RS256 is agreed", header: es256(), key: "ec-1"},
		token{name: "EdDSA", expect: "header", about: "signed by another published key with EdDSA, where RS256 is agreed", header: []any{"alg", "EdDSA", "kid", "ed-1"}, key: "ed-1"},
		token{name: "lower case", expect: "header", about: "alg in lower case", header: []any{"alg", "rs256"}, alg: "RS256"},
		token{name: "with blank", expect: "header", about: "alg with a blank at its end", header: []any{"alg", "RS256 "}, alg: "RS256"},
		token{name: "RSA-SHA256", expect: "header", about: "alg by its name in XML signatures", header: []any{"alg", "SHA256withRSA"}, alg: "RS256"},
		token{name: "RS1", expect: "config", about: "a client that wants to accept SHA-1", fields: []string{"algorithms: RS1"}},
		token{name: "PS256 said RS256 done", expect: "signature", about: "alg says PS256, the signature is an RS256 one", header: []any{"alg", "PS256"}, alg: "RS256", fields: []string{"algorithms: PS256"}},
		token{name: "RS512 said RS256 done", expect: "signature", about: "alg says RS512, the signature is an RS256 one", header: []any{"alg", "RS512"}, alg: "RS256", fields: []string{"algorithms: RS512"}},
	)
	for alg, key := range map[string]string{"RS384": "rsa-1", "RS512": "rsa-1", "PS256": "rsa-1", "PS384": "rsa-1", "PS512": "rsa-1", "ES256": "ec-1", "ES384": "ec-384", "ES512": "ec-521", "EdDSA": "ed-1"} {
		f.add(k, c, "T04", token{name: alg + " agreed", about: "a good token, " + alg, header: []any{"alg", alg, "kid", key}, key: key, fields: []string{"algorithms: " + alg}})
	}
}

// secretCases are T03: what an empty or short secret lets in.
func secretCases(k keyring, c *collection) {
	f := idTokenFamily()
	const secret = "0123456789abcdef0123456789abcdef"
	hs256 := []any{"alg", "HS256", "kid", gone{}}
	signed := func(secret string) func(string) string {
		return func(text string) string {
			input := strings.TrimSuffix(unsigned(text), ".")
			return input + "." + encode(hmac256([]byte(secret), input))
		}
	}
	with := func(secret string, more ...string) []string {
		return append([]string{"algorithms: HS256", "secret: " + secret}, more...)
	}
	f.add(k, c, "T03",
		token{name: "HS256", about: "a good token, HS256 with a secret of 32 bytes", header: hs256, alg: "RS256", change: signed(secret), fields: with(secret)},
		token{name: "secret empty", expect: "config", about: "HS256 is agreed, and there is no secret", header: hs256, alg: "RS256", change: signed(""), fields: []string{"algorithms: HS256"}},
		token{name: "secret short", expect: "config", about: "the secret has 31 bytes", header: hs256, alg: "RS256", change: signed(secret[1:]), fields: with(secret[1:])},
		token{name: "HS512 secret short", expect: "config", about: "the secret has 32 bytes, where HS512 needs 64", header: []any{"alg", "HS512"}, alg: "RS256", change: signed(secret), fields: []string{"algorithms: HS512", "secret: " + secret}},
		token{name: "secret beside keys", expect: "config", about: "HS256 is agreed, and there are public keys too", header: hs256, alg: "RS256", change: signed(secret), fields: with(secret, "keys: provider.json")},
		token{name: "HS256 beside RS256", expect: "config", about: "HS256 and RS256 are agreed side by side", fields: []string{"algorithms: RS256 HS256", "secret: " + secret}},
		token{name: "secret beside RS256", expect: "config", about: "a secret where only RS256 is agreed", fields: []string{"algorithms: RS256", "secret: " + secret, "keys: provider.json"}},
		token{name: "signed with empty secret", expect: "signature", about: "HS256 with the empty secret, where there is one", header: hs256, alg: "RS256", change: signed(""), fields: with(secret)},
		token{name: "signed with zeros", expect: "signature", about: "HS256 with a secret of zeros", header: hs256, alg: "RS256", change: signed(strings.Repeat("\x00", 32)), fields: with(secret)},
		token{name: "secret with zeros appended", about: "zeros at the end of a secret shorter than a block make the same HMAC key", header: hs256, alg: "RS256", change: signed(secret + "\x00"), fields: with(secret)},
		token{name: "mac cut", expect: "signature", about: "HS256 with one byte of the MAC", header: hs256, alg: "RS256", change: func(s string) string {
			s = signed(secret)(s)
			return unsigned(s) + encode(hmac256([]byte(secret), strings.TrimSuffix(unsigned(s), "."))[:1])
		}, fields: with(secret)},
		token{name: "mac missing", expect: "shape", about: "HS256 without a MAC", header: hs256, alg: "RS256", change: unsigned, fields: with(secret)},
		token{name: "RS256 where HS256", expect: "header", about: "RS256 of the provider's key, where HS256 is agreed", fields: with(secret)},
	)
}

// form is a way to write a public key.
type form struct{ name, text string }

// forms are the ways in which a published key is at hand for who guesses a
// secret.
func (k keyring) forms(name string) []form {
	public := k[name].Public()
	pkix := must(x509.MarshalPKIXPublicKey(public))
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}))
	certificate := selfSigned(k[name])
	forms := []form{
		{"PEM", text}, {"PEM CRLF", strings.ReplaceAll(text, "\n", "\r\n")}, {"PEM trailing blanks", text + "  "},
		{"PEM no last line break", strings.TrimSuffix(text, "\n")}, {"PEM leading line break", "\n" + text}, {"DER", string(pkix)},
		{"JWK", toJSON(k.public(name))}, {"JWK as published", toJSON(k.public(name, "kid", name, "use", "sig"))}, {"JWK set", k.provider()},
		{"certificate PEM", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))}, {"certificate DER", string(certificate)},
	}
	switch public := public.(type) {
	case *rsa.PublicKey:
		pkcs1 := x509.MarshalPKCS1PublicKey(public)
		forms = append(forms,
			form{"PKCS1 PEM", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}))}, form{"PKCS1 DER", string(pkcs1)},
			form{"modulus", string(public.N.Bytes())}, form{"modulus base64url", encode(public.N.Bytes())},
			form{"SSH", ssh("ssh-rsa", big.NewInt(int64(public.E)).Bytes(), append([]byte{0}, public.N.Bytes()...))})
	case *ecdsa.PublicKey:
		point := must(public.Bytes())
		forms = append(forms, form{"point", string(point)}, form{"x", string(point[1:33])}, form{"SSH", ssh("ecdsa-sha2-nistp256", []byte("nistp256"), point)})
	case ed25519.PublicKey:
		forms = append(forms, form{"octets", string(public)}, form{"SSH", ssh("ssh-ed25519", public)})
	}
	return forms
}

// ssh writes a public key as OpenSSH does.
func ssh(name string, parts ...[]byte) string {
	var b bytes.Buffer
	for _, part := range append([][]byte{[]byte(name)}, parts...) {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		b.Write(part)
	}
	return name + " " + base64.StdEncoding.EncodeToString(b.Bytes()) + "\n"
}

// confusionCases are T02: a public key as the secret of HS256.
func confusionCases(k keyring, c *collection) {
	f := idTokenFamily()
	for name, alg := range map[string]string{"rsa-1": "RS256", "ec-1": "ES256", "ed-1": "EdDSA"} {
		for _, form := range k.forms(name) {
			f.add(k, c, "T02", token{
				name: "HS256 keyed with " + name + " " + form.name, expect: "header", about: "HS256 with the public key as its secret: " + form.name,
				header: []any{"alg", "HS256", "kid", name}, alg: "RS256", fields: []string{"algorithms: " + alg},
				change: func(text string) string {
					input := strings.TrimSuffix(unsigned(text), ".")
					return input + "." + encode(hmac256([]byte(form.text), input))
				},
			})
		}
	}
}
