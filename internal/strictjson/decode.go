package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// An Error says what is wrong with a text, and where, without quoting values.
type Error struct {
	// Member is the path of the member, in the notation of RFC 6901 with "."
	// for "/"; "" for the whole text.
	Member string
	// Reason says what is wrong.
	Reason string
}

func (e *Error) Error() string {
	if e.Member == "" {
		return e.Reason
	}
	return e.Member + ": " + e.Reason
}

var (
	errNotObject = &Error{Reason: "is not a JSON object"}
	errTrailing  = &Error{Reason: "has text after the JSON value"}
	errDepth     = &Error{Reason: "is nested too deep"}
	errWrongType = &Error{Reason: "has a value of a wrong type"}
)

// Decode decodes the object into v, as [Unmarshal] does.
func (o Object) Decode(v any) error {
	if o.text == "" {
		return errNotObject
	}
	return decode(o.text, v, false)
}

// Unmarshal decodes text into v by exact member names; unknown members are
// ignored, and a number in an any is an encoding/json Number, so that no digit
// is lost. Otherwise it is encoding/json's Unmarshal.
func Unmarshal(text []byte, v any, maxDepth int) error {
	return unmarshal(text, v, maxDepth, false)
}

// UnmarshalClosed is [Unmarshal] with unknown members refused by name.
func UnmarshalClosed(text []byte, v any, maxDepth int) error {
	return unmarshal(text, v, maxDepth, true)
}

func unmarshal(text []byte, v any, maxDepth int, closed bool) error {
	if err := checkDepth(text, maxDepth); err != nil {
		return err
	}
	if !jsontext.Value(text).IsValid() {
		return explain(text)
	}
	return decode(strings.Trim(string(text), " \t\r\n"), v, closed)
}

// decode decodes a text that is known to be valid, without space around it.
func decode(text string, v any, closed bool) error {
	target := reflect.ValueOf(v)
	for target.Kind() == reflect.Pointer && target.Elem().Kind() == reflect.Interface {
		target = target.Elem().Elem() // an any that holds a pointer is decoded into
	}
	if target.Kind() == reflect.Pointer {
		var err error
		if text, err = exact(text, target.Type(), "", closed); err != nil {
			return err
		}
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return &Error{Member: cut(wrongType.Field), Reason: errWrongType.Reason}
	}
	return errWrongType
}

// explain says what is wrong with a text that is not valid.
func explain(text []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	_, err := d.ReadValue()
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil:
		return errTrailing
	case !errors.As(err, &syntax):
		return &Error{Reason: "is not JSON"}
	}
	reason := "is not JSON"
	if errors.Is(err, jsontext.ErrDuplicateName) {
		reason = "is there twice"
	}
	return &Error{Member: cut(strings.Join(slices.Collect(syntax.JSONPointer.Tokens()), ".")), Reason: reason}
}

// cut bounds a path: names come from outside too.
func cut(path string) string {
	if len(path) > 100 {
		return path[:100] + "…"
	}
	return path
}
