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
    ($($drill:ident = $sheet:path, |$ground:ident, $findings:ident| $run:expr;)+) => {
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

            /// Injects the fault and measures. What was found before an error counts, too.
            pub(super) async fn run(self, ground: &Ground, findings: &mut Findings) -> Result<()> {
                match self {
                    $(Self::$drill => {
                        let ($ground, $findings) = (ground, findings);
                        $run.await
                    })+
                }
            }
        }
    };
}

drills! {
    CrashPoints = sheets::CRASH_POINTS, |ground, findings| crash_points::run(ground, findings);
    Kills = sheets::KILLS, |ground, findings| kills::run(ground, findings);
    PowerLoss = sheets::POWER_LOSS, |ground, findings| power::run(ground, findings);
    Recovery = sheets::RECOVERY, |ground, findings| recovery::run(ground, findings);
    CommitCuts = sheets::COMMIT_CUTS, |ground, findings| commit_cuts::run(ground, findings);
    DatabaseDown = sheets::DATABASE_DOWN, |ground, findings| outages::down(ground, findings);
    DatabaseFrozen = sheets::DATABASE_FROZEN, |ground, findings| outages::frozen(ground, findings);
    DatabaseSlow = sheets::DATABASE_SLOW, |ground, findings| slow_database::run(ground, findings);
    Failovers = sheets::FAILOVERS, |ground, findings| failovers::run(ground, findings);
    RedisDown = sheets::REDIS_DOWN, |ground, findings| redis::run(ground, findings, Fate::Down);
    RedisFrozen = sheets::REDIS_FROZEN, |ground, findings| redis::run(ground, findings, Fate::Frozen);
    RedisFlushed = sheets::REDIS_FLUSHED, |ground, findings| redis::run(ground, findings, Fate::Flushed);
    Provider = sheets::PROVIDER, |ground, findings| provider::run(ground, findings);
    DiskFull = sheets::DISK_FULL, |ground, findings| disks::full(ground, findings);
    DiskGivenUp = sheets::DISK_GIVEN_UP, |ground, findings| disks::given_up(ground, findings);
    DiskSync = sheets::DISK_SYNC, |ground, findings| disks::failing_sync(ground, findings);
    DiskSlow = sheets::DISK_SLOW, |ground, findings| disks::slow(ground, findings);
    Clock = sheets::CLOCK, |ground, findings| clock::run(ground, findings);
    Poison = sheets::POISON, |ground, findings| poison::run(ground, findings);
    HotKey = sheets::HOT_KEY, |ground, findings| crowds::hot_key(ground, findings);
    RetryStorm = sheets::RETRY_STORM, |ground, findings| crowds::retry_storm(ground, findings);
    SlowReaders = sheets::SLOW_READERS, |ground, findings| crowds::slow_readers(ground, findings);
    Soak = sheets::SOAK, |ground, findings| soak::run(ground, findings);
}
