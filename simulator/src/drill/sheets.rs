//! What each drill does to the shop, and what is expected of it.

use serde::Serialize;

/// What a drill is about.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Sheet {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What is injected.
    pub(super) fault: &'static str,
    /// What must hold.
    pub(super) expected: &'static str,
}

const NO_NOTICE: &str = "none is refused, the usual p99 stays within 5 % of the worst window without; \
                         announcements come again, and lists have no gap";

pub(super) const CRASH_POINTS: Sheet = Sheet {
    name: "crash-points",
    fault: "kill -9 at every named point on the path of an order, on both stores",
    expected: "every acknowledged order is there, no unit is sold twice, no hold stays, \
               money is taken once, orders under way come to their end after the next start",
};

pub(super) const KILLS: Sheet = Sheet {
    name: "kills",
    fault: "kill -9 from outside in the middle of bursts, on both stores",
    expected: "as at the crash points",
};

pub(super) const POWER_LOSS: Sheet = Sheet {
    name: "power-loss",
    fault: "the disk under the embedded store loses all that was not synced, or pages of it",
    expected: "every acknowledged order is there after the next start, and the journal is sound",
};

pub(super) const RECOVERY: Sheet = Sheet {
    name: "recovery",
    fault: "kill -9 with a million events in the journal, on both stores",
    expected: "the first order is acknowledged within a second of the kill, p99",
};

pub(super) const COMMIT_CUTS: Sheet = Sheet {
    name: "commit-cuts",
    fault: "the connection to PostgreSQL cut before, during and after a commit",
    expected: "whatever became of the commit, no acknowledgement is lost and no order \
               is there twice; the server goes on by itself",
};

pub(super) const DATABASE_DOWN: Sheet = Sheet {
    name: "database-down",
    fault: "PostgreSQL stopped in the middle of a sale, and started again",
    expected: "a definite 503 within 50 ms meanwhile, orders again within 2 s of the \
               return, by the same process",
};

pub(super) const DATABASE_FROZEN: Sheet = Sheet {
    name: "database-frozen",
    fault: "PostgreSQL stops answering while its connections stand",
    expected: "every request is answered within its deadline, orders again within 2 s \
               of the return, by the same process",
};

pub(super) const DATABASE_SLOW: Sheet = Sheet {
    name: "database-slow",
    fault: "each message to PostgreSQL held up by 5 ms to 1 s",
    expected: "orders take longer, none is lost, no answer comes after its deadline",
};

pub(super) const FAILOVERS: Sheet = Sheet {
    name: "failovers",
    fault: "all sessions broken, or PostgreSQL restarted, in the middle of bursts",
    expected: "orders go on by themselves; nothing acknowledged is lost",
};

pub(super) const REDIS_DOWN: Sheet = Sheet {
    name: "redis-down",
    fault: "Redis killed in the middle of a sale, and started again",
    expected: NO_NOTICE,
};

pub(super) const REDIS_FROZEN: Sheet = Sheet {
    name: "redis-frozen",
    fault: "Redis stops answering while its connections stand",
    expected: NO_NOTICE,
};

pub(super) const REDIS_FLUSHED: Sheet = Sheet {
    name: "redis-flushed",
    fault: "Redis forgets everything in the middle of a sale",
    expected: NO_NOTICE,
};

pub(super) const PROVIDER: Sheet = Sheet {
    name: "provider",
    fault: "the payment provider fails, hangs, or takes money without a word",
    expected: "orders are queued (202) and paid once when it is back; no order is \
               charged twice, no money is kept for nothing",
};

pub(super) const DISK_FULL: Sheet = Sheet {
    name: "disk-full",
    fault: "no room under the embedded store, and then room again",
    expected: "503 meanwhile, reads go on, orders again within 2 s of the room, \
               by the same process",
};

pub(super) const DISK_GIVEN_UP: Sheet = Sheet {
    name: "disk-given-up",
    fault: "the file system under the embedded store aborts and is read-only",
    expected: "nothing acknowledged is lost when it is repaired and the server started",
};

pub(super) const DISK_SYNC: Sheet = Sheet {
    name: "disk-sync",
    fault: "a sync of the journal's log fails with EIO",
    expected: "the process ends at once and never tries again; the next start loses \
               nothing that was acknowledged",
};

pub(super) const DISK_SLOW: Sheet = Sheet {
    name: "disk-slow",
    fault: "each sync takes 5, 20 and 200 ms longer",
    expected: "orders take longer, and all are acknowledged in time",
};

pub(super) const CLOCK: Sheet = Sheet {
    name: "clock",
    fault: "the wall clock jumps by an hour and by a day, back and forth",
    expected: "answers stay definite, no unit and no money is lost, every order settles",
};

pub(super) const POISON: Sheet = Sheet {
    name: "poison",
    fault: "a stored event of one product's stock is damaged",
    expected: "orders for it get a definite 503, all others are served, verify finds it",
};

pub(super) const HOT_KEY: Sheet = Sheet {
    name: "hot-key",
    fault: "five in six orders want one product",
    expected: "the usual p99 of the others is at most 1.2 × the worst beside the same crowd spread out",
};

pub(super) const RETRY_STORM: Sheet = Sheet {
    name: "retry-storm",
    fault: "PostgreSQL frozen for 2 s under clients that repeat at once",
    expected: "everybody is served within 5 s of the return, without an operator",
};

pub(super) const SLOW_READERS: Sheet = Sheet {
    name: "slow-readers",
    fault: "connections that send requests and read no answers",
    expected: "all other orders are served, and the connections are closed",
};

pub(super) const SOAK: Sheet = Sheet {
    name: "soak",
    fault: "half an hour of normal load; Redis restarted thrice, the database once",
    expected: "at least 99.9 % of the orders are acknowledged at once, those apart that meet the \
               restart of the database; memory stays where it was",
};
