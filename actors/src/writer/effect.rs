//! What goes into the writer and what it wants done, as plain data.

use std::sync::Arc;

use persistence::journal::{AppendError, Batch, NewEvent, Tenure};

use crate::outcome::Position;

/// Whoever submitted events and waits for them to become durable.
pub trait Notify: Send + Sync + 'static {
    /// Every event up to `version` is durable.
    fn written(&self, version: u64, position: Position);
    /// Everything that was submitted before the barrier is settled.
    fn settled(&self) {}
    /// The events did not become durable, or nobody can say; the submitter must end.
    fn failed(&self, unknown: bool);
}

/// Events of one stream, to become durable together. One without events is a barrier: its notifier
/// hears that everything submitted before has been settled.
pub struct Submission {
    /// The generation under which the submitter read its history.
    pub generation: u64,
    /// The events, versions ascending.
    pub events: Vec<NewEvent>,
    /// Lets readers see the new view, once it is durable.
    pub publish: Publish,
    /// Who waits.
    pub notify: Arc<dyn Notify>,
}

/// Takes version and place of the last event; must be short.
pub type Publish = Box<dyn FnOnce(u64, Position) + Send + Sync>;

/// What the writer hears.
pub enum WriterInput {
    /// Somebody wants events written.
    Submit(Submission),
    /// The append came to an end.
    Appended(Result<(), AppendError>),
    /// The journal was fenced and looked at after an unknown outcome.
    Resolved {
        /// What is owned from here on.
        tenure: Tenure,
        /// Whether the batch is in the journal.
        present: bool,
    },
    /// That could not be found out in time.
    Unresolved,
    /// Somebody else has become the owner meanwhile.
    TakenOver,
    /// The journal was fenced after it had been unresolved.
    Reacquired(Tenure),
}

/// What the writer wants done.
pub enum WriterEffect {
    /// Append this batch.
    Append(Arc<Batch>),
    /// Fence, then look whether this batch is in the journal.
    Resolve(Arc<Batch>),
    /// Let readers see a view that has become durable.
    Publish(Publish, u64, Position),
    /// Tell a submitter that its events are durable.
    Written(Arc<dyn Notify>, u64, Position),
    /// Tell who set a barrier that everything before it is settled.
    Settled(Arc<dyn Notify>),
    /// Tell a submitter that its events are not known to be durable.
    Failed(Arc<dyn Notify>, bool),
    /// Every incarnation of an older generation is to be dropped.
    Abandon {
        /// The new generation.
        generation: u64,
    },
    /// The journal must be acquired again before anything can be written.
    Reacquire,
    /// Another writer owns the journal: stop for good.
    Stop,
}
