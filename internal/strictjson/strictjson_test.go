package strictjson

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseObject(t *testing.T) {
	o, err := ParseObject([]byte(` {"a":"x\u0041","b":[1,"2"],"c":null,"d":12345678901234567890.5,"e":{"f":[]},"g":true,"l":["p","q"]} `), 3)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c", "d", "e", "g", "l"}, slices.Collect(o.Names()))
	s, ok, err := o.String("a")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "xA", s)
	_, ok, err = o.String("c")
	require.NoError(t, err)
	assert.False(t, ok, "null is absent")
	_, _, err = o.String("d")
	assert.Error(t, err)
	_, ok, _ = o.String("A")
	assert.False(t, ok, "exact names")
	n, _, err := o.Number("d")
	require.NoError(t, err)
	assert.Equal(t, json.Number("12345678901234567890.5"), n)
	_, _, err = o.Strings("b")
	assert.Error(t, err)
	l, _, err := o.Strings("l")
	require.NoError(t, err)
	assert.Equal(t, []string{"p", "q"}, l)
	l, _, err = o.Strings("a")
	require.NoError(t, err)
	assert.Equal(t, []string{"xA"}, l)
	e, _, err := o.Object("e")
	require.NoError(t, err)
	assert.Equal(t, []string{"f"}, slices.Collect(e.Names()))
	b, _, err := o.Bool("g")
	require.NoError(t, err)
	assert.True(t, b)
	var m map[string]any
	require.NoError(t, o.Decode(&m))
	assert.Equal(t, json.Number("12345678901234567890.5"), m["d"])
	var rest struct {
		D json.Number     `json:"d"`
		E json.RawMessage `json:"e"`
	}
	require.NoError(t, o.Decode(&rest))
	assert.Equal(t, json.Number("12345678901234567890.5"), rest.D)
	assert.JSONEq(t, `{"f":[]}`, string(rest.E))
}

func TestParseObjectRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":              ``,
		"array":                `[]`,
		"string":               `"{}"`,
		"twice":                `{"a":1,"a":1}`,
		"twice by escape":      `{"a":1,"\u0061":1}`,
		"twice inside":         `{"x":[{"a":1,"a":1}]}`,
		"invalid UTF-8":        "{\"a\":\"\xff\"}",
		"invalid UTF-8 inside": "{\"x\":[{\"a\":\"\xff\"}]}",
		"lone surrogate":       `{"a":"\ud800"}`,
		"trailing object":      `{}{}`,
		"trailing bracket":     `{}}`,
		"trailing NUL":         "{}\x00",
		"byte order mark":      "\ufeff{}",
		"trailing comma":       `{"a":1,}`,
		"comment":              `{"a":1/**/}`,
		"single quotes":        `{'a':1}`,
		"unquoted name":        `{a:1}`,
		"leading zero":         `{"a":01}`,
		"NaN":                  `{"a":NaN}`,
		"open":                 `{"a":1`,
		"deep":                 `{"a":[[[]]]}`,
	} {
		_, err := ParseObject([]byte(text), 3)
		assert.Error(t, err, name)
	}
	_, err := ParseObject([]byte(`{"a":`+strings.Repeat("[", 1<<20)), 32)
	assert.ErrorIs(t, err, errDepth)
}

func TestUnmarshalClosedNamesTheMember(t *testing.T) {
	var v struct {
		A struct {
			B int `json:"b"`
		} `json:"a"`
	}
	assert.NoError(t, UnmarshalClosed([]byte(`{"a":{"b":1}}`), &v, 8))
	assert.EqualError(t, UnmarshalClosed([]byte(`{"a":{"c":"s3cr3t"}}`), &v, 8), "a.c: is not a known member")
	assert.EqualError(t, UnmarshalClosed([]byte(`{"a":{"b":"s3cr3t"}}`), &v, 8), "a.b: has a value of a wrong type")
	assert.EqualError(t, UnmarshalClosed([]byte(`{"a":{"B":1}}`), &v, 8), "a.B: is not a known member")
	assert.EqualError(t, UnmarshalClosed([]byte(`{"a":{"b":1,"b":2}}`), &v, 8), "a.b: is there twice")
	assert.Error(t, Unmarshal([]byte(`{"a":{"b":1,"b":2}}`), &v, 8))
	assert.NoError(t, Unmarshal([]byte(`{"a":{"b":1,"c":2}}`), &v, 8))
	assert.Error(t, Unmarshal([]byte(`{"a":{"b":1}}`), &v, 1))
}

func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":[{"b":"\u0041"}]}`, "{\"a\":\"\xff\"}", `{"a":1}x`, `{"a":1e400}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := ParseObject(text, 16)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatal("accepted what encoding/json calls invalid")
		}
		var loose map[string]json.RawMessage
		if err := json.Unmarshal(text, &loose); err != nil {
			t.Fatal(err)
		}
		if len(loose) != o.Len() {
			t.Fatal("accepted a double member")
		}
		for name := range o.Names() {
			raw, ok := o.Raw(name)
			if ok != (string(loose[name]) != "null") || ok && string(raw) != string(loose[name]) {
				t.Fatalf("member %q differs", name)
			}
		}
	})
}

type inner struct {
	Name string `json:"name"`
}

// marked decodes itself.
type marked string

func (m *marked) UnmarshalJSON(text []byte) error {
	*m = marked("<" + string(text) + ">")
	return nil
}

type hidden struct {
	Deep string `json:"deep"`
	Both string `json:"both"`
}

type outer struct {
	*hidden
	inner
	Both    string `json:"both"`
	Tagless string
	Never   string           `json:"-"`
	List    []inner          `json:"list"`
	Map     map[string]inner `json:"map"`
	Pointer **inner          `json:"pointer"`
	Any     any              `json:"any"`
	Raw     json.RawMessage  `json:"raw"`
	Mark    marked           `json:"mark"`
	Time    time.Time        `json:"time"`
	Array   [2]inner         `json:"array"`
}

// encoding/json alone takes "NAME" for "name", at every depth.
func TestDecodeByExactNames(t *testing.T) {
	decode := func(text string) (v outer, err error) {
		v.hidden = &hidden{}
		err = Unmarshal([]byte(text), &v, 8)
		return v, err
	}
	wrong, err := decode(` {"NAME":"x","Deep":"x","BOTH":"x","tagless":"x","never":"x","Never":"x","LIST":[{}],"list":[{"Name":"x"}],
		"map":{"Key":{"nAme":"x"}},"pointer":{"NAME":"x"},"array":[{"NAME":"x"}],"private":"x","Private":"x","ſub":1} `)
	require.NoError(t, err)
	nobody := &inner{}
	assert.Equal(t, outer{hidden: &hidden{}, List: make([]inner, 1), Map: map[string]inner{"Key": {}}, Pointer: &nobody}, wrong)

	right, err := decode(`{"name":"n","deep":"d","both":"b","Tagless":"t","list":[{"name":"l"}],"map":{"k":{"name":"m"},"K":{"name":"M"}},
		"pointer":{"name":"p"},"any":{"NAME":[1e400]},"raw":{"NAME":1},"mark":{"NAME":1},"time":"2026-01-02T03:04:05Z","array":[{"name":"a"},{}]}`)
	require.NoError(t, err)
	somebody := &inner{"p"}
	assert.Equal(t, outer{
		hidden: &hidden{Deep: "d"}, inner: inner{"n"}, Both: "b", Tagless: "t", List: []inner{{"l"}},
		Map: map[string]inner{"k": {"m"}, "K": {"M"}}, Pointer: &somebody, Any: map[string]any{"NAME": []any{json.Number("1e400")}},
		Raw: json.RawMessage(`{"NAME":1}`), Mark: `<{"NAME":1}>`, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Array: [2]inner{{"a"}, {}},
	}, right)
}

type Left struct {
	Sub string `json:"sub"`
}

type Right struct {
	Sub string `json:"sub"`
}

// Two fields of one name cancel each other out, and leave the member to nobody.
// The type is made here because go vet refuses to see one written down.
func TestDecodeTwoFieldsOfOneName(t *testing.T) {
	v := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Left", Type: reflect.TypeFor[Left](), Anonymous: true},
		{Name: "Right", Type: reflect.TypeFor[Right](), Anonymous: true},
		{Name: "Folded", Type: reflect.TypeFor[string](), Tag: `json:"SUB"`},
	}))
	require.NoError(t, Unmarshal([]byte(`{"sub":"x"}`), v.Interface(), 8))
	assert.True(t, v.Elem().IsZero())
	require.NoError(t, Unmarshal([]byte(`{"SUB":"x"}`), v.Interface(), 8))
	assert.Equal(t, "x", v.Elem().FieldByName("Folded").String())
}

func TestDecodeInto(t *testing.T) {
	var v inner
	var holder any = &v
	require.NoError(t, Unmarshal([]byte(`{"NAME":"x"}`), &holder, 8))
	assert.Empty(t, v.Name, "an any that holds a pointer is looked into")
	require.NoError(t, Unmarshal([]byte(`{"name":"x"}`), &holder, 8))
	assert.Equal(t, "x", v.Name)
	assert.Error(t, Unmarshal([]byte(`{}`), nil, 8))
	assert.Error(t, Unmarshal([]byte(`{}`), v, 8))
	assert.Error(t, Unmarshal([]byte(`{}`), (*inner)(nil), 8))
	assert.Error(t, Unmarshal([]byte(`{} {}`), &v, 8))
	var list []inner
	require.NoError(t, Unmarshal([]byte(`[{"name":"a"},{"Name":"b"}]`), &list, 8))
	assert.Equal(t, []inner{{"a"}, {}}, list)
	assert.EqualError(t, UnmarshalClosed([]byte(`[{"name":"a","other":1}]`), &list, 8), "other: is not a known member")
	assert.EqualError(t, Unmarshal([]byte(`{"name":"a"} x`), &v, 8), "has text after the JSON value")
	long := strings.Repeat("n", 200)
	err := UnmarshalClosed([]byte(`{"`+long+`":1}`), &v, 8)
	assert.ErrorContains(t, err, long[:100]+"…: ")
	assert.NotContains(t, err.Error(), long[:101])
}
