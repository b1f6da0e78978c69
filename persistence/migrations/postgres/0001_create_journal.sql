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
-- Events are bytea, which costs the server about half of what jsonb does; the view journal_readable
-- shows them as JSON.

CREATE TABLE journal_info (
    only_row       INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    format_version BIGINT  NOT NULL CHECK (format_version >= 1),
    shards         INTEGER NOT NULL CHECK (shards BETWEEN 1 AND 1024)
);

CREATE TABLE shard_fence (
    shard          INTEGER NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 1023),
    epoch          BIGINT  NOT NULL CHECK (epoch >= 0),
    next_position  BIGINT  NOT NULL CHECK (next_position >= 1),
    owner          TEXT    NOT NULL,
    writer_pid     INTEGER,
    writer_started TIMESTAMPTZ
-- Every append updates these few rows: room for the next version on the same page.
) WITH (fillfactor = 25);

COMMENT ON COLUMN shard_fence.epoch IS 'Grows with every owner.';
COMMENT ON COLUMN shard_fence.writer_pid IS
    'Server process of the writer, for a successor that has to end it; told apart from a later one with the same number by writer_started.';

CREATE TABLE journal (
    shard         INTEGER NOT NULL,
    last_position BIGINT  NOT NULL CHECK (last_position >= 1),
    epoch         BIGINT  NOT NULL,
    last_hash     BYTEA   NOT NULL CHECK (length(last_hash) = 32),
    checksum      BIGINT  NOT NULL,
    events        BYTEA   NOT NULL,
    PRIMARY KEY (shard, last_position)
);

-- Compressing would cost more than all the rest of an append.
ALTER TABLE journal ALTER COLUMN events SET STORAGE EXTERNAL;

COMMENT ON COLUMN journal.last_position IS
    'Position of the last event in the row; the first follows the row before.';
COMMENT ON COLUMN journal.last_hash IS
    'Hash of the last event: SHA-256 over the hash before it in the shard and all that is stored.';
COMMENT ON COLUMN journal.checksum IS 'CRC-32 of everything else in the row.';
COMMENT ON COLUMN journal.events IS
    'Consecutive events as a JSON array in UTF-8; journal_readable tells what its places say.';

-- Refuses an append that did not move every fence row that it needs.
CREATE FUNCTION journal_fences_held(moved BIGINT, needed BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
BEGIN
    IF moved <> needed THEN
        RAISE EXCEPTION 'fenced: % of % shards are ours', moved, needed USING ERRCODE = 'MRF01';
    END IF;
    RETURN TRUE;
END
$$;

-- For people with a shell: a row per event, without what only programs check.
CREATE VIEW journal_readable AS
SELECT journal.shard,
       (event ->> 0)::bigint AS position,
       event ->> 1 AS stream,
       (event ->> 2)::bigint AS version,
       event ->> 3 AS event_name,
       (event ->> 4)::integer AS schema_version,
       to_timestamp((event ->> 5)::bigint / 1000000.0) AS recorded_at,
       (event ->> 7)::uuid AS event_id,
       event -> 10 AS meta,
       event -> 11 AS payload
FROM journal,
     LATERAL jsonb_array_elements(convert_from(journal.events, 'UTF8')::jsonb) AS event;

COMMENT ON COLUMN journal_readable.stream IS 'kind/key';
COMMENT ON COLUMN journal_readable.event_id IS 'Stable over retries of the same batch.';
COMMENT ON COLUMN journal_readable.meta IS
    'Cause, idempotency key, fingerprint and principal.';
COMMENT ON COLUMN journal_readable.payload IS
    'The event; its shape is given by event_name and schema_version.';
COMMENT ON VIEW journal_readable IS
    'Not shown: the slot of the key of 1,024 (6), the CRC-32 (8) and the hash (9) of each event.';
