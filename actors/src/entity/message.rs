//! What travels to an entity's actor, and the way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Aggregate;
use engine::process::Answer;
use engine::values::Moment;
use persistence::journal::StreamId;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::effect::Asked;
use crate::outcome::{Accepted, NotAccepted, NotDone, Position};

/// What an asker hears.
type Verdict<A> = Result<Accepted<A>, NotDone<<A as Aggregate>::Refusal>>;

/// One place in a mailbox, kept until the answer has left. Work between actors that must not be
/// refused carries none; it is bounded by the orders that are under way.
type Slot = Option<OwnedSemaphorePermit>;

/// The way back to whoever asked. Dropping it unanswered tells them that nothing happened when the
/// entity has not heard them yet, and that the outcome is unknown when it has.
pub struct ReplyTo<A: Aggregate> {
    way: Option<Way<A>>,
    heard: bool,
    slot: Slot,
}

enum Way<A: Aggregate> {
    Waiter(oneshot::Sender<Verdict<A>>),
    Callback(Box<dyn FnOnce(Verdict<A>) + Send>),
}

impl<A: Aggregate> ReplyTo<A> {
    /// Answers a task that waits.
    pub fn waiter(sender: oneshot::Sender<Result<Accepted<A>, NotDone<A::Refusal>>>) -> Self {
        Self { way: Some(Way::Waiter(sender)), heard: false, slot: None }
    }

    /// Answers by a call, which must be short.
    pub fn callback(
        call: impl FnOnce(Result<Accepted<A>, NotDone<A::Refusal>>) + Send + 'static,
    ) -> Self {
        Self { way: Some(Way::Callback(Box::new(call))), heard: false, slot: None }
    }

    /// Keeps a place in a mailbox until the answer has left.
    pub fn keep(&mut self, slot: OwnedSemaphorePermit) {
        self.slot = Some(slot);
    }

    /// The entity has heard the question: from here on, silence means "unknown".
    pub const fn heard(&mut self) {
        self.heard = true;
    }

    /// Answers.
    pub fn send(mut self, verdict: Result<Accepted<A>, NotDone<A::Refusal>>) {
        self.deliver(verdict);
    }

    fn deliver(&mut self, verdict: Verdict<A>) {
        // The place is free before the asker can ask again.
        drop(self.slot.take());
        match self.way.take() {
            // The asker may have gone; what was decided stays decided.
            Some(Way::Waiter(sender)) => drop(sender.send(verdict)),
            Some(Way::Callback(call)) => call(verdict),
            None => {}
        }
    }
}

impl<A: Aggregate> Drop for ReplyTo<A> {
    fn drop(&mut self) {
        if self.way.is_some() {
            let unheard = NotDone::NotAccepted(NotAccepted::Restarting);
            self.deliver(Err(if self.heard { NotDone::Unknown } else { unheard }));
        }
    }
}

impl<A: Aggregate> std::fmt::Debug for ReplyTo<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReplyTo")
    }
}

/// Everything that an entity's actor can hear.
pub enum EntityMessage<A: Aggregate> {
    /// Somebody asks.
    Ask {
        /// What.
        asked: Box<Asked<A, ReplyTo<A>>>,
        /// Not worth starting after this.
        deadline: Instant,
        /// When it was put into the mailbox.
        queued_at: Instant,
    },
    /// An intent was answered.
    Answered {
        /// Which.
        ticket: u64,
        /// How.
        answer: Answer,
    },
    /// Events are durable.
    Written {
        /// Version of the last one.
        version: u64,
        /// Where it lies.
        position: Position,
    },
    /// Events did not become durable: this incarnation is ahead of the journal and must end.
    Failed {
        /// Whether they may have been written after all.
        unknown: bool,
    },
    /// Generations before this one have ended: an incarnation of one of them is ahead of the journal
    /// or will be. It may reach one that has begun since, whose events are as good as any.
    Outdated {
        /// The generation that has begun.
        generation: u64,
    },
    /// A timer is due; `then` hears when the next one will be.
    Wake {
        /// Who wants to know.
        then: oneshot::Sender<NextWake>,
    },
    /// A pause is over.
    Pursue,
    /// Go to sleep if nothing is going on.
    Sleep {
        /// Gone when this was heard.
        nudge: Nudge,
    },
    /// Die on purpose, as if by a panic.
    Kill {
        /// Told, or gone, when this was heard.
        heard: oneshot::Sender<()>,
    },
    /// Tell the whole state, for inspection.
    Inspect {
        /// Who wants to know.
        reply: oneshot::Sender<A::State>,
    },
}

/// That an entity was asked to sleep, until it has heard it or its life has ended.
pub struct Nudge(Arc<AtomicBool>);

impl Nudge {
    /// Another one, unless the last one was not heard yet.
    pub(crate) fn unless_pending(pending: &Arc<AtomicBool>) -> Option<Self> {
        (!pending.swap(true, Ordering::AcqRel)).then(|| Self(Arc::clone(pending)))
    }
}

impl Drop for Nudge {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// When an entity wants to be woken next, as of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextWake {
    /// When; `None` for not at all.
    pub due: Option<Moment>,
    /// The version that says so.
    pub version: u64,
}

/// The death of an incarnation, in the words of its supervisor.
#[derive(Debug, thiserror::Error)]
#[error("{stream}: {cause}")]
pub struct Death {
    /// Whose.
    pub stream: StreamId,
    /// What the end looked like.
    pub cause: String,
    /// Whether the entity itself is to blame, not the store below it.
    pub own_fault: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_to_sleep_again_before_they_have_heard_it() {
        let pending = Arc::default();
        let first = Nudge::unless_pending(&pending);
        assert!(first.is_some());
        assert!(Nudge::unless_pending(&pending).is_none());
        drop(first);
        assert!(Nudge::unless_pending(&pending).is_some());
    }
}
