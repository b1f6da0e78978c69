//! Real engines from seeds: every promise is kept, and a seed is the same wherever it runs.

use super::super::campaign::{self, Course, Harvest};
use super::super::case::Case;
use super::super::sights::Sight;
use super::run;

fn campaign(from: u64, seeds: u64) -> Harvest {
    let (within, workers, twice_every) = (None, 2, 10);
    campaign::run(&Course { from, seeds, within, workers, twice_every, runs: run })
}

#[test]
fn every_seed_keeps_every_promise_and_two_runs_of_one_are_the_same() {
    let harvest = campaign(0, 100);

    assert_eq!(harvest.failed, []);
    assert_eq!((harvest.compared, harvest.differed), (10, vec![]));
    for sight in [
        Sight::CrashedWithAppendUnderWay,
        Sight::ResolvedPresent,
        Sight::ResolvedAbsent,
        Sight::TakenOver,
        Sight::TwoProcesses,
        Sight::Panicked,
        Sight::SnapshotUsed,
        Sight::Refunded,
        Sight::NotPaidInTime,
        Sight::CallbackAgain,
    ] {
        let seen = harvest.sights.counts().any(|(seen, count)| seen == sight && 0 < count);
        assert!(seen, "never seen: {}", sight.words());
    }
}

#[test]
fn another_seed_is_another_world() {
    assert_ne!(run(&Case::of(1), 0).trace, run(&Case::of(2), 0).trace);
}

#[test]
fn the_last_steps_are_told_when_they_are_wanted() {
    assert_eq!(run(&Case::of(3), 5).told.len(), 5);
    assert!(run(&Case::of(3), 0).told.is_empty());
}
