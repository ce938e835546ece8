package strictjson

import (
	"strings"
	"testing"
)

// FuzzErrors: an error is short, whatever text it is about.
func FuzzErrors(f *testing.F) {
	long := strings.Repeat("member", 1000)
	f.Add(`{"` + long + `":1,"` + long + `":2}`)
	f.Add(`{"a":{"b":1,"b":2}}`)
	f.Add(`{"a":"` + long)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseObject([]byte(text), 8); err != nil && len(err.Error()) >= 300 {
			t.Fatalf("error of %d bytes", len(err.Error()))
		}
	})
}
