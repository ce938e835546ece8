package pgstore

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/store/storetest"
)

// TestContract uses the ways in which pgx sends statements, since what is between
// it and PostgreSQL may not stand all of them, and all isolation levels.
func TestContract(t *testing.T) {
	tests := []struct {
		name, settings string
		mode           pgx.QueryExecMode
	}{
		{"prepared", "", pgx.QueryExecModeCacheStatement},
		{"exec", "", pgx.QueryExecModeExec},
		{"simple", "", pgx.QueryExecModeSimpleProtocol},
		{"repeatable read", "&default_transaction_isolation=repeatable%20read", pgx.QueryExecModeCacheStatement},
		{"serializable", "&default_transaction_isolation=serializable", pgx.QueryExecModeCacheDescribe},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := Config{Prefix: "contract_"}
			url := engine.URL + test.settings
			newStore(t, connect(t, url, test.mode), config)
			storetest.Test(t, func(t *testing.T) storetest.Store {
				s, err := New(connect(t, url, test.mode), config)
				require.NoError(t, err)
				return s
			})
		})
	}
}
