//! What goes into an entity and what it wants done, as plain data.

use std::time::Duration;

use engine::Aggregate;
use engine::planted::{Bug, planted};
use engine::process::Intent;
use engine::values::Moment;

use crate::outcome::{Accepted, Cause, NotDone, Position};

/// An entity as the journal tells it.
#[derive(Clone, Debug)]
pub struct Loaded<A: Aggregate> {
    /// The folded state.
    pub state: A::State,
    /// Version of the last event in it; 0 when there is no history.
    pub version: u64,
    /// Where that event lies.
    pub position: Option<Position>,
    /// When that event was decided; the beginning of time when only a snapshot tells of it, which
    /// remembers it in its state.
    pub at: Moment,
    /// Version of the snapshot that it was folded from; 0 for none.
    pub snapshot: u64,
}

impl<A: Aggregate> Default for Loaded<A> {
    fn default() -> Self {
        Self {
            state: A::State::default(),
            version: 0,
            position: None,
            at: Moment::default(),
            snapshot: 0,
        }
    }
}

/// A command with the way back to its asker.
#[derive(Debug)]
pub struct Asked<A: Aggregate, R> {
    /// What is asked; `None` only reads.
    pub command: Option<A::Command>,
    /// Where it came from.
    pub cause: Cause,
    /// Who waits for the answer.
    pub reply: R,
    /// Another entity that asks; nothing for whoever asks from outside.
    pub from: Option<Neighbour>,
}

/// Another entity that asks. Both write through the same writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The writer's generation under which it lives.
    pub generation: u64,
    /// Whether it may be answered before the events are durable: what it writes on the strength of
    /// them is committed after them, and nothing can outlive them. Not when it writes nothing, and
    /// tells somebody outside.
    pub ahead: bool,
}

impl<A: Aggregate, R> Asked<A, R> {
    /// Whether the asker's generation has ended, which it has not heard yet: what it builds upon will
    /// never be durable, so nothing that is may be built upon it.
    pub fn is_outdated(&self, generation: u64) -> bool {
        self.from.is_some_and(|asker| asker.generation < generation)
            && !planted(Bug::ServesOutdated)
    }
}

/// What the entity wants done.
#[derive(Debug)]
pub enum Effect<A: Aggregate, R> {
    /// Make these events durable, in this order after everything appended before.
    Append {
        /// The events.
        events: Vec<A::Event>,
        /// Version of the first.
        first_version: u64,
        /// When they were decided.
        at: Moment,
        /// What caused them.
        cause: Cause,
        /// What readers see once they are durable.
        view: A::View,
    },
    /// Carry out an intent and bring back its answer under the ticket.
    Perform {
        /// Names the answer.
        ticket: u64,
        /// What to do.
        intent: Intent,
        /// Whether its answer may come before it is durable, see [`Neighbour::ahead`].
        ahead: bool,
    },
    /// Let readers see this durable view.
    Publish {
        /// What they see.
        view: A::View,
        /// Version of its last event.
        version: u64,
        /// Where that event lies; `None` when it is older than the snapshot.
        position: Option<Position>,
    },
    /// Answer somebody.
    Reply {
        /// Who.
        to: R,
        /// What.
        answer: Result<Accepted<A>, NotDone<A::Refusal>>,
    },
    /// Call [`Entity::pursue`] again after this span.
    PursueIn(Duration),
    /// Keep this durable state as a snapshot.
    Snapshot {
        /// Version of its last event.
        version: u64,
        /// Where a durable event lies that is no older.
        position: Position,
        /// The state.
        state: Box<A::State>,
    },
    /// Nothing is going on and nothing is expected: the actor may go to sleep.
    Rest,
}
