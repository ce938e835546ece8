package main

import (
	"strconv"
	"strings"
)

// What all tokens have in common. The moment is the default of the cases.
const (
	now         = 1790000000
	issuer      = "https://op.example"
	client      = "client-1"
	subject     = "subject-000001"
	nonce       = "nonce-of-this-login"
	accessToken = "access-token-of-this-login"
	code        = "code-of-this-login"
	state       = "state-of-this-login"
)

// token is a case of a kind of token by what differs from a good one.
type token struct {
	name, expect, class, about string

	header []any  // changes of the header: names and values
	claims []any  // changes of the claims
	key    string // that signs: "" is rsa-1
	alg    string // by which it is signed: "" is the header's

	headerText, claimsText string              // in the place of header and claims
	change                 func(string) string // of the signed token
	fields                 []string
}

// family is a kind of token: where its cases go and what is good.
type family struct {
	kind           string
	header, claims object
	fields         []string
}

func idTokenFamily() family {
	return family{
		"id_token",
		object{"alg": "RS256", "kid": "rsa-1"},
		object{"iss": issuer, "sub": subject, "aud": client, "exp": now + 300, "iat": now, "nonce": nonce},
		[]string{"nonce: " + nonce},
	}
}

// sign returns the text of a case's token.
func (f family) sign(k keyring, t token) string {
	header, claims := with(f.header, t.header...), with(f.claims, t.claims...)
	headerText, claimsText := toJSON(header), toJSON(claims)
	if t.headerText != "" {
		headerText = t.headerText
	}
	if t.claimsText != "" {
		claimsText = t.claimsText
	}
	key, alg := t.key, t.alg
	if key == "" {
		key = "rsa-1"
	}
	if alg == "" {
		alg = header["alg"].(string)
	}
	signed := compact(k[key], alg, headerText, claimsText)
	if t.change != nil {
		signed = t.change(signed)
	}
	return signed
}

// add signs the tokens of a class and adds them. A field "name: -" takes a field
// of the family away.
func (f family) add(k keyring, c *collection, class string, tokens ...token) {
	for _, t := range tokens {
		if t.class == "" {
			t.class = class
		}
		if t.expect == "" {
			t.expect = "ok"
		}
		e := entry{name: t.name, expect: t.expect, class: t.class, about: t.about, fields: merge(f.fields, t.fields)}
		e.setInput(f.sign(k, t))
		c.add(f.kind, e)
	}
}

// merge returns the fields, those of more in the place of those of base with the
// same name.
func merge(base, more []string) (fields []string) {
	named := func(field string) bool {
		name, _, _ := strings.Cut(field, ": ")
		for _, other := range more {
			if strings.HasPrefix(other, name+": ") {
				return true
			}
		}
		return false
	}
	for _, field := range base {
		if !named(field) {
			fields = append(fields, field)
		}
	}
	for _, field := range more {
		if !strings.HasSuffix(field, ": -") {
			fields = append(fields, field)
		}
	}
	return fields
}

// setInput writes long repetitions of four characters, which is what three bytes
// become in base64, as a field.
func (e *entry) setInput(text string) {
	const least = 64
	for i := 0; i+4*least <= len(text); i++ {
		unit := text[i : i+4]
		n := 1
		for strings.HasPrefix(text[i+4*n:], unit) {
			n++
		}
		if n < least || strings.Index(text, unit) != i {
			continue
		}
		text = text[:i+4] + text[i+4*n:]
		e.fields = append(e.fields, "repeat: "+strconv.Itoa(n)+" "+unit)
	}
	e.input = text
}

// text returns the file of a case.
func (e entry) text() string {
	var b strings.Builder
	lines := append([]string{"expect: " + e.expect, "class: " + e.class, "about: " + e.about}, e.fields...)
	input := e.input
	if e.binary {
		lines = append(lines, "encoding: base64")
		input = toBase64(input)
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n" + input)
	return b.String()
}
