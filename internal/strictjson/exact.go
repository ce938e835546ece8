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
	fields := fieldsOf(t)
	return rewrite(newObject(text), at, func(name string) (reflect.Type, bool) {
		field := fields[name]
		return field, field != nil
	}, closed)
}

// fieldsOf returns a struct's fields by their names, as encoding/json has them:
// those of embedded structs where nothing less deep has the name. A name that is
// there twice at one depth is nobody's, and has no type: encoding/json ignores
// both fields, and would look for one whose name folds to it.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	seen := map[reflect.Type]bool{t: true}
	for level := []reflect.Type{t}; len(level) > 0; {
		here, deeper := map[string][]reflect.Type{}, []reflect.Type{}
		for _, t := range level {
			for i := range t.NumField() {
				field := t.Field(i)
				name, embedded := nameOf(field)
				switch {
				case embedded != nil && !seen[embedded]:
					seen[embedded] = true
					deeper = append(deeper, embedded)
				case embedded == nil && name != "":
					here[name] = append(here[name], field.Type)
				}
			}
		}
		for name, types := range here {
			if _, less := fields[name]; less {
				continue
			}
			if fields[name] = nil; len(types) == 1 {
				fields[name] = types[0]
			}
		}
		level = deeper
	}
	return fields
}

// nameOf returns the name of a field, or "" if it has none, or the struct whose
// fields stand in its place.
func nameOf(field reflect.StructField) (name string, embedded reflect.Type) {
	tag := field.Tag.Get("json")
	name, _, _ = strings.Cut(tag, ",")
	inner := field.Type
	if inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	switch {
	case tag == "-":
		return "", nil
	case field.Anonymous && name == "" && inner.Kind() == reflect.Struct:
		return "", inner
	case !field.IsExported():
		return "", nil
	case name == "":
		return field.Name, nil
	}
	return name, nil
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
