//! Answers that may not leave yet.

use std::collections::VecDeque;

use engine::Aggregate;

/// What will be answered.
pub(super) enum Outcome<A: Aggregate> {
    Accepted { changed: bool },
    Refused(A::Refusal),
}

/// An answer, and what it waits for.
pub(super) struct Waiting<A: Aggregate, R> {
    /// Every event up to this version must be durable.
    pub(super) until: u64,
    /// The entity must owe nothing that a client waits for.
    pub(super) settle: bool,
    pub(super) reply: R,
    pub(super) outcome: Outcome<A>,
}

/// The answers of one entity, in the order of their versions. Bounded by the mailbox's slots,
/// which each answer keeps.
pub(super) struct WaitingRoom<A: Aggregate, R> {
    queue: VecDeque<Waiting<A, R>>,
}

impl<A: Aggregate, R> Default for WaitingRoom<A, R> {
    fn default() -> Self {
        Self { queue: VecDeque::new() }
    }
}

impl<A: Aggregate, R> WaitingRoom<A, R> {
    pub(super) fn push(&mut self, waiting: Waiting<A, R>) {
        self.queue.push_back(waiting);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Waiting<A, R>> + use<'_, A, R> {
        self.queue.drain(..)
    }

    /// Takes out everything that may leave, oldest first.
    pub(super) fn leave(&mut self, written: u64, settled: bool) -> Vec<Waiting<A, R>> {
        let mut leaving = Vec::new();
        let mut index = 0;
        while let Some(waiting) = self.queue.get(index) {
            if written < waiting.until {
                break;
            }
            if waiting.settle && !settled {
                index = index.saturating_add(1);
            } else {
                leaving.extend(self.queue.remove(index));
            }
        }
        leaving
    }
}
