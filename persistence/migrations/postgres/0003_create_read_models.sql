-- What lists and late readers see, folded from the journal. Every change arrives with the cursors
-- that it brings a shard to, in one transaction. All of it can be deleted and is then rebuilt.

CREATE TABLE read_cursors (
    shard    INTEGER NOT NULL PRIMARY KEY,
    position BIGINT  NOT NULL CHECK (position >= 0)
);

COMMENT ON COLUMN read_cursors.position IS
    'Up to here the shard is folded in. A change that would move it back sets NULL and is refused.';

CREATE TABLE read_orders (
    order_id   UUID   NOT NULL PRIMARY KEY,
    status     TEXT   COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    body       TEXT   NOT NULL
);

COMMENT ON COLUMN read_orders.created_at IS 'Microseconds since the Unix epoch, UTC.';
COMMENT ON COLUMN read_orders.version IS 'Version of the last event in it.';
COMMENT ON COLUMN read_orders.body IS 'The whole state as JSON.';

CREATE INDEX read_orders_newest ON read_orders (created_at, order_id);
CREATE INDEX read_orders_newest_by_status ON read_orders (status, created_at, order_id);

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
