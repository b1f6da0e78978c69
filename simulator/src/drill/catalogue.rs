//! All drills: what each does to the shop, and what is expected of it.

use anyhow::Result;
use serde::Serialize;

use super::findings::Findings;
use super::ground::Ground;
use super::redis::Fate;
use super::{commit_cuts, crash_points, failovers, kills, outages, provider, redis, slow_database};

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

const NO_NOTICE: &str = "orders do not notice: none is refused, their p99 stays within 5 %; \
                         announcements come again, and lists have no gap";

/// The drills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drill {
    CrashPoints,
    Kills,
    CommitCuts,
    DatabaseDown,
    DatabaseFrozen,
    DatabaseSlow,
    Failovers,
    RedisDown,
    RedisFrozen,
    RedisFlushed,
    Provider,
}

impl Drill {
    /// In the order in which `all` runs them.
    pub(super) const ALL: &'static [Self] = &[
        Self::CrashPoints,
        Self::Kills,
        Self::CommitCuts,
        Self::DatabaseDown,
        Self::DatabaseFrozen,
        Self::DatabaseSlow,
        Self::Failovers,
        Self::RedisDown,
        Self::RedisFrozen,
        Self::RedisFlushed,
        Self::Provider,
    ];

    /// What it is about.
    pub(super) const fn sheet(self) -> Sheet {
        match self {
            Self::CrashPoints => Sheet {
                name: "crash-points",
                fault: "kill -9 at every named point on the path of an order, on both stores",
                expected: "every acknowledged order is there, no unit is sold twice, no hold stays, \
                           money is taken once, orders under way are finished by the next start",
            },
            Self::Kills => Sheet {
                name: "kills",
                fault: "kill -9 from outside in the middle of bursts, on both stores",
                expected: "as at the crash points",
            },
            Self::CommitCuts => Sheet {
                name: "commit-cuts",
                fault: "the connection to PostgreSQL cut before, during and after a commit",
                expected: "whatever became of the commit, no acknowledgement is lost and no order \
                           is there twice; the server goes on by itself",
            },
            Self::DatabaseDown => Sheet {
                name: "database-down",
                fault: "PostgreSQL stopped in the middle of a sale, and started again",
                expected: "a definite 503 within 50 ms meanwhile, orders again within 2 s of the \
                           return, by the same process",
            },
            Self::DatabaseFrozen => Sheet {
                name: "database-frozen",
                fault: "PostgreSQL stops answering while its connections stand",
                expected: "every request is answered within its deadline, orders again within 2 s \
                           of the return, by the same process",
            },
            Self::DatabaseSlow => Sheet {
                name: "database-slow",
                fault: "each message to PostgreSQL held up by 5 ms to 1 s",
                expected: "orders take longer, none is lost, no answer comes after its deadline",
            },
            Self::Failovers => Sheet {
                name: "failovers",
                fault: "all sessions broken, or PostgreSQL restarted, in the middle of bursts",
                expected: "orders go on by themselves; nothing acknowledged is lost",
            },
            Self::RedisDown => Sheet {
                name: "redis-down",
                fault: "Redis killed in the middle of a sale, and started again",
                expected: NO_NOTICE,
            },
            Self::RedisFrozen => Sheet {
                name: "redis-frozen",
                fault: "Redis stops answering while its connections stand",
                expected: NO_NOTICE,
            },
            Self::RedisFlushed => Sheet {
                name: "redis-flushed",
                fault: "Redis forgets everything in the middle of a sale",
                expected: NO_NOTICE,
            },
            Self::Provider => Sheet {
                name: "provider",
                fault: "the payment provider fails, hangs, or takes money without a word",
                expected: "orders are queued (202) and paid once when it is back; no order is \
                           charged twice, no money is kept for nothing",
            },
        }
    }

    /// Injects the fault and measures.
    pub(super) async fn run(self, ground: &Ground) -> Result<Findings> {
        match self {
            Self::CrashPoints => crash_points::run(ground).await,
            Self::Kills => kills::run(ground).await,
            Self::CommitCuts => commit_cuts::run(ground).await,
            Self::DatabaseDown => outages::down(ground).await,
            Self::DatabaseFrozen => outages::frozen(ground).await,
            Self::DatabaseSlow => slow_database::run(ground).await,
            Self::Failovers => failovers::run(ground).await,
            Self::RedisDown => redis::run(ground, Fate::Down).await,
            Self::RedisFrozen => redis::run(ground, Fate::Frozen).await,
            Self::RedisFlushed => redis::run(ground, Fate::Flushed).await,
            Self::Provider => provider::run(ground).await,
        }
    }
}
