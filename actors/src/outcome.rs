//! What comes of a command. Every answer says whether anything happened.

use std::sync::Arc;

use engine::Aggregate;
use engine::values::Fingerprint;
use persistence::journal::Shard;
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

/// A place in the journal; comparable within one shard only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which shard.
    pub shard: Shard,
    /// Which place in it.
    pub position: u64,
}

/// Where a command came from; stored beside its events.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cause {
    /// The request.
    pub id: Uuid,
    /// Who asked: a stable account id, never the credential.
    pub by: Arc<str>,
    /// The client's idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<str>>,
    /// What the request said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// How a command is asked.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Work that starts later is not worth starting.
    pub deadline: Instant,
    /// Where it came from.
    pub cause: Cause,
}

/// A command that was carried out and is durable, or that already held.
#[derive(Clone, Debug)]
pub struct Accepted<A: Aggregate> {
    /// The durable state as readers see it.
    pub view: A::View,
    /// Version of the last event in the view.
    pub version: u64,
    /// Where the last event of the stream lies; `None` when it has none in this incarnation.
    pub position: Option<Position>,
    /// Whether the command itself caused events; `false` for a repeat.
    pub changed: bool,
}

/// Why a command was not taken. Nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// The mailbox is full.
    #[error("mailbox is full")]
    Overloaded,
    /// The actor is being rebuilt, or its history could not be read.
    #[error("actor is restarting")]
    Restarting,
    /// The engine is going down.
    #[error("engine is draining")]
    Draining,
    /// Its actor kept failing, so it is left alone for a while and then tried again.
    #[error("stream is quarantined")]
    Quarantined,
    /// It waited for longer than it was worth.
    #[error("deadline passed before the command was started")]
    DeadlinePassed,
    /// The journal could not be written.
    #[error("journal did not take the events")]
    NotWritten,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone<R> {
    /// The rules said no. Nothing happened.
    Refused(R),
    /// It was not taken. Nothing happened; it may be asked again.
    NotAccepted(NotAccepted),
    /// It may or may not have happened. Repeating it with the same key tells.
    Unknown,
}
