-- Twin of postgres/0003_create_read_models.sql. Keep the column names and meanings identical.
--
-- What lists and late readers see, folded from the journal. Every change arrives with the cursors
-- that it brings a shard to, in one transaction. All of it can be deleted and is then rebuilt.

CREATE TABLE read_cursors (
    shard    INTEGER NOT NULL PRIMARY KEY,
    -- Up to here the shard is folded in. A change that would move it back sets NULL and is refused.
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE read_orders (
    order_id   BLOB    NOT NULL PRIMARY KEY,
    status     TEXT    NOT NULL,
    -- microseconds since the Unix epoch, UTC
    created_at INTEGER NOT NULL,
    -- version of the last event in it
    version    INTEGER NOT NULL,
    -- the whole state as JSON
    body       TEXT    NOT NULL
) STRICT;

CREATE INDEX read_orders_newest ON read_orders (created_at, order_id);
CREATE INDEX read_orders_newest_by_status ON read_orders (status, created_at, order_id);

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
