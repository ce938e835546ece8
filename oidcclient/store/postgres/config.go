package pgstore

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// defaultPrefix is Config.Prefix where that is "".
const defaultPrefix = "rely_"

// Config says where a [Store] has its tables. Its zero value is good.
type Config struct {
	// Schema has the tables. Empty means the first schema of the connection's
	// search_path that there is, which has to be the same in all connections.
	Schema string
	// Prefix begins the names of tables and indexes, and keeps applications that
	// share a schema apart. Empty means "rely_". Both names are lower-case ASCII
	// letters, digits and underscores, begin with no digit, and have at most 40
	// characters; nothing else is accepted, quoted or not. Replicas have the same.
	Prefix string
	// Now tells the time from which Record.ExpiresAt is counted; nil means
	// time.Now. Expiry itself is by the database's clock.
	Now func() time.Time
}

// names puts the names of tables into a statement. PostgreSQL has no parameters
// for them.
func (c Config) names() (*strings.Replacer, error) {
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	identifier := regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)
	if !identifier.MatchString(c.Prefix) {
		return nil, errors.New("pgstore: Config.Prefix has to be 1 to 40 of a-z, 0-9 and _, not beginning with a digit")
	}
	schema := ""
	if c.Schema != "" {
		if !identifier.MatchString(c.Schema) {
			return nil, errors.New("pgstore: Config.Schema has to be 1 to 40 of a-z, 0-9 and _, not beginning with a digit")
		}
		schema = `"` + c.Schema + `".` // quoted, since it may be a reserved word
	}
	return strings.NewReplacer(
		"{schema}", c.Schema,
		"{prefix}", c.Prefix,
		"{sessions}", schema+c.Prefix+"sessions",
		"{marks}", schema+c.Prefix+"marks",
		"{versions}", schema+c.Prefix+"schema_versions",
	), nil
}
