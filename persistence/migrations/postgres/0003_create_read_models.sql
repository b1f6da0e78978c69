-- What lists and late readers see, folded from the journal. Every change arrives with the cursors
-- that it brings a shard to, in one transaction. All of it can be deleted and is then rebuilt.

CREATE TABLE read_cursors (
    shard    INTEGER NOT NULL PRIMARY KEY,
    position BIGINT  NOT NULL CHECK (position >= 0)
);

COMMENT ON COLUMN read_cursors.position IS
    'Up to here the shard is folded in. A change that would move it back sets NULL and is refused.';

-- Where the events of each stream lie: what a run of events added to it is one row. The journal
-- has no such index of its own; what lies behind the cursors is looked for in the journal itself.
CREATE TABLE read_histories (
    stream       UUID   NOT NULL,
    last_version BIGINT NOT NULL CHECK (last_version >= 1),
    positions    BYTEA  NOT NULL,
    PRIMARY KEY (stream, last_version)
);

COMMENT ON COLUMN read_histories.stream IS
    'The first 16 bytes of the SHA-256 of the stream''s name: short, because they are spread anyway.';
COMMENT ON COLUMN read_histories.last_version IS 'Version of the last event in the row.';
COMMENT ON COLUMN read_histories.positions IS
    'Positions of the events up to it, ascending: differences as variable-length numbers.';

-- The order of lists. What an order says is read from the journal.
CREATE TABLE read_orders (
    created_at BIGINT NOT NULL,
    order_id   UUID   NOT NULL,
    status     TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (created_at, order_id)
);

COMMENT ON COLUMN read_orders.created_at IS 'Microseconds since the Unix epoch, UTC.';

CREATE INDEX read_orders_by_status ON read_orders (status, created_at, order_id);

-- How many orders there are per status: lists tell their total without counting.
CREATE TABLE read_order_counts (
    status TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    orders BIGINT NOT NULL CHECK (orders >= 0)
);

CREATE TABLE read_products (
    product_id    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    listing       TEXT,
    on_hand       BIGINT NOT NULL,
    held          BIGINT NOT NULL,
    sold          BIGINT NOT NULL,
    stock_version BIGINT NOT NULL
);

COMMENT ON COLUMN read_products.listing IS 'The listing as JSON, once it was published.';
COMMENT ON COLUMN read_products.stock_version IS
    'Version of the last stock event in the numbers.';

-- When an entity is to be woken.
CREATE TABLE read_wakeups (
    stream  TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    due     BIGINT NOT NULL,
    version BIGINT NOT NULL
);

COMMENT ON COLUMN read_wakeups.due IS 'Microseconds since the Unix epoch, UTC.';
COMMENT ON COLUMN read_wakeups.version IS 'The entity''s version on which this is based.';

CREATE INDEX read_wakeups_due ON read_wakeups (due, stream);
