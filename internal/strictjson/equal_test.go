package strictjson

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`"a"`, `"a"`, true},
		{`"a"`, `"\u0061"`, true},
		{`"a"`, `"A"`, false},
		{`"a"`, `"a "`, false},
		{`"é"`, `"e\u0301"`, false},
		{`"1"`, `1`, false},
		{`true`, `true`, true},
		{`true`, `"true"`, false},
		{`true`, `false`, false},
		{`null`, `null`, true},
		{`null`, `""`, false},
		{`null`, `[]`, false},
		{`null`, `{}`, false},
		{`0`, `-0.00e7`, true},
		{`0`, `false`, false},
		{`1.50`, `15E-1`, true},
		{`1.5`, `-1.5`, false},
		{`100`, `1e+2`, true},
		{`100`, `1e3`, false},
		{`0.001`, `1e-03`, true},
		{`9007199254740993`, `9007199254740992`, false},
		{`1e999999999999`, `1e999999999999`, true},
		{`1e999999999999`, `10e999999999998`, true},
		{`1e999999999999`, `1e999999999998`, false},
		{`1e99999999999999999999`, `1e99999999999999999998`, false},
		{`[1,2]`, `[1.0,2]`, true},
		{`[1,2]`, `[2,1]`, false},
		{`[1,2]`, `[1,2,2]`, false},
		{`[1]`, `1`, false},
		{`1`, `[1]`, false},
		{`"a"`, `["a"]`, false},
		{`{"a":[{"b":1}]}`, `{"a":[{"b":1e0}]}`, true},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":null}`, false},
		{`{"a":1}`, `{"A":1}`, false},
		{`{}`, `[]`, false},
		{`"{}"`, `{}`, false},
	} {
		var a, b any
		require.NoError(t, Unmarshal([]byte(tt.a), &a, 8))
		require.NoError(t, Unmarshal([]byte(tt.b), &b, 8))
		assert.Equal(t, tt.want, Equal(a, b), "%s and %s", tt.a, tt.b)
		assert.Equal(t, tt.want, Equal(b, a), "%s and %s", tt.b, tt.a)
	}
}

// FuzzEqualNumbers: numbers are as equal as arithmetic says, where it can be done.
func FuzzEqualNumbers(f *testing.F) {
	for _, seed := range [][2]string{{"1", "1.0"}, {"10e-1", "1"}, {"-0", "0"}, {"0.1", "1e-1"}, {"12", "1.2"}, {"-5e2", "-500"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		var left, right any
		if Unmarshal([]byte(a), &left, 1) != nil || Unmarshal([]byte(b), &right, 1) != nil {
			return
		}
		x, isNumber := left.(json.Number)
		y, areNumbers := right.(json.Number)
		if !isNumber || !areNumbers || exponentLength(x) > 3 || exponentLength(y) > 3 {
			return
		}
		exactX, _ := new(big.Rat).SetString(x.String())
		exactY, _ := new(big.Rat).SetString(y.String())
		if want := exactX.Cmp(exactY) == 0; Equal(left, right) != want {
			t.Errorf("%s and %s: %v", a, b, !want)
		}
	})
}

func exponentLength(number json.Number) int {
	_, exponent, _ := strings.Cut(strings.ToLower(number.String()), "e")
	return len(exponent)
}
