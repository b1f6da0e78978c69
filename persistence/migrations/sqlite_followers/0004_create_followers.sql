-- Twin of postgres/0004_create_followers.sql. Keep the column names and meanings identical.
--
-- Where followers of the journal stand, and the messages to customers that are to be sent or were.
-- Nothing here says what happened: that is the journal. But that something was sent is known here
-- only, so these tables are not rebuilt. Without them nothing is sent again (ADR 0033).

CREATE TABLE follower_cursors (
    follower TEXT    NOT NULL,
    shard    INTEGER NOT NULL,
    -- everything up to here was dealt with; it never moves back
    position INTEGER NOT NULL CHECK (position >= 0),
    PRIMARY KEY (follower, shard)
) STRICT, WITHOUT ROWID;

-- No address and no text: both are in the journal, and are read when a message leaves.
CREATE TABLE notices (
    -- the event that the message is about
    shard      INTEGER NOT NULL,
    position   INTEGER NOT NULL CHECK (position >= 1),
    -- which message
    template   TEXT    NOT NULL,
    -- whose history the event stands in
    stream     TEXT    NOT NULL,
    -- waiting, sent, failed or skipped
    status     TEXT    NOT NULL,
    tries      INTEGER NOT NULL CHECK (tries >= 0),
    -- microseconds since the Unix epoch, UTC: when the event was decided
    written_at INTEGER NOT NULL,
    -- when it is tried next; NULL when it never is
    due_at     INTEGER,
    -- when it was sent or given up
    settled_at INTEGER,
    -- why the last try failed
    trouble    TEXT,
    PRIMARY KEY (shard, position, template)
) STRICT, WITHOUT ROWID;

CREATE INDEX notices_by_due ON notices (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notices_by_age ON notices (written_at, shard, position, template);
CREATE INDEX notices_by_status ON notices (status, written_at, shard, position, template);
CREATE INDEX notices_by_end ON notices (settled_at) WHERE settled_at IS NOT NULL;
