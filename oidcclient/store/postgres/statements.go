package pgstore

import "strings"

// The statements, each one step of its own. Those that change a record under a
// condition say besides what the record was like when they began: where that
// fulfils the condition and nothing was changed, somebody else was faster, and
// asking again tells what they did.
const (
	insertSQL = `
INSERT INTO {sessions} AS s (key, version, data, names, expires_at, gone_at)
VALUES ($1::text, 1, $2::text, $3::text[], $4::timestamptz, now() + $5::bigint * interval '1 microsecond')
ON CONFLICT (key) DO UPDATE SET version = 1, data = excluded.data, names = excluded.names,
	expires_at = excluded.expires_at, gone_at = excluded.gone_at, holder = '', leased_until = '-infinity'
WHERE s.gone_at <= now()`

	replaceSQL = `
WITH changed AS (
	UPDATE {sessions} SET version = version + 1, data = $3::text, names = $4::text[], expires_at = $5::timestamptz,
		gone_at = now() + $6::bigint * interval '1 microsecond', holder = '', leased_until = '-infinity'
	WHERE key = $1::text AND version = $2::bigint AND gone_at > now()
	RETURNING 1)
SELECT EXISTS (SELECT FROM changed), (SELECT version FROM {sessions} WHERE key = $1::text AND gone_at > now())`

	loadSQL = `
SELECT key, version, data, names, expires_at FROM {sessions}
WHERE key = ANY ($1::text[]) AND gone_at > now()`

	extendSQL = `
UPDATE {sessions} SET expires_at = $2::timestamptz, gone_at = now() + $3::bigint * interval '1 microsecond'
WHERE key = $1::text AND gone_at > now()`

	leaseSQL = `
WITH changed AS (
	UPDATE {sessions} SET holder = $2::text, leased_until = now() + $3::bigint * interval '1 microsecond',
		version = version + CASE WHEN holder = $2::text AND leased_until > now() THEN 0 ELSE 1 END
	WHERE key = $1::text AND gone_at > now() AND (holder = $2::text OR leased_until <= now())
	RETURNING version, data, names, expires_at)
SELECT true, false, version, data, names, expires_at FROM changed
UNION ALL
SELECT false, holder <> $2::text AND leased_until > now(), 0, '', '{}', expires_at FROM {sessions}
WHERE key = $1::text AND gone_at > now() AND NOT EXISTS (SELECT FROM changed)`

	releaseSQL = `
UPDATE {sessions} SET holder = '', leased_until = '-infinity'
WHERE key = $1::text AND holder = $2::text`

	deleteSQL = `
WITH changed AS (
	DELETE FROM {sessions}
	WHERE key = $1::text AND gone_at > now() AND $2::bigint IN (0, version)
	RETURNING 1)
SELECT EXISTS (SELECT FROM changed), (SELECT version FROM {sessions} WHERE key = $1::text AND gone_at > now())`

	// Locked in order, so that two of these wait for each other and not in a ring.
	deleteNamedSQL = `
WITH found AS (
	SELECT key FROM {sessions} WHERE names @> $1::text[] AND gone_at > now()
	ORDER BY key FOR UPDATE)
DELETE FROM {sessions} s USING found WHERE s.key = found.key`

	onceSQL = `
INSERT INTO {marks} AS m (key, gone_at) VALUES ($1::text, now() + $2::bigint * interval '1 microsecond')
ON CONFLICT (key) DO UPDATE SET gone_at = excluded.gone_at WHERE m.gone_at <= now()`

	// An array, so that what is to be deleted is chosen once.
	sweepSessionsSQL = `
DELETE FROM {sessions} WHERE key = ANY (ARRAY(
	SELECT key FROM {sessions} WHERE gone_at <= now() ORDER BY gone_at LIMIT 100 FOR UPDATE SKIP LOCKED))`

	sweepMarksSQL = `
DELETE FROM {marks} WHERE key = ANY (ARRAY(
	SELECT key FROM {marks} WHERE gone_at <= now() ORDER BY gone_at LIMIT 100 FOR UPDATE SKIP LOCKED))`
)

// statements are those of one configuration.
type statements struct {
	insert, replace, load, extend, lease, release, delete, deleteNamed, once, sweepSessions, sweepMarks string
}

func newStatements(names *strings.Replacer) statements {
	return statements{
		insert: names.Replace(insertSQL), replace: names.Replace(replaceSQL), load: names.Replace(loadSQL),
		extend: names.Replace(extendSQL), lease: names.Replace(leaseSQL), release: names.Replace(releaseSQL),
		delete: names.Replace(deleteSQL), deleteNamed: names.Replace(deleteNamedSQL), once: names.Replace(onceSQL),
		sweepSessions: names.Replace(sweepSessionsSQL), sweepMarks: names.Replace(sweepMarksSQL),
	}
}
