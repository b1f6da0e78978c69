-- Twin of postgres/0002_create_snapshots.sql. Keep the column names and meanings identical.
--
-- A cache of folded states, one per stream. All of it can be deleted at any time.

CREATE TABLE snapshots (
    stream   TEXT    NOT NULL PRIMARY KEY,
    -- version of the last event in the state
    version  INTEGER NOT NULL CHECK (version >= 1),
    -- where that event lies, or a later one of the stream
    shard    INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 1),
    -- the state as JSON
    body     TEXT    NOT NULL,
    -- CRC-32 of all other columns
    checksum INTEGER NOT NULL
) STRICT;
