package strictjson

import (
	stdjson "encoding/json"
	"errors"

	"github.com/go-json-experiment/json"
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
	return decode([]byte(o.text), v)
}

// Unmarshal decodes text into v by exact member names; unknown members are
// ignored, and a number in an any is an encoding/json Number, so that no digit
// is lost.
func Unmarshal(text []byte, v any, maxDepth int) error {
	if err := checkDepth(text, maxDepth); err != nil {
		return err
	}
	return decode(text, v)
}

// UnmarshalClosed is [Unmarshal] with unknown members refused by name.
func UnmarshalClosed(text []byte, v any, maxDepth int) error {
	if err := checkDepth(text, maxDepth); err != nil {
		return err
	}
	return decode(text, v, json.RejectUnknownMembers(true))
}

func decode(text []byte, v any, options ...json.Options) error {
	options = append(options, json.WithUnmarshalers(exactNumbers))
	err := json.Unmarshal(text, v, options...)
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return syntaxError(err)
	case errors.As(err, &semantic):
		reason := errWrongType.Reason
		if errors.Is(err, json.ErrUnknownName) {
			reason = "is not a known member"
		}
		return &Error{Member: path(semantic.JSONPointer), Reason: reason}
	}
	return errWrongType
}

// exactNumbers keeps the text of numbers.
var exactNumbers = json.JoinUnmarshalers(
	json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
		if d.PeekKind() != '0' {
			return errors.ErrUnsupported
		}
		number, err := d.ReadValue()
		*v = stdjson.Number(number.String())
		return err
	}),
	json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *stdjson.Number) error {
		if d.PeekKind() != '0' {
			return errWrongType
		}
		number, err := d.ReadValue()
		*v = stdjson.Number(number.String())
		return err
	}),
)

func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return &Error{Reason: "is not JSON"}
	}
	reason := "is not JSON"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		reason = "is there twice"
	case errors.Is(err, jsontext.ErrNonStringName):
		reason = "has a name that is no string"
	}
	return &Error{Member: path(syntax.JSONPointer), Reason: reason}
}

func path(p jsontext.Pointer) string {
	text := ""
	for token := range p.Tokens() {
		if text != "" {
			text += "."
		}
		text += token
	}
	// Names come from outside too.
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}
