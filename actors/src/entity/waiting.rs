//! Answers that may not leave yet.

use std::collections::VecDeque;

use engine::Aggregate;

/// What will be answered.
pub(super) enum Outcome<A: Aggregate> {
    Accepted {
        /// Whether it caused events.
        changed: bool,
        /// Whether something was taken from others for it.
        took: bool,
    },
    Refused(A::Refusal),
}

/// An answer, and what it waits for.
pub(super) struct Waiting<A: Aggregate, R> {
    /// Every event up to this version must be durable.
    pub(super) until: u64,
    /// The version that must be durable too, at which the entity owed nothing that a client waits
    /// for; `None` while that is to come. Whatever is decided later is no part of the answer.
    pub(super) settled_at: Option<u64>,
    pub(super) reply: R,
    pub(super) outcome: Outcome<A>,
}

/// The answers of one entity, in the order of their versions. Bounded by the mailbox's slots,
/// which each answer keeps.
pub(super) struct WaitingRoom<A: Aggregate, R> {
    queue: VecDeque<Waiting<A, R>>,
    /// How many wait for the entity to owe nothing; mostly none, so that nobody is looked through.
    unsettled: usize,
}

impl<A: Aggregate, R> Default for WaitingRoom<A, R> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), unsettled: 0 }
    }
}

impl<A: Aggregate, R> WaitingRoom<A, R> {
    pub(super) fn push(&mut self, waiting: Waiting<A, R>) {
        self.unsettled = self.unsettled.saturating_add(usize::from(waiting.settled_at.is_none()));
        self.queue.push_back(waiting);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Waiting<A, R>> + use<'_, A, R> {
        self.unsettled = 0;
        self.queue.drain(..)
    }

    /// The entity owes nothing that a client waits for, as of this version.
    pub(super) fn settled(&mut self, version: u64) {
        if std::mem::take(&mut self.unsettled) == 0 {
            return;
        }
        for waiting in &mut self.queue {
            waiting.settled_at.get_or_insert(version);
        }
    }

    /// Takes out everything that may leave, oldest first.
    pub(super) fn leave(&mut self, written: u64) -> Vec<Waiting<A, R>> {
        let mut leaving = Vec::new();
        let mut index = 0;
        while let Some(waiting) = self.queue.get(index) {
            if written < waiting.until {
                break;
            }
            if waiting.settled_at.is_some_and(|settled| settled <= written) {
                leaving.extend(self.queue.remove(index));
            } else {
                index = index.saturating_add(1);
            }
        }
        leaving
    }
}
