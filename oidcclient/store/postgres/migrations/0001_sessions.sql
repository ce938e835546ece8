CREATE TABLE {sessions} (
    key          text COLLATE "C" PRIMARY KEY,
    version      bigint NOT NULL,
    data         text NOT NULL,
    names        text[] COLLATE "C" NOT NULL,
    expires_at   timestamptz NOT NULL,
    gone_at      timestamptz NOT NULL,
    holder       text NOT NULL DEFAULT '',
    leased_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- What is sealed does not get shorter.
ALTER TABLE {sessions} ALTER COLUMN data SET STORAGE EXTERNAL;

-- With the list of pending entries, a logout searches all of it, ten times slower,
-- and nothing else gets faster.
CREATE INDEX {prefix}sessions_names ON {sessions} USING gin (names) WITH (fastupdate = off);
CREATE INDEX {prefix}sessions_gone_at ON {sessions} (gone_at);

CREATE TABLE {marks} (
    key     text COLLATE "C" PRIMARY KEY,
    gone_at timestamptz NOT NULL
);

CREATE INDEX {prefix}marks_gone_at ON {marks} (gone_at);

COMMENT ON TABLE {sessions} IS 'sessions: contents sealed, names hashed';
COMMENT ON COLUMN {sessions}.expires_at IS 'as the application said, by its clock';
COMMENT ON COLUMN {sessions}.gone_at IS 'the same by the clock here, which decides';
COMMENT ON TABLE {marks} IS 'what may happen once only';
