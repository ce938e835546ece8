package pgstore

import (
	"testing"

	"github.com/jackc/pgx/v5"

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
			storetest.Test(t, func(t *testing.T) storetest.Store {
				return newStore(t, connect(t, engine.URL+test.settings, test.mode), Config{Prefix: "contract_"})
			})
		})
	}
}
