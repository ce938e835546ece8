package strictjson

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseObject checks text, which must be one object nested at most maxDepth
// deep, itself included. The Object keeps a copy of it.
func ParseObject(text []byte, maxDepth int) (Object, error) {
	if err := checkDepth(text, maxDepth); err != nil {
		return Object{}, err
	}
	switch value := jsontext.Value(text); {
	case !value.IsValid():
		return Object{}, explain(text)
	case value.Kind() != '{':
		return Object{}, errNotObject
	}
	return newObject(string(text)), nil
}

// newObject finds the members in a text that is known to be a valid object.
func newObject(text string) Object {
	s := scanner{text: text}
	o := Object{text, make([]member, 0, min(strings.Count(text, ":"), 16))}
	for s.open('{'); !s.close('}'); {
		m := member{name: unquote(s.next())}
		s.pos++ // the colon
		m.value = s.next()
		o.members = append(o.members, m)
	}
	return o
}

// split finds the elements of an array that is known to be valid.
func split(text string) []string {
	s := scanner{text: text}
	list := make([]string, 0, 1)
	for s.open('['); !s.close(']'); {
		list = append(list, s.next())
	}
	return list
}

// A scanner walks over the values of a text that is known to be valid.
type scanner struct {
	text string
	pos  int
}

// open skips the first bracket.
func (s *scanner) open(bracket byte) { s.pos = strings.IndexByte(s.text, bracket) + 1 }

// close skips what stands between two values, and reports whether the end was
// reached.
func (s *scanner) close(bracket byte) bool {
	s.space()
	if s.text[s.pos] == ',' {
		s.pos++
		s.space()
	}
	return s.text[s.pos] == bracket
}

func (s *scanner) space() {
	for isSpace(s.text[s.pos]) {
		s.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// next returns the text of the next value, and stops before what follows it.
func (s *scanner) next() string {
	s.space()
	begin := s.pos
	for depth := 0; ; {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.string()
		case c == '{' || c == '[':
			depth++
			s.pos++
		case c == '}' || c == ']':
			depth--
			s.pos++
		default:
			s.pos++
		}
		if depth == 0 && s.ended(begin) {
			value := s.text[begin:s.pos]
			s.space()
			return value
		}
	}
}

// ended reports whether the value that began there is over: a string and a
// bracket end with themselves, a literal before what can't be in one.
func (s *scanner) ended(begin int) bool {
	switch s.text[begin] {
	case '"', '{', '[':
		return true
	}
	c := s.text[s.pos]
	return c == ',' || c == '}' || c == ']' || isSpace(c)
}

// string skips a string.
func (s *scanner) string() {
	for s.pos++; s.text[s.pos] != '"'; s.pos++ {
		if s.text[s.pos] == '\\' {
			s.pos++
		}
	}
	s.pos++
}

// unquote returns the value of a string that is known to be valid.
func unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	value, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		// The whole text was valid.
		return ""
	}
	return string(value)
}

// checkDepth counts brackets outside strings. Whether they match is for the
// parser to say.
func checkDepth(text []byte, limit int) error {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return errDepth
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
