//! What a run leaves behind: its steps, counted, hashed, and the last ones in words.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::books::Violation;
use super::case::Case;
use super::outside::{Event, Outside};
use super::sights::Sights;

/// What came of a seed.
pub(super) struct Run {
    /// The promise that was broken.
    pub(super) violation: Option<Violation>,
    /// Steps of the scheduler.
    pub(super) steps: u64,
    /// Virtual time that has passed, in microseconds.
    pub(super) span: u64,
    /// The same for every run of the same seed, in any process.
    pub(super) trace: u64,
    /// What was seen.
    pub(super) sights: Sights,
    /// The last steps, when they were wanted.
    pub(super) told: Vec<String>,
}

/// What runs a case; as many of its last steps are kept for people.
pub(super) type Runs = fn(&Case, usize) -> Run;

/// A run while it lasts.
pub(super) struct Diary {
    steps: u64,
    trace: DefaultHasher,
    tells: usize,
    told: VecDeque<String>,
}

impl Diary {
    /// Keeps the last `tells` steps for people.
    pub(super) fn new(tells: usize) -> Self {
        Self { steps: 0, trace: DefaultHasher::new(), tells, told: VecDeque::new() }
    }

    /// How many steps there were.
    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    /// One more step.
    pub(super) fn note(&mut self, event: &Event, outside: &Outside) {
        self.steps = self.steps.saturating_add(1);
        let (now, name) = (outside.now(), event.name());
        (now, name, event.whose()).hash(&mut self.trace);
        if 0 < self.tells {
            if self.tells <= self.told.len() {
                self.told.pop_front();
            }
            let detail = event.detail(outside);
            self.told.push_back(format!("{now:>12} µs  {name} {detail}"));
        }
    }

    /// Something else that every run of the seed has in common.
    pub(super) fn seal(&mut self, what: impl Hash) {
        what.hash(&mut self.trace);
    }

    /// The run is over.
    pub(super) fn close(self, outside: &mut Outside) -> Run {
        Run {
            violation: outside.violation.take(),
            steps: self.steps,
            span: outside.agenda.now(),
            trace: self.trace.finish(),
            sights: std::mem::take(&mut outside.sights),
            told: self.told.into(),
        }
    }
}
