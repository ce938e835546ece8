package challenge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for header, want := range map[string][]Challenge{
		"":       nil,
		" , ,":   nil,
		"Basic":  {{Scheme: "basic"}},
		"A, b ,": {{Scheme: "a"}, {Scheme: "b"}},
		`DPoP error="use_dpop_nonce", error_description="needs a nonce"`: {{Scheme: "dpop", Params: map[string]string{
			"error": "use_dpop_nonce", "error_description": "needs a nonce",
		}}},
		`dPoP ERROR=use_dpop_nonce`: {{Scheme: "dpop", Params: map[string]string{"error": "use_dpop_nonce"}}},
		`Bearer, DPoP algs="ES256 PS256"`: {{Scheme: "bearer"}, {Scheme: "dpop", Params: map[string]string{
			"algs": "ES256 PS256",
		}}},
		`Bearer realm="a, DPoP error=x", scope = "b c",DPoP	error`: nil, // a tab is no space
		`Bearer realm="a, DPoP error=x", scope = "b c", DPoP error=y`: {
			{Scheme: "bearer", Params: map[string]string{"realm": "a, DPoP error=x", "scope": "b c"}},
			{Scheme: "dpop", Params: map[string]string{"error": "y"}},
		},
		`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`: {
			{Scheme: "newauth", Params: map[string]string{"realm": "apps", "type": "1", "title": `Login to "apps"`}},
			{Scheme: "basic", Params: map[string]string{"realm": "simple"}},
		},
		"Negotiate a87421000492aa874209af8bc028==, Basic realm=x": {
			{Scheme: "negotiate", Token68: "a87421000492aa874209af8bc028=="}, {Scheme: "basic", Params: map[string]string{"realm": "x"}},
		},
	} {
		got, err := Parse(header)
		if want == nil && strings.Trim(header, " ,") != "" {
			assert.Error(t, err, header)
			continue
		}
		require.NoError(t, err, header)
		assert.Equal(t, want, got, header)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, header := range []string{
		`"DPoP"`, `=`, `DPoP "x"`, `DPoP a="`, `DPoP a="\`, `DPoP a="x`, `DPoP a=b c=d`, `DPoP a="b"c=d`, `DPoP a=1, a=2`,
		`DPoP a=1, A=2`, "DPoP a=\"\x00\"", "DPoP a=\"b\nc\"", "DPoP(a=b)", `DPoP a=b, =`, `DPoP =a`, "DPoP\x00", "DPoP é=b",
		"DPoP " + strings.Repeat("a", maxHeader),
		"DPoP a0=" + strings.Join(many(maxParams+1), ", "),
	} {
		_, err := Parse(header)
		assert.Error(t, err, "%.60q", header)
	}
	_, err := Parse("DPoP " + strings.Join(many(maxParams), ", "))
	assert.NoError(t, err)
}

func many(n int) []string {
	params := make([]string, n)
	for i := range params {
		params[i] = strings.Repeat("a", i+1) + "=b"
	}
	return params
}

func TestFind(t *testing.T) {
	headers := []string{`broken "`, `Bearer realm=x`, `DPOP error=a`, `dpop error=b`}
	got, ok := Find(headers, "dpop")
	assert.True(t, ok)
	assert.Equal(t, "a", got.Params["error"])
	_, ok = Find(headers, "broken")
	assert.False(t, ok)
}

// FuzzParse looks for panics, and for challenges that are read differently when
// they are written again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`DPoP error="use_dpop_nonce"`, `Bearer realm="a\"b", DPoP algs=ES256`, `Negotiate abc==, Basic realm=x`, `a b`, `, a=b`, `Basic  x = "y" ,,`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		read, err := Parse(header)
		if err != nil {
			return
		}
		var again []string
		for _, c := range read {
			var params []string
			for name, value := range c.Params {
				params = append(params, name+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`)
			}
			again = append(again, strings.TrimSpace(c.Scheme+" "+c.Token68+strings.Join(params, ", ")))
		}
		text := strings.Join(again, ", ")
		if len(text) > maxHeader {
			return
		}
		same, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, read, same, text)
	})
}
