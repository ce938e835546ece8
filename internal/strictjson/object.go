package strictjson

import (
	"encoding/json"
	"iter"
)

// An Object is a JSON object whose whole text was checked. Values are decoded
// when they are asked for; strings without escapes share the object's text. A
// member whose value is null counts as absent. The zero Object has no members.
type Object struct {
	text    string
	members []member
}

// member is a part of the object's text.
type member struct{ name, value string }

// Raw returns the text of a member's value, and whether there is one.
func (o Object) Raw(name string) (string, bool) {
	for i := range o.members {
		if o.members[i].name == name {
			value := o.members[i].value
			return value, value[0] != 'n'
		}
	}
	return "", false
}

// Names yields the members' names in their order, null members included.
func (o Object) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range o.members {
			if !yield(o.members[i].name) {
				return
			}
		}
	}
}

// Has reports whether there is a member, even if it is null.
func (o Object) Has(name string) bool {
	for member := range o.Names() {
		if member == name {
			return true
		}
	}
	return false
}

// Len returns the number of members, null members included.
func (o Object) Len() int { return len(o.members) }

// String returns a member that must be a string where it is there.
func (o Object) String(name string) (value string, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return "", false, nil
	case raw[0] != '"':
		return "", false, errWrongType
	}
	return unquote(raw), true, nil
}

// Strings returns a member that must be a string, which counts as a list of
// one, or an array of strings.
func (o Object) Strings(name string) (list []string, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return nil, false, nil
	case raw[0] == '"':
		return []string{unquote(raw)}, true, nil
	case raw[0] != '[':
		return nil, false, errWrongType
	}
	list = split(raw)
	for i, element := range list {
		if element[0] != '"' {
			return nil, false, errWrongType
		}
		list[i] = unquote(element)
	}
	return list, true, nil
}

// Bool returns a member that must be true or false where it is there.
func (o Object) Bool(name string) (value, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return false, false, nil
	case raw == "true", raw == "false":
		return raw == "true", true, nil
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
	case raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		return "", false, errWrongType
	}
	return json.Number(raw), true, nil
}

// List returns the texts of the elements of a member that must be an array where
// it is there.
func (o Object) List(name string) (elements []string, ok bool, err error) {
	raw, ok := o.Raw(name)
	switch {
	case !ok:
		return nil, false, nil
	case raw[0] != '[':
		return nil, false, errWrongType
	}
	return split(raw), true, nil
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
	return newObject(raw), true, nil
}
