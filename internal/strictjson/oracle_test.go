package strictjson

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// container is an open object or array that the oracle is in.
type container struct {
	names     map[string]bool // nil in an array
	expectKey bool
}

// plain reports, by way of encoding/json alone, whether a text is one object
// with nothing twice in it and at most limit levels.
func plain(text []byte, limit int) bool {
	if !json.Valid(text) || !utf8.Valid(text) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // the bounds of a float64 are no syntax
	var open []*container
	for first := true; ; first = false {
		token, err := decoder.Token()
		if err != nil {
			return true // the text's end: it is valid
		}
		if first && token != json.Delim('{') {
			return false
		}
		var in *container
		if len(open) > 0 {
			in = open[len(open)-1]
		}
		if name, ok := token.(string); ok && in != nil && in.expectKey {
			if in.names[name] {
				return false
			}
			in.names[name], in.expectKey = true, false
			continue
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if in != nil && in.names != nil {
			in.expectKey = true // after this value
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &container{names: map[string]bool{}, expectKey: true})
		case json.Delim('['):
			open = append(open, &container{})
		}
		if len(open) > limit {
			return false
		}
	}
}

// surrogates are escapes of which encoding/json takes halves too.
var surrogates = regexp.MustCompile(`(?i)\\ud[89a-f]`)

// What is strict for us and what is plain for encoding/json is the same.
func FuzzAgainstEncodingJSON(f *testing.F) {
	seeds := []string{
		`{}`, `[]`, ``, ` {"a":1} `, `{"a":1,"a":2}`, `{"a":{"b":1},"b":1}`, `{"a":[{"b":1,"b":1}]}`, `{"a":1,"A":1}`,
		`{"a":"\u0041","\u0061":1}`, "{\"a\":\"\xff\"}", `{"a":1}x`, `{"a":1e400,"b":-0.0E-5}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`,
		`{"a":[1,"a",null,true,false,{}]}`, `{"":{"":{"":""}}}`, `{"a":"}{\"]["}`, strings.Repeat(`{"a":`, 16) + "1" + strings.Repeat("}", 16),
		strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17),
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		const limit = 16
		want := plain(text, limit)
		_, err := ParseObject(text, limit)
		if want != (err == nil) && !surrogates.Match(text) {
			t.Fatalf("plain: %t, but %v", want, err)
		}
		var any map[string]any
		if strict := Unmarshal(text, &any, limit); (strict == nil) != (err == nil) && string(bytes.TrimSpace(text)) != "null" {
			t.Fatalf("two readers of ours disagree: %v, but %v", err, strict)
		}
	})
}

func TestCaseMakesAnotherName(t *testing.T) {
	// U+017F is an s to whom folds case, as encoding/json does.
	o, err := ParseObject([]byte(`{"sub":"alice","SUB":"mallory","Sub":"eve","ſub":"trent"}`), 2)
	require.NoError(t, err)
	sub, ok, err := o.String("sub")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "alice", sub)

	var claims struct {
		Sub string `json:"sub"`
		Iss string `json:"iss"`
	}
	require.NoError(t, o.Decode(&claims))
	assert.Equal(t, "alice", claims.Sub)
	other, err := ParseObject([]byte(`{"ISS":"mallory","ſub":"mallory"}`), 2)
	require.NoError(t, err)
	_, ok, _ = other.String("sub")
	assert.False(t, ok)
	claims.Sub = ""
	require.NoError(t, other.Decode(&claims))
	assert.Empty(t, claims.Sub)
	assert.Empty(t, claims.Iss)
}

func TestDepthIsCountedExactly(t *testing.T) {
	text := []byte(`{"a":[{"b":"]]]]}}}} \" [[[["}]}`)
	_, err := ParseObject(text, 3)
	assert.NoError(t, err)
	_, err = ParseObject(text, 2)
	assert.ErrorIs(t, err, errDepth)
	var v any
	assert.NoError(t, Unmarshal(text, &v, 3))
	assert.ErrorIs(t, Unmarshal(text, &v, 2), errDepth)
	assert.ErrorIs(t, UnmarshalClosed(text, &v, 2), errDepth)
}

func TestWrongTypes(t *testing.T) {
	o, err := ParseObject([]byte(`{"s":"x","n":1,"b":true,"a":["x",1],"o":{},"z":null}`), 3)
	require.NoError(t, err)
	for _, name := range []string{"s", "n", "b", "a", "o", "z", "absent"} {
		_, ok, err := o.String(name)
		assert.Equal(t, name == "s", ok, name)
		assert.Equal(t, name != "s" && name != "z" && name != "absent", err != nil, name)
		_, ok, err = o.Number(name)
		assert.Equal(t, name == "n", ok, name)
		assert.Equal(t, name != "n" && name != "z" && name != "absent", err != nil, name)
		_, ok, err = o.Bool(name)
		assert.Equal(t, name == "b", ok, name)
		assert.Equal(t, name != "b" && name != "z" && name != "absent", err != nil, name)
		_, ok, err = o.Object(name)
		assert.Equal(t, name == "o", ok, name)
		assert.Equal(t, name != "o" && name != "z" && name != "absent", err != nil, name)
		_, ok, err = o.Strings(name)
		assert.Equal(t, name == "s", ok, name)
		assert.Equal(t, name != "s" && name != "z" && name != "absent", err != nil, name)
	}
	var zero Object
	_, ok := zero.Raw("s")
	assert.False(t, ok)
	assert.Zero(t, zero.Len())
	assert.False(t, zero.Has("s"))
	assert.ErrorIs(t, zero.Decode(&struct{}{}), errNotObject)
}
