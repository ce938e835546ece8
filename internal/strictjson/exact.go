package strictjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// exact returns text without the members for which the type it will be decoded
// into has no field of exactly that name, so that encoding/json is left nothing
// to fold. The text is known to be valid. With closed, the first such member is
// an error. Inside types that decode themselves it is theirs to say.
func exact(text string, t reflect.Type, at string, closed bool) (string, error) {
	for t.Kind() == reflect.Pointer && !decodesItself(t) {
		t = t.Elem()
	}
	switch {
	case decodesItself(t), decodesItself(reflect.PointerTo(t)):
		return text, nil
	case t.Kind() == reflect.Struct && text[0] == '{':
		return exactStruct(text, t, at, closed)
	case t.Kind() == reflect.Map && text[0] == '{':
		return rewrite(newObject(text), at, func(string) (reflect.Type, bool) { return t.Elem(), true }, closed)
	case (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && text[0] == '[':
		elements := split(text)
		for i := range elements {
			var err error
			if elements[i], err = exact(elements[i], t.Elem(), at, closed); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(elements, ",") + "]", nil
	}
	return text, nil
}

func decodesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Unmarshaler]()) || t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func exactStruct(text string, t reflect.Type, at string, closed bool) (string, error) {
	fields := map[string]reflect.Type{}
	collect(t, fields, map[reflect.Type]bool{})
	return rewrite(newObject(text), at, func(name string) (reflect.Type, bool) {
		field, ok := fields[name]
		return field, ok
	}, closed)
}

// collect finds the names of a struct's fields, as encoding/json has them. That a
// name is there which encoding/json would not use does no harm: it is exact.
func collect(t reflect.Type, fields map[string]reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	for _, embedded := range []bool{true, false} { // a struct's own fields win
		for i := range t.NumField() {
			field := t.Field(i)
			tag := field.Tag.Get("json")
			name, _, _ := strings.Cut(tag, ",")
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch promoted := field.Anonymous && name == "" && inner.Kind() == reflect.Struct; {
			case tag == "-", promoted != embedded, !field.IsExported() && !promoted:
			case promoted:
				collect(inner, fields, seen)
			case name != "":
				fields[name] = field.Type
			default:
				fields[field.Name] = field.Type
			}
		}
	}
}

// rewrite writes the members of an object that have a type.
func rewrite(o Object, at string, typeOf func(name string) (reflect.Type, bool), closed bool) (string, error) {
	var out strings.Builder
	out.WriteByte('{')
	for _, m := range o.members {
		inner := m.name
		if at != "" {
			inner = at + "." + m.name
		}
		t, ok := typeOf(m.name)
		switch {
		case !ok && closed:
			return "", &Error{Member: cut(inner), Reason: "is not a known member"}
		case !ok:
			continue
		}
		value, err := exact(m.value, t, inner, closed)
		if err != nil {
			return "", err
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return "", errWrongType
		}
		out.Write(name)
		out.WriteByte(':')
		out.WriteString(value)
	}
	out.WriteByte('}')
	return out.String(), nil
}
