-- Twin of postgres/0001_create_journal.sql. Keep the column names and meanings identical.
--
-- The append-only record of everything that happened. Rows are never updated or deleted.
--
-- Who may append is decided by shard_fence: an append moves the fence rows of its shards, and only
-- if it knows both the epoch of the newest owner and the next position. The primary key of the
-- journal is a second guard that should never be needed.
--
-- There is no index by stream: names of orders are spread like digests, so each commit would
-- change a page per order. Where a stream's events lie is a view, read_histories.
--
-- The journal keeps its rowid on purpose: new rows always go to the end of the table, which
-- measured 37 % (300-byte payloads) to 61 % (1,200 bytes) more events per second than WITHOUT
-- ROWID, and less than half the space for the large ones.

CREATE TABLE journal_info (
    only_row       INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    format_version INTEGER NOT NULL CHECK (format_version >= 1),
    shards         INTEGER NOT NULL CHECK (shards BETWEEN 1 AND 1024)
) STRICT, WITHOUT ROWID;

CREATE TABLE shard_fence (
    shard         INTEGER NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 1023),
    -- Grows with every owner.
    epoch         INTEGER NOT NULL CHECK (epoch >= 0),
    -- An append with another epoch or position sets NULL here and is refused for it.
    next_position INTEGER NOT NULL CHECK (next_position >= 1),
    owner         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    shard          INTEGER NOT NULL,
    position       INTEGER NOT NULL CHECK (position >= 1),
    epoch          INTEGER NOT NULL,
    slot           INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 1023),
    -- kind/key
    stream         TEXT    NOT NULL,
    version        INTEGER NOT NULL CHECK (version >= 1),
    -- 16 bytes; stable over retries of the same batch
    event_id       BLOB    NOT NULL CHECK (length(event_id) = 16),
    event_name     TEXT    NOT NULL,
    schema_version INTEGER NOT NULL CHECK (schema_version >= 1),
    -- microseconds since the Unix epoch, UTC
    recorded_at    INTEGER NOT NULL,
    -- cause, idempotency key, fingerprint and principal as JSON; empty when unknown
    meta           TEXT    NOT NULL,
    -- the event as JSON; shape given by event_name and schema_version
    payload        TEXT    NOT NULL,
    -- CRC-32 of everything above
    checksum       INTEGER NOT NULL,
    -- SHA-256 over the hash of the row before in the shard and everything above
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (shard, position)
) STRICT;

-- For people with a shell: the payload as JSON, without the bytes that only programs check.
CREATE VIEW journal_readable AS
SELECT shard, position, stream, version, event_name,
       strftime('%Y-%m-%dT%H:%M:%fZ', recorded_at / 1000000.0, 'unixepoch') AS recorded_at,
       meta, json(payload) AS payload
FROM journal;
