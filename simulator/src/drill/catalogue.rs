//! All drills, in the order in which they are run.

use anyhow::Result;

use super::findings::Findings;
use super::ground::Ground;
use super::redis::Fate;
use super::sheets::{self, Sheet};
use super::{
    clock, commit_cuts, crash_points, crowds, disks, failovers, kills, outages, poison, provider,
    recovery, redis, slow_database,
};

/// The drills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drill {
    CrashPoints,
    Kills,
    Recovery,
    CommitCuts,
    DatabaseDown,
    DatabaseFrozen,
    DatabaseSlow,
    Failovers,
    RedisDown,
    RedisFrozen,
    RedisFlushed,
    Provider,
    DiskFull,
    DiskGivenUp,
    DiskSync,
    DiskSlow,
    Clock,
    Poison,
    HotKey,
    RetryStorm,
    SlowReaders,
}

impl Drill {
    /// In the order in which `all` runs them.
    pub(super) const ALL: &'static [Self] = &[
        Self::CrashPoints,
        Self::Kills,
        Self::Recovery,
        Self::CommitCuts,
        Self::DatabaseDown,
        Self::DatabaseFrozen,
        Self::DatabaseSlow,
        Self::Failovers,
        Self::RedisDown,
        Self::RedisFrozen,
        Self::RedisFlushed,
        Self::Provider,
        Self::DiskFull,
        Self::DiskGivenUp,
        Self::DiskSync,
        Self::DiskSlow,
        Self::Clock,
        Self::Poison,
        Self::HotKey,
        Self::RetryStorm,
        Self::SlowReaders,
    ];

    /// What it is about.
    pub(super) const fn sheet(self) -> Sheet {
        match self {
            Self::CrashPoints => sheets::CRASH_POINTS,
            Self::Kills => sheets::KILLS,
            Self::Recovery => sheets::RECOVERY,
            Self::CommitCuts => sheets::COMMIT_CUTS,
            Self::DatabaseDown => sheets::DATABASE_DOWN,
            Self::DatabaseFrozen => sheets::DATABASE_FROZEN,
            Self::DatabaseSlow => sheets::DATABASE_SLOW,
            Self::Failovers => sheets::FAILOVERS,
            Self::RedisDown => sheets::REDIS_DOWN,
            Self::RedisFrozen => sheets::REDIS_FROZEN,
            Self::RedisFlushed => sheets::REDIS_FLUSHED,
            Self::Provider => sheets::PROVIDER,
            Self::DiskFull => sheets::DISK_FULL,
            Self::DiskGivenUp => sheets::DISK_GIVEN_UP,
            Self::DiskSync => sheets::DISK_SYNC,
            Self::DiskSlow => sheets::DISK_SLOW,
            Self::Clock => sheets::CLOCK,
            Self::Poison => sheets::POISON,
            Self::HotKey => sheets::HOT_KEY,
            Self::RetryStorm => sheets::RETRY_STORM,
            Self::SlowReaders => sheets::SLOW_READERS,
        }
    }

    /// Injects the fault and measures.
    pub(super) async fn run(self, ground: &Ground) -> Result<Findings> {
        match self {
            Self::CrashPoints => crash_points::run(ground).await,
            Self::Kills => kills::run(ground).await,
            Self::Recovery => recovery::run(ground).await,
            Self::CommitCuts => commit_cuts::run(ground).await,
            Self::DatabaseDown => outages::down(ground).await,
            Self::DatabaseFrozen => outages::frozen(ground).await,
            Self::DatabaseSlow => slow_database::run(ground).await,
            Self::Failovers => failovers::run(ground).await,
            Self::RedisDown => redis::run(ground, Fate::Down).await,
            Self::RedisFrozen => redis::run(ground, Fate::Frozen).await,
            Self::RedisFlushed => redis::run(ground, Fate::Flushed).await,
            Self::Provider => provider::run(ground).await,
            Self::DiskFull => disks::full(ground).await,
            Self::DiskGivenUp => disks::given_up(ground).await,
            Self::DiskSync => disks::failing_sync(ground).await,
            Self::DiskSlow => disks::slow(ground).await,
            Self::Clock => clock::run(ground).await,
            Self::Poison => poison::run(ground).await,
            Self::HotKey => crowds::hot_key(ground).await,
            Self::RetryStorm => crowds::retry_storm(ground).await,
            Self::SlowReaders => crowds::slow_readers(ground).await,
        }
    }
}
