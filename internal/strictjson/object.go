package strictjson

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// An Object is a JSON object whose whole text was checked. Values are decoded
// when they are asked for. A member whose value is null counts as absent. The
// zero Object has no members.
type Object struct {
	text    []byte
	members []member
}

type member struct {
	name  string
	value []byte // aliases the text
}

// ParseObject checks text, which must be one object nested at most maxDepth
// deep, itself included. The Object keeps text, which must not change then.
func ParseObject(text []byte, maxDepth int) (Object, error) {
	if err := checkDepth(text, maxDepth); err != nil {
		return Object{}, err
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	if d.PeekKind() != '{' {
		return Object{}, errNotObject
	}
	if _, err := d.ReadToken(); err != nil {
		return Object{}, syntaxError(err)
	}
	o := Object{text: text, members: make([]member, 0, 16)}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return Object{}, syntaxError(err)
		}
		m := member{name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return Object{}, syntaxError(err)
		}
		// The decoder's copy lives until its next call; the text lives on.
		end := d.InputOffset()
		m.value = text[end-int64(len(value)) : end : end]
		o.members = append(o.members, m)
	}
	if _, err := d.ReadToken(); err != nil {
		return Object{}, syntaxError(err)
	}
	if len(bytes.Trim(text[d.InputOffset():], " \t\r\n")) > 0 {
		return Object{}, errTrailing
	}
	return o, nil
}

// Raw returns the text of a member's value, and whether there is one.
func (o Object) Raw(name string) ([]byte, bool) {
	for i := range o.members {
		if o.members[i].name == name {
			value := o.members[i].value
			return value, value[0] != 'n'
		}
	}
	return nil, false
}

// Names returns the members' names in their order, null members included.
func (o Object) Names() []string {
	names := make([]string, len(o.members))
	for i := range o.members {
		names[i] = o.members[i].name
	}
	return names
}

// String returns a member that must be a string where it is there.
func (o Object) String(name string) (value string, ok bool, err error) {
	raw, ok := o.Raw(name)
	if !ok {
		return "", false, nil
	}
	value, err = unquote(raw)
	return value, err == nil, err
}

// Strings returns a member that must be a string, which counts as a list of
// one, or an array of strings.
func (o Object) Strings(name string) (list []string, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return nil, false, nil
	case raw[0] == '"':
		value, err := unquote(raw)
		return []string{value}, err == nil, err
	case raw[0] != '[':
		return nil, false, errWrongType
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := d.ReadToken(); err != nil {
		return nil, false, syntaxError(err)
	}
	list = []string{}
	for d.PeekKind() != ']' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, false, syntaxError(err)
		}
		if token.Kind() != '"' {
			return nil, false, errWrongType
		}
		list = append(list, token.String())
	}
	return list, true, nil
}

// Bool returns a member that must be true or false where it is there.
func (o Object) Bool(name string) (value, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return false, false, nil
	case raw[0] == 't':
		return true, true, nil
	case raw[0] == 'f':
		return false, true, nil
	}
	return false, false, errWrongType
}

// Number returns the literal text of a member that must be a number where it is
// there.
func (o Object) Number(name string) (value json.Number, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return "", false, nil
	case jsontext.Value(raw).Kind() != '0':
		return "", false, errWrongType
	}
	return json.Number(raw), true, nil
}

// Object returns a member that must be an object where it is there.
func (o Object) Object(name string) (value Object, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return Object{}, false, nil
	case raw[0] != '{':
		return Object{}, false, errWrongType
	}
	// Its depth was bounded with that of the whole.
	value, err = ParseObject(raw, len(raw))
	return value, err == nil, err
}

func unquote(raw []byte) (string, error) {
	if raw[0] != '"' {
		return "", errWrongType
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	value, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", syntaxError(err)
	}
	return string(value), nil
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
