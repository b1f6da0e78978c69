-- The lists of rare kinds, a row for each entity: what it says is read from the journal. Rows come
-- and go with the cursors of the fold, as those of every read model.

CREATE TABLE read_entries (
    kind      TEXT   COLLATE "C" NOT NULL,
    entity_id TEXT   COLLATE "C" NOT NULL,
    status    TEXT   COLLATE "C" NOT NULL,
    owner     TEXT   COLLATE "C",
    at        BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (kind, entity_id)
);

COMMENT ON COLUMN read_entries.at IS 'Microseconds since the Unix epoch, UTC.';
COMMENT ON COLUMN read_entries.version IS 'The entity''s version on which this is based.';

CREATE INDEX read_entries_newest ON read_entries (kind, at, entity_id);
CREATE INDEX read_entries_by_status ON read_entries (kind, status, at, entity_id);
CREATE INDEX read_entries_by_owner ON read_entries (kind, owner, at, entity_id);
CREATE INDEX read_entries_by_both ON read_entries (kind, status, owner, at, entity_id);

-- What was folded before has no such rows: all of it is folded again when the store is opened.
DELETE FROM read_cursors;
DELETE FROM read_histories;
DELETE FROM read_orders;
UPDATE read_order_counts SET orders = 0;
DELETE FROM read_products;
DELETE FROM read_wakeups;
