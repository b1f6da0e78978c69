//! All drills, in the order in which they are run.

use anyhow::Result;

use super::findings::Findings;
use super::ground::Ground;
use super::redis::Fate;
use super::sheets::{self, Sheet};
use super::{
    clock, commit_cuts, crash_points, crowds, disks, failovers, kills, outages, poison, power,
    provider, recovery, redis, slow_database, soak,
};

macro_rules! drills {
    ($($drill:ident = $sheet:path, |$ground:ident| $run:expr;)+) => {
        /// The drills.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Drill {
            $($drill,)+
        }

        impl Drill {
            /// In the order in which `all` runs them.
            pub(super) const ALL: &'static [Self] = &[$(Self::$drill,)+];

            /// What it is about.
            pub(super) const fn sheet(self) -> Sheet {
                match self {
                    $(Self::$drill => $sheet,)+
                }
            }

            /// Injects the fault and measures.
            pub(super) async fn run(self, ground: &Ground) -> Result<Findings> {
                match self {
                    $(Self::$drill => {
                        let $ground = ground;
                        $run.await
                    })+
                }
            }
        }
    };
}

drills! {
    CrashPoints = sheets::CRASH_POINTS, |ground| crash_points::run(ground);
    Kills = sheets::KILLS, |ground| kills::run(ground);
    PowerLoss = sheets::POWER_LOSS, |ground| power::run(ground);
    Recovery = sheets::RECOVERY, |ground| recovery::run(ground);
    CommitCuts = sheets::COMMIT_CUTS, |ground| commit_cuts::run(ground);
    DatabaseDown = sheets::DATABASE_DOWN, |ground| outages::down(ground);
    DatabaseFrozen = sheets::DATABASE_FROZEN, |ground| outages::frozen(ground);
    DatabaseSlow = sheets::DATABASE_SLOW, |ground| slow_database::run(ground);
    Failovers = sheets::FAILOVERS, |ground| failovers::run(ground);
    RedisDown = sheets::REDIS_DOWN, |ground| redis::run(ground, Fate::Down);
    RedisFrozen = sheets::REDIS_FROZEN, |ground| redis::run(ground, Fate::Frozen);
    RedisFlushed = sheets::REDIS_FLUSHED, |ground| redis::run(ground, Fate::Flushed);
    Provider = sheets::PROVIDER, |ground| provider::run(ground);
    DiskFull = sheets::DISK_FULL, |ground| disks::full(ground);
    DiskGivenUp = sheets::DISK_GIVEN_UP, |ground| disks::given_up(ground);
    DiskSync = sheets::DISK_SYNC, |ground| disks::failing_sync(ground);
    DiskSlow = sheets::DISK_SLOW, |ground| disks::slow(ground);
    Clock = sheets::CLOCK, |ground| clock::run(ground);
    Poison = sheets::POISON, |ground| poison::run(ground);
    HotKey = sheets::HOT_KEY, |ground| crowds::hot_key(ground);
    RetryStorm = sheets::RETRY_STORM, |ground| crowds::retry_storm(ground);
    SlowReaders = sheets::SLOW_READERS, |ground| crowds::slow_readers(ground);
    Soak = sheets::SOAK, |ground| soak::run(ground);
}
