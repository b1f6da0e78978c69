-- Twin of postgres/0003_create_read_models.sql. Keep the column names and meanings identical.
--
-- What lists and late readers see, folded from the journal. Every change arrives with the cursors
-- that it brings a shard to, in one transaction. All of it can be deleted and is then rebuilt.

CREATE TABLE read_cursors (
    shard    INTEGER NOT NULL PRIMARY KEY,
    -- Up to here the shard is folded in. A change that would move it back sets NULL and is refused.
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT, WITHOUT ROWID;

-- Where the events of each stream lie: what a run of events added to it is one row. The journal
-- has no such index of its own; what lies behind the cursors is looked for in the journal itself.
CREATE TABLE read_histories (
    -- the first 16 bytes of the SHA-256 of the stream's name: short, because they are spread anyway
    stream       BLOB    NOT NULL,
    -- version of the last event in the row
    last_version INTEGER NOT NULL CHECK (last_version >= 1),
    -- positions of the events up to it, ascending: differences as variable-length numbers
    positions    BLOB    NOT NULL,
    PRIMARY KEY (stream, last_version)
) STRICT, WITHOUT ROWID;

-- The order of lists. What an order says is read from the journal.
CREATE TABLE read_orders (
    -- microseconds since the Unix epoch, UTC
    created_at INTEGER NOT NULL,
    order_id   BLOB    NOT NULL,
    status     TEXT    NOT NULL,
    PRIMARY KEY (created_at, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX read_orders_by_status ON read_orders (status, created_at, order_id);

-- How many orders there are per status: lists tell their total without counting.
CREATE TABLE read_order_counts (
    status TEXT    NOT NULL PRIMARY KEY,
    orders INTEGER NOT NULL CHECK (orders >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE read_products (
    product_id    TEXT    NOT NULL PRIMARY KEY,
    -- the listing as JSON, once it was published
    listing       TEXT,
    on_hand       INTEGER NOT NULL,
    held          INTEGER NOT NULL,
    sold          INTEGER NOT NULL,
    -- version of the last stock event in the numbers
    stock_version INTEGER NOT NULL
) STRICT;

-- When an entity is to be woken.
CREATE TABLE read_wakeups (
    stream  TEXT    NOT NULL PRIMARY KEY,
    -- microseconds since the Unix epoch, UTC
    due     INTEGER NOT NULL,
    -- the entity's version on which this is based
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX read_wakeups_due ON read_wakeups (due, stream);
