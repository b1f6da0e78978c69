//! Read models: what lists and late readers see, folded from the journal behind a cursor.
//!
//! Every change arrives together with the cursors that it brings a shard to, in one transaction;
//! so after any crash the fold goes on where it was. All of it can be deleted and rebuilt.

mod entries;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod entry_list;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod list;
mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod positions;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

use async_trait::async_trait;
use engine::catalog::Listing;
use engine::order::OrderStatus;
use engine::values::{Moment, OrderId, ProductId};

pub use entries::{EntryPage, EntryQuery, EntryRow};
pub use memory::MemoryReadModels;
#[cfg(feature = "postgres")]
pub(crate) use postgres::PostgresReadModels;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::SqliteReadModels;

use crate::StoreError;
use crate::journal::{Shard, StreamId};

/// One order's place in lists. What it says is read from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id.
    pub order: OrderId,
    /// Its public status, for filters.
    pub status: OrderStatus,
    /// When it was placed.
    pub created_at: Moment,
}

/// Where some events of one stream lie, which follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Whose events.
    pub stream: StreamId,
    /// The version of the last of them.
    pub last_version: u64,
    /// Their positions in the stream's shard, ascending.
    pub positions: Vec<u64>,
}

impl HistoryRow {
    /// Version and position of each event.
    pub fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        let before = self.last_version.saturating_sub(self.positions.len() as u64);
        (before.saturating_add(1)..).zip(self.positions.iter().copied())
    }
}

/// From where the places of a stream's events are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryTail {
    /// Whose.
    pub stream: StreamId,
    /// Rows with events of greater versions are wanted; 0 for all.
    pub after: u64,
}

/// Stock numbers of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockRow {
    /// Units that are here, held ones included.
    pub on_hand: u32,
    /// Units set aside.
    pub held: u32,
    /// Units sold and gone.
    pub sold: u32,
    /// Version of the last stock event in it.
    pub version: u64,
}

/// One product with its stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRow {
    /// Its id.
    pub product: ProductId,
    /// Its listing, once it was published.
    pub listing: Option<Listing>,
    /// Its stock numbers.
    pub stock: StockRow,
}

/// When an entity is to be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// Which entity.
    pub stream: StreamId,
    /// When; `None` takes the wake-up away.
    pub due: Option<Moment>,
    /// The entity's version on which this is based. The row keeps the greatest that it was told,
    /// so that who looked at an older state cannot take away what a newer event wants.
    pub version: u64,
}

/// Everything that a run of events changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Where new events lie, stream by stream.
    pub histories: Vec<HistoryRow>,
    /// Orders that are new or have a new status.
    pub orders: Vec<OrderRow>,
    /// Products in their new form.
    pub products: Vec<ProductRow>,
    /// Entities that are new in the list of their kind, or stand elsewhere in it.
    pub entries: Vec<EntryRow>,
    /// Entities that leave the list of their kind.
    pub gone_entries: Vec<StreamId>,
    /// Wake-ups that come, move or go: the row becomes exactly this.
    pub wakeups: Vec<Wakeup>,
    /// Wake-ups that may only become earlier: an existing row keeps the earlier of both moments.
    pub earlier_wakeups: Vec<Wakeup>,
    /// The position up to which each named shard is folded in.
    pub cursors: Vec<(Shard, u64)>,
}

/// Which orders a list shows. Newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderQuery {
    /// Only these, if given.
    pub status: Option<OrderStatus>,
    /// At most this many.
    pub limit: u32,
    /// After this place.
    pub start: PageStart,
}

/// Where a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// After that many rows.
    Offset(u64),
    /// After the row with this creation moment and id.
    After(Moment, OrderId),
}

/// A page of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// The rows.
    pub rows: Vec<OrderRow>,
    /// How many there are in all that match.
    pub total: u64,
    /// Whether more rows follow.
    pub more: bool,
}

/// The stored read models. One contract, one conformance suite.
#[async_trait]
pub trait ReadModels: Send + Sync + 'static {
    /// The position up to which each shard is folded in, by number; 0 where nothing is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached; likewise below.
    async fn cursors(&self, shards: u16) -> Result<Vec<u64>, StoreError>;

    /// Makes all changes and moves the cursors, or does nothing. A cursor never moves back: who
    /// tries that lags behind another projector, and is refused.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing was changed then, unless the connection broke on the way. Making
    /// the same changes again is harmless.
    async fn apply(&self, changes: &Changes) -> Result<(), StoreError>;

    /// Where the events of these streams lie up to the cursors; each stream's rows ascending. Rows
    /// may overlap after a change whose outcome was unknown.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn histories(&self, tails: &[HistoryTail]) -> Result<Vec<HistoryRow>, StoreError>;

    /// A page of orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list_orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError>;

    /// These products, as far as they are known, in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn products(&self, products: &[ProductId]) -> Result<Vec<ProductRow>, StoreError>;

    /// Published products by id, after the given one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list_products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError>;

    /// A page of the list of any kind but orders and products.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list_entries(&self, query: &EntryQuery) -> Result<EntryPage, StoreError>;

    /// Wake-ups due at `now`, the earliest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn due_wakeups(&self, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError>;

    /// Sets or takes away wake-ups outside of a fold: the scheduler's own bookkeeping. A row whose
    /// version is greater than the given one stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn set_wakeups(&self, wakeups: &[Wakeup]) -> Result<(), StoreError>;

    /// Forgets everything, cursors included.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn clear(&self) -> Result<(), StoreError>;
}
