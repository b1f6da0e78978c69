//! Where followers of the journal stand, and what they have still to send.
//!
//! A follower deals with every event at least once, in the order of its shard. How far it has come
//! is known here only: unlike read models this is not rebuilt, for nobody else knows what was sent.

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod statements;

use async_trait::async_trait;
use engine::values::Moment;

pub use memory::MemoryFollowers;
#[cfg(feature = "postgres")]
pub(crate) use postgres::PostgresFollowers;

use crate::StoreError;
use crate::journal::{Shard, StreamId};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeStatus {
    /// It is to be sent.
    Waiting,
    /// It was handed over.
    Sent,
    /// It was tried too often, or can never be sent. Somebody has to look.
    Failed,
    /// It is not to be sent any more.
    Skipped,
}

impl NoticeStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Skipped];

    /// Its name in the store and outside.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Reads a name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Names a message: the event that it is about, and which message it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeId {
    /// When the event was decided; lists are in this order.
    pub written_at: Moment,
    /// Where the event lies.
    pub shard: Shard,
    /// Its place there.
    pub position: u64,
    /// Which message.
    pub template: String,
}

/// One message to a customer, without its address and its text: both are in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its name.
    pub id: NoticeId,
    /// Whose history the event stands in.
    pub stream: StreamId,
    /// What became of it.
    pub status: NoticeStatus,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub due_at: Option<Moment>,
    /// When it was sent or given up.
    pub settled_at: Option<Moment>,
    /// Why the last try failed.
    pub trouble: Option<String>,
}

/// Which messages a list shows. Newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeQuery {
    /// Only these, if given.
    pub status: Option<NoticeStatus>,
    /// After this one.
    pub after: Option<NoticeId>,
    /// At most this many.
    pub limit: u32,
}

/// The stored places of followers. One contract, one conformance suite.
#[async_trait]
pub trait Followers: Send + Sync + 'static {
    /// Where a follower stands, in every shard that it has begun.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached; likewise below.
    async fn cursors(&self, follower: &str) -> Result<Vec<(Shard, u64)>, StoreError>;

    /// Moves a follower on and books what it found, or does nothing. A cursor never moves back, and
    /// what was booked before stays as it is, so a repeat is harmless.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing was changed then, unless the connection broke on the way.
    async fn advance(
        &self,
        follower: &str,
        places: &[(Shard, u64)],
        notices: &[Notice],
    ) -> Result<(), StoreError>;

    /// Sets the cursors of a follower, also back: the journal is shorter than it was.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn reset(&self, follower: &str, places: &[(Shard, u64)]) -> Result<(), StoreError>;

    /// Forgets a follower.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn forget(&self, follower: &str) -> Result<(), StoreError>;

    /// Messages due at `now`, the earliest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn due_notices(&self, now: Moment, limit: u32) -> Result<Vec<Notice>, StoreError>;

    /// Books what became of a message.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn settle_notice(&self, notice: &Notice) -> Result<(), StoreError>;

    /// Messages, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError>;

    /// Forgets messages that were settled before a moment; how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn prune_notices(&self, before: Moment) -> Result<u64, StoreError>;
}
