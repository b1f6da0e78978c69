-- The append-only record of everything that happened. Rows are never updated or deleted.
--
-- Who may append is decided by shard_fence: an append moves the fence rows of its shards, and only
-- if it knows both the epoch of the newest owner and the next position. The primary key of the
-- journal is a second guard that should never be needed.
--
-- There is no index by stream: names of orders are spread like digests, so each commit would
-- change a page per order. Where a stream's events lie is a view, read_histories.
--
-- Payload and meta are bytea, which costs the server about half of what jsonb does; the view
-- journal_readable shows them as JSON.

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
    shard          INTEGER NOT NULL,
    position       BIGINT  NOT NULL CHECK (position >= 1),
    epoch          BIGINT  NOT NULL,
    slot           INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 1023),
    stream         TEXT    COLLATE "C" NOT NULL,
    version        BIGINT  NOT NULL CHECK (version >= 1),
    event_id       UUID    NOT NULL,
    event_name     TEXT    COLLATE "C" NOT NULL,
    schema_version INTEGER NOT NULL CHECK (schema_version >= 1),
    recorded_at    BIGINT  NOT NULL,
    meta           BYTEA   NOT NULL,
    payload        BYTEA   NOT NULL,
    checksum       BIGINT  NOT NULL,
    hash           BYTEA   NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (shard, position)
);

COMMENT ON COLUMN journal.stream IS 'kind/key';
COMMENT ON COLUMN journal.event_id IS 'Stable over retries of the same batch.';
COMMENT ON COLUMN journal.recorded_at IS 'Microseconds since the Unix epoch, UTC.';
COMMENT ON COLUMN journal.meta IS
    'Cause, idempotency key, fingerprint and principal as JSON; empty when unknown.';
COMMENT ON COLUMN journal.payload IS
    'The event as JSON in UTF-8; shape given by event_name and schema_version.';
COMMENT ON COLUMN journal.checksum IS 'CRC-32 of everything above.';
COMMENT ON COLUMN journal.hash IS
    'SHA-256 over the hash of the row before in the shard and everything above.';

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

-- For people with a shell: the payload as JSON, without the bytes that only programs check.
CREATE VIEW journal_readable AS
SELECT shard, position, stream, version, event_name,
       to_timestamp(recorded_at / 1000000.0) AS recorded_at,
       convert_from(meta, 'UTF8') AS meta,
       convert_from(payload, 'UTF8')::jsonb AS payload
FROM journal;
