package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// attempts bounds how often a statement is repeated that others overtook.
const attempts = 10

// errOvertaken: a record was changed while a statement waited for it. The next
// attempt sees how.
var errOvertaken = errors.New("overtaken by others each time")

// again repeats a statement that had no effect because of others that ran at the
// same time.
func again(ctx context.Context, operation string, statement func() error) error {
	var err error
	for range attempts {
		if err = statement(); err == nil {
			return nil
		}
		if !repeatable(err) {
			break
		}
	}
	return failed(ctx, operation, err)
}

// repeatable knows the two errors (PostgreSQL, appendix A, class 40) after which
// PostgreSQL has undone a statement, and another attempt is what it asks for.
func repeatable(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code == "40001" || answer.Code == "40P01"
	}
	return errors.Is(err, errOvertaken)
}

// failed keeps of PostgreSQL's answer what has no contents of a row.
func failed(ctx context.Context, operation string, err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		err = &pgconn.PgError{Severity: answer.Severity, Code: answer.Code, Message: answer.Message}
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("pgstore: %s: %w: %w", operation, ctx.Err(), err)
	}
	return fmt.Errorf("pgstore: %s: %w", operation, err)
}
