//! Many seeds in a row on every core, and what came of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::books::Violation;
use super::case::Case;
use super::diary::{Run, Runs};
use super::sights::Sights;

/// Which seeds are run, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// The first seed.
    pub(super) from: u64,
    /// How many at most.
    pub(super) seeds: u64,
    /// No seed is begun after this.
    pub(super) within: Option<Duration>,
    /// How many run at once.
    pub(super) workers: usize,
    /// One of so many seeds is run twice, to see that both runs are the same; 0 for none.
    pub(super) twice_every: u64,
    /// What runs it.
    pub(super) runs: Runs,
}

/// What came of a campaign.
#[derive(Default)]
pub(super) struct Harvest {
    /// Seeds that were run.
    pub(super) seeds: u64,
    /// Steps of all of them.
    pub(super) steps: u64,
    /// Virtual time of all of them, in microseconds.
    pub(super) span: u64,
    /// Seeds in which a promise was broken, ascending.
    pub(super) failed: Vec<(u64, Violation)>,
    /// Seeds that were run twice.
    pub(super) compared: u64,
    /// Seeds whose two runs differed, ascending.
    pub(super) differed: Vec<u64>,
    /// What was seen.
    pub(super) sights: Sights,
    /// All traces in one number, whatever order they ran in.
    pub(super) trace: u64,
    /// How long it took.
    pub(super) took: Duration,
}

impl Harvest {
    fn add(&mut self, other: Self) {
        self.seeds = self.seeds.saturating_add(other.seeds);
        self.steps = self.steps.saturating_add(other.steps);
        self.span = self.span.saturating_add(other.span);
        self.failed.extend(other.failed);
        self.compared = self.compared.saturating_add(other.compared);
        self.differed.extend(other.differed);
        self.sights.add(&other.sights);
        self.trace = self.trace.wrapping_add(other.trace);
    }

    fn book(&mut self, seed: u64, run: &Run) {
        self.seeds = self.seeds.saturating_add(1);
        self.steps = self.steps.saturating_add(run.steps);
        self.span = self.span.saturating_add(run.span);
        self.sights.add(&run.sights);
        self.trace = self.trace.wrapping_add(run.trace);
        if let Some(violation) = &run.violation {
            self.failed.push((seed, violation.clone()));
        }
    }
}

/// Runs a campaign.
pub(super) fn run(course: &Course) -> Harvest {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let mut harvest = Harvest::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..course.workers.max(1))
            .map(|_| scope.spawn(|| work(course, &next, began)))
            .collect();
        for worker in workers {
            // A world catches its own panics, so a worker has none.
            harvest.add(worker.join().unwrap_or_default());
        }
    });
    harvest.failed.sort_unstable_by_key(|(seed, _)| *seed);
    harvest.differed.sort_unstable();
    harvest.took = began.elapsed();
    harvest
}

fn work(course: &Course, next: &AtomicU64, began: Instant) -> Harvest {
    let mut harvest = Harvest::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let is_late = course.within.is_some_and(|within| within <= began.elapsed());
        if course.seeds <= number || is_late {
            return harvest;
        }
        let wanted = course.from.saturating_add(number);
        let case = Case::of(wanted);
        let run = (course.runs)(&case, 0);
        harvest.book(wanted, &run);
        if 0 < course.twice_every && number.is_multiple_of(course.twice_every) {
            harvest.compared = harvest.compared.saturating_add(1);
            if (course.runs)(&case, 0).trace != run.trace {
                harvest.differed.push(wanted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world;
    use super::*;

    fn campaign(seeds: u64) -> Harvest {
        run(&Course { from: 0, seeds, within: None, workers: 2, twice_every: 4, runs: world::run })
    }

    #[test]
    fn every_seed_keeps_every_promise_and_two_runs_of_one_are_the_same() {
        let harvest = campaign(120);
        assert_eq!(harvest.failed, []);
        assert_eq!((harvest.compared, harvest.differed), (30, vec![]));
        assert!(120 * 1_000 <= harvest.steps, "{} steps", harvest.steps);
    }

    #[test]
    fn the_whole_campaign_is_the_same_whatever_the_order_of_its_seeds() {
        assert_eq!(campaign(20).trace, campaign(20).trace);
    }

    #[test]
    fn another_seed_is_another_world() {
        assert_ne!(world::run(&Case::of(1), 0).trace, world::run(&Case::of(2), 0).trace);
    }

    #[test]
    fn the_last_steps_are_told_when_they_are_wanted() {
        assert_eq!(world::run(&Case::of(1), 5).told.len(), 5);
        assert!(world::run(&Case::of(1), 0).told.is_empty());
    }
}
