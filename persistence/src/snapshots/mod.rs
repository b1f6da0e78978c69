//! Snapshots: a cache of folded states. One that cannot be read is ignored; all can be deleted.

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

use async_trait::async_trait;

pub use memory::MemorySnapshots;
#[cfg(feature = "postgres")]
pub(crate) use postgres::PostgresSnapshots;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::SqliteSnapshots;

use crate::StoreError;
use crate::journal::{Shard, StreamId};

/// A state as it was after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose state.
    pub stream: StreamId,
    /// The version of the last event in it.
    pub version: u64,
    /// Shard and position of that event or of a later one of the stream: proof that the journal has
    /// come so far.
    pub place: (Shard, u64),
    /// The state as JSON.
    pub body: String,
}

/// Where snapshots are kept. One contract, one conformance suite.
#[async_trait]
pub trait Snapshots: Send + Sync + 'static {
    /// The newest snapshots of these streams, for those that have a readable one: one that fails
    /// its checksum or that the journal does not reach counts as absent.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached.
    async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError>;

    /// Which snapshots there are, readable or not: stream and version as they are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached.
    async fn list(&self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Keeps a snapshot instead of an older one of the same stream; a newer one stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be kept; nothing depends on it.
    async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError>;

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached.
    async fn clear(&self) -> Result<(), StoreError>;
}
