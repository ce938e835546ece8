package redisstore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrefixes(t *testing.T) {
	client := connect(t, engine.URL)
	tests := []struct{ prefix, base string }{
		{"", "{rely:1}:"},
		{"rely", "{rely:1}:"},
		{"Shop.eu-west_1:a", "{Shop.eu-west_1:a:1}:"},
		{strings.Repeat("a", 64), "{" + strings.Repeat("a", 64) + ":1}:"},
		{strings.Repeat("a", 65), ""},
		{"a}b", ""},
		{"{a", ""},
		{"a b", ""},
		{"a\n", ""},
		{"ä", ""},
	}
	for _, test := range tests {
		t.Run(test.prefix, func(t *testing.T) {
			s, err := New(client, Config{Prefix: test.prefix})
			if test.base == "" {
				require.ErrorContains(t, err, "Config.Prefix has to be")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.base, s.base)
		})
	}
	_, err := New(nil, Config{})
	require.EqualError(t, err, "redisstore: no client")
}
