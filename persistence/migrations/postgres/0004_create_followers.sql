-- Where followers of the journal stand, and the messages to customers that are to be sent or were.
-- Nothing here says what happened: that is the journal. But that something was sent is known here
-- only, so these tables are not rebuilt. Without them nothing is sent again (ADR 0033).

CREATE TABLE follower_cursors (
    follower TEXT    COLLATE "C" NOT NULL,
    shard    INTEGER NOT NULL,
    position BIGINT  NOT NULL CHECK (position >= 0),
    PRIMARY KEY (follower, shard)
);

COMMENT ON COLUMN follower_cursors.position IS 'Everything up to here was dealt with; it never moves back.';

-- No address and no text: both are in the journal, and are read when a message leaves.
CREATE TABLE notices (
    shard      INTEGER NOT NULL,
    position   BIGINT  NOT NULL CHECK (position >= 1),
    template   TEXT    COLLATE "C" NOT NULL,
    stream     TEXT    COLLATE "C" NOT NULL,
    status     TEXT    COLLATE "C" NOT NULL,
    tries      INTEGER NOT NULL CHECK (tries >= 0),
    written_at BIGINT  NOT NULL,
    due_at     BIGINT,
    settled_at BIGINT,
    trouble    TEXT,
    PRIMARY KEY (shard, position, template)
);

CREATE INDEX notices_by_due ON notices (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notices_by_age ON notices (written_at, shard, position, template);
CREATE INDEX notices_by_status ON notices (status, written_at, shard, position, template);
CREATE INDEX notices_by_end ON notices (settled_at) WHERE settled_at IS NOT NULL;

COMMENT ON COLUMN notices.shard IS 'Shard of the event that the message is about.';
COMMENT ON COLUMN notices.position IS 'Position of that event.';
COMMENT ON COLUMN notices.template IS 'Which message.';
COMMENT ON COLUMN notices.stream IS 'Whose history the event stands in.';
COMMENT ON COLUMN notices.status IS 'waiting, sent, failed or skipped.';
COMMENT ON COLUMN notices.written_at IS 'Microseconds since the Unix epoch, UTC: when the event was decided.';
COMMENT ON COLUMN notices.due_at IS 'When it is tried next; NULL when it never is.';
COMMENT ON COLUMN notices.settled_at IS 'When it was sent or given up.';
COMMENT ON COLUMN notices.trouble IS 'Why the last try failed.';
