//! The last tries to tell an endpoint: what its owner looks at when something is missing.

use std::collections::VecDeque;
use std::time::Duration;

use engine::public::PublicName;
use engine::values::Moment;
use uuid::Uuid;

use crate::outcome::Position;

/// Tries of one endpoint that are remembered.
const ATTEMPTS_KEPT: usize = 200;

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken, with this status.
    Taken(u16),
    /// It was not, or nobody knows.
    Failed(String),
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Names the event.
    pub event: Uuid,
    /// What it is called.
    pub name: PublicName,
    /// Where it lies.
    pub position: Position,
    /// When it was tried.
    pub at: Moment,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// The last tries of one endpoint.
#[derive(Default)]
pub(super) struct Attempts(VecDeque<Attempt>);

impl Attempts {
    /// Remembers one more, and forgets the oldest when there are too many.
    pub(super) fn remember(&mut self, attempt: Attempt) {
        if ATTEMPTS_KEPT <= self.0.len() {
            self.0.pop_front();
        }
        self.0.push_back(attempt);
    }

    pub(super) fn newest_first(&self) -> Vec<Attempt> {
        self.0.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use persistence::journal::Shard;

    use super::*;

    #[test]
    fn old_tries_make_room_for_new_ones() {
        let mut attempts = Attempts::default();
        for position in 1..=500 {
            attempts.remember(Attempt {
                event: Uuid::nil(),
                name: PublicName::OrderPaid,
                position: Position { shard: Shard(0), position },
                at: Moment::default(),
                took: Duration::ZERO,
                outcome: Outcome::Taken(204),
            });
        }
        let kept = attempts.newest_first();
        assert_eq!(kept.len(), ATTEMPTS_KEPT);
        assert_eq!(kept[0].position.position, 500);
    }
}
