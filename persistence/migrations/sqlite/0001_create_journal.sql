-- Twin of postgres/0001_create_journal.sql. Keep the column names and meanings identical.
--
-- The append-only record of everything that happened. Rows are never updated or deleted. A row is a
-- frame: consecutive events of a shard that became durable together.
--
-- Who may append is decided by shard_fence: an append moves the fence rows of its shards, and only
-- if it knows both the epoch of the newest owner and the next position. The primary key of the
-- journal is a second guard that should never be needed.
--
-- There is no index by stream: names of orders are spread like digests, so each commit would
-- change a page per order. Where a stream's events lie is a view, read_histories.
--
-- The journal keeps its rowid on purpose: new rows always go to the end of the table, which
-- measured less than half the space of WITHOUT ROWID for large rows.

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
    shard         INTEGER NOT NULL,
    -- position of the last event in the row; the first follows the row before
    last_position INTEGER NOT NULL CHECK (last_position >= 1),
    epoch         INTEGER NOT NULL,
    -- hash of the last event: SHA-256 over the hash before it in the shard and all that is stored
    last_hash     BLOB    NOT NULL CHECK (length(last_hash) = 32),
    -- CRC-32 of everything else in the row
    checksum      INTEGER NOT NULL,
    -- consecutive events as a JSON array; what each of its places says is told by the view below
    events        TEXT    NOT NULL,
    PRIMARY KEY (shard, last_position)
) STRICT;

-- For people with a shell: a row per event, without what only programs check.
CREATE VIEW journal_readable AS
SELECT journal.shard,
       event.value ->> 0 AS position,
       -- kind/key
       event.value ->> 1 AS stream,
       event.value ->> 2 AS version,
       event.value ->> 3 AS event_name,
       event.value ->> 4 AS schema_version,
       -- stored as microseconds since the Unix epoch
       strftime('%Y-%m-%dT%H:%M:%fZ', (event.value ->> 5) / 1000000.0, 'unixepoch') AS recorded_at,
       -- place 6 is the slot of the key, of 1,024, so that shards can be split later
       -- stable over retries of the same batch
       event.value ->> 7 AS event_id,
       -- places 8 and 9 are the CRC-32 and the hash of the event
       -- cause, idempotency key, fingerprint and principal
       event.value -> 10 AS meta,
       -- the event; its shape is given by event_name and schema_version
       event.value -> 11 AS payload
FROM journal, json_each(journal.events) AS event;
