// Package challenge reads WWW-Authenticate (RFC 9110 §11.6.1).
package challenge

import (
	"errors"
	"strings"
)

// A Challenge is one way in which a server asks for authentication.
type Challenge struct {
	// Scheme is in lower case: schemes are compared without it (RFC 9110 §11.1).
	Scheme string
	// Token68 is what some schemes have in the place of parameters.
	Token68 string
	// Params are the parameters by their names in lower case.
	Params map[string]string
}

// maxHeader bounds a header, in bytes, and maxParams the parameters of a challenge.
const (
	maxHeader = 8 << 10
	maxParams = 32
)

var errMalformed = errors.New("challenge: header is malformed or too long")

// Find returns the first challenge of a scheme, given in lower case. A header that
// is malformed counts for nothing.
func Find(headers []string, scheme string) (Challenge, bool) {
	for _, header := range headers {
		challenges, err := Parse(header)
		if err != nil {
			continue
		}
		for _, c := range challenges {
			if c.Scheme == scheme {
				return c, true
			}
		}
	}
	return Challenge{}, false
}

// Parse reads one header with its challenges.
func Parse(header string) ([]Challenge, error) {
	if len(header) > maxHeader {
		return nil, errMalformed
	}
	p := parser{rest: header}
	var all []Challenge
	for p.separators(); p.rest != ""; p.separators() {
		c, ok := p.challenge()
		if !ok {
			return nil, errMalformed
		}
		all = append(all, c)
	}
	return all, nil
}

type parser struct{ rest string }

func (p *parser) challenge() (Challenge, bool) {
	scheme := p.take(isToken)
	if scheme == "" {
		return Challenge{}, false
	}
	c := Challenge{Scheme: strings.ToLower(scheme)}
	if p.ended() {
		return c, true
	}
	if p.take(isSpace) == "" {
		return Challenge{}, false // something else than a space follows the scheme
	}
	before := p.rest
	if c.Token68 = p.take(isToken68) + p.take(isEquals); c.Token68 != "" && p.ended() {
		return c, true
	}
	p.rest, c.Token68 = before, ""
	return c, p.params(&c)
}

// params reads parameters up to the end or to the next challenge.
func (p *parser) params(c *Challenge) bool {
	c.Params = map[string]string{}
	for {
		before := p.rest
		name := strings.ToLower(p.take(isToken))
		p.take(isBlank)
		if name != "" && !p.eat('=') && len(c.Params) > 0 {
			p.rest = before // the scheme of the next one
			return true
		}
		p.take(isBlank)
		value, ok := p.value()
		if _, twice := c.Params[name]; name == "" || !ok || twice || len(c.Params) == maxParams || !p.ended() {
			return false
		}
		c.Params[name] = value
		if p.separators(); p.rest == "" {
			return true
		}
	}
}

// value reads a token or a quoted string (RFC 9110 §5.6.4).
func (p *parser) value() (string, bool) {
	if !p.eat('"') {
		value := p.take(isToken)
		return value, value != ""
	}
	var value strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"':
			p.rest = p.rest[i+1:]
			return value.String(), true
		case c == '\\' && i+1 < len(p.rest):
			i++
			c = p.rest[i]
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
		value.WriteByte(c)
	}
	return "", false
}

// ended reports whether an element of the list is over.
func (p *parser) ended() bool {
	rest := strings.TrimLeft(p.rest, " \t")
	return rest == "" || rest[0] == ','
}

// separators passes over what stands between the elements of a list.
func (p *parser) separators() { p.rest = strings.TrimLeft(p.rest, ", \t") }

func (p *parser) eat(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) take(allowed func(byte) bool) string {
	i := 0
	for i < len(p.rest) && allowed(p.rest[i]) {
		i++
	}
	taken := p.rest[:i]
	p.rest = p.rest[i:]
	return taken
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isToken(c byte) bool {
	return isAlphanumeric(c) || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isToken68(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-._~+/", c) >= 0 }
func isEquals(c byte) bool  { return c == '=' }
func isSpace(c byte) bool   { return c == ' ' }
func isBlank(c byte) bool   { return c == ' ' || c == '\t' }
