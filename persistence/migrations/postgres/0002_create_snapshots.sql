-- A cache of folded states, one per stream. All of it can be deleted at any time.

CREATE TABLE snapshots (
    stream   TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
    version  BIGINT  NOT NULL CHECK (version >= 1),
    shard    INTEGER NOT NULL,
    position BIGINT  NOT NULL CHECK (position >= 1),
    body     TEXT    NOT NULL,
    checksum BIGINT  NOT NULL
);

COMMENT ON COLUMN snapshots.version IS 'Version of the last event in the state.';
COMMENT ON COLUMN snapshots.shard IS 'Shard of that event.';
COMMENT ON COLUMN snapshots.position IS 'Position of that event or of a later one of the stream.';
COMMENT ON COLUMN snapshots.body IS 'The state as JSON.';
COMMENT ON COLUMN snapshots.checksum IS 'CRC-32 of all other columns.';
