//! The journal: the append-only record of everything that happened, and the only truth.
//!
//! One writer per database owns all shards that it has acquired. It assigns contiguous positions
//! per shard itself; the store checks epoch and expected position in the same statement that
//! inserts, so an older writer can never add a row. One contract, one conformance suite.

mod chain;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod fence;
mod frame;
mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stored;

use async_trait::async_trait;
use engine::values::Moment;

pub use chain::{Chain, Digest, GENESIS, seal};
pub use memory::MemoryJournal;
#[cfg(feature = "postgres")]
pub(crate) use postgres::PostgresJournal;
pub use record::{Batch, NewEvent, Record, SLOTS, Shard, ShardMove, Slot, StreamId, event_id};
#[cfg(feature = "sqlite")]
pub use sqlite::{Fatal, SqliteJournal};
pub use stored::{Stored, StoredFrame};

use crate::{BoxError, StoreError};

/// The format of the tables. A journal of another one is refused.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
const FORMAT: i64 = 1;

/// Why a batch was not appended, by the only question that matters: was anything written?
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer owns a shard. Nothing was written.
    #[error("fenced: another writer owns the shard")]
    Fenced,
    /// The store could not be reached. Nothing was written.
    #[error("journal unavailable")]
    Unavailable(#[source] BoxError),
    /// The connection broke on the way. The batch may or may not have been written.
    #[error("journal append outcome unknown")]
    Unknown(#[source] BoxError),
}

/// One shard as its new owner finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which shard.
    pub shard: Shard,
    /// The position that its next event gets; the first is 1.
    pub next_position: u64,
    /// The hash of its last event, or [`GENESIS`].
    pub last_hash: Digest,
    /// When its last event was decided; none in an empty shard.
    pub last_at: Option<Moment>,
}

/// What a writer owns after it has fenced all older writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// Larger than that of every earlier owner.
    pub epoch: u64,
    /// Every shard of the journal, by number.
    pub holdings: Vec<Holding>,
}

impl Tenure {
    /// The newest moment that the ends of the shards tell of; none in an empty journal.
    pub fn newest(&self) -> Option<Moment> {
        self.holdings.iter().filter_map(|holding| holding.last_at).max()
    }
}

/// Who may append to a shard, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Which shard.
    pub shard: Shard,
    /// The epoch of its owner; 0 before the first.
    pub epoch: u64,
    /// The position that its next event gets.
    pub next_position: u64,
    /// The owner's name.
    pub owner: String,
}

/// Whose shards may be taken.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Anybody's.
    Any,
    /// Only one's own.
    Own,
}

/// The append-only store.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Number of shards, fixed when the journal was created.
    fn shards(&self) -> u16;

    /// Fences every older writer and takes all shards. Waits for their appends in flight.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached; nothing was taken then.
    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError>;

    /// The same for who believes to be the owner still: `None`, and nothing was taken, when somebody
    /// else has become it. `owner` must be a name that nobody else has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached; nothing was taken then, or by `owner`.
    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError>;

    /// Appends the whole batch or nothing. `Ok` means durable.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; only `Unknown` leaves open whether anything was written.
    async fn append(&self, batch: &Batch) -> Result<(), AppendError>;

    /// Whether the batch is stored, found by its event ids. Call after fencing, else an append
    /// in flight may still land.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when that cannot be said.
    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError>;

    /// The events at these places, as far as there are any, in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached or a row fails its checksum.
    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError>;

    /// The events of these streams of a shard after a position, in order. Looks at every event after
    /// it, so the position is to be a late one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached or a row fails its checksum.
    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError>;

    /// Up to `limit` events of a shard after a position, in order; none only where there are none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached or a row fails its checksum.
    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// The frames of a shard that hold up to `limit` events after a position, in order and as they
    /// lie there; none only where there are none. Nothing is checked: that is what they are for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached.
    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError>;

    /// The fences of all shards at one moment, by number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached.
    async fn fences(&self) -> Result<Vec<Fence>, StoreError>;

    /// The last position of every shard, by number; 0 for an empty one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached.
    async fn heads(&self) -> Result<Vec<u64>, StoreError> {
        let fences = self.fences().await?;
        Ok(fences.into_iter().map(|fence| fence.next_position.saturating_sub(1)).collect())
    }

    /// Whether the store answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it does not.
    async fn ping(&self) -> Result<(), StoreError>;
}
