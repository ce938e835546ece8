package pgstore

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIdentifiers(t *testing.T) {
	pool := connect(t, engine.URL, pgx.QueryExecModeCacheStatement)
	tests := []struct {
		name string
		good bool
	}{
		{"", true},
		{"login", true},
		{"_login_2", true},
		{"user", true},
		{strings.Repeat("a", 40), true},
		{strings.Repeat("a", 41), false},
		{"2login", false},
		{"Login", false},
		{"lo gin", false},
		{"lo-gin", false},
		{"login.", false},
		{`login"`, false},
		{"login;", false},
		{"login\n", false},
		{"löin", false},
		{"x; DROP TABLE rely_sessions; --", false},
		{"{marks}", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, config := range []Config{{Prefix: test.name}, {Schema: test.name}} {
				_, err := New(pool, config)
				if test.good {
					assert.NoError(t, err)
					continue
				}
				assert.ErrorContains(t, err, "has to be 1 to 40 of a-z")
				assert.ErrorContains(t, Migrate(t.Context(), pool, config), "has to be 1 to 40 of a-z")
			}
		})
	}
	_, err := New(nil, Config{})
	require.EqualError(t, err, "pgstore: no pool")
}
