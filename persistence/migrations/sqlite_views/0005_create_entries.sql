-- Twin of postgres/0005_create_entries.sql. Keep the column names and meanings identical.
--
-- The lists of rare kinds, a row for each entity: what it says is read from the journal. Rows come
-- and go with the cursors of the fold, as those of every read model.

CREATE TABLE read_entries (
    kind      TEXT    NOT NULL,
    entity_id TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    owner     TEXT,
    -- microseconds since the Unix epoch, UTC
    at        INTEGER NOT NULL,
    -- the entity's version on which this is based
    version   INTEGER NOT NULL,
    PRIMARY KEY (kind, entity_id)
) STRICT, WITHOUT ROWID;

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
