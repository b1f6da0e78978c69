//! Reads: from the published durable view, else from the read models, else by waking the entity.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::Aggregate;
use engine::buyer::{Buyer, BuyerState};
use engine::cart::{Cart, OpenCart};
use engine::catalog::{Listing, Product};
use engine::inventory::{Inventory, StockLevel, StockView};
use engine::order::Order;
use engine::reviews::{Reviews, Waiting};
use engine::rma::Return;
use engine::values::{CartId, CustomerId, OrderId, ProductId, Quantity, ReturnId};
use persistence::StoreError;
use persistence::journal::{Record, StreamId};
use persistence::read_models::{
    EntryPage, EntryQuery, EntryRow, OrderPage, OrderQuery, OrderRow, ProductRow,
};
use tokio::time::{Instant, timeout_at};

use crate::directory::{Hosted, Published};
use crate::entity::{Loaded, fold};
use crate::outcome::{Accepted, Asking, Cause, Position};
use crate::system::OrderSystem;

/// How long a read may wait for an entity that has to be woken.
const WAKE_WITHIN: Duration = Duration::from_secs(2);

/// Most events of a stream in one answer.
pub const AUDIT_MAX: u32 = 1_000;

/// Why nothing can be told. Reading never changes anything.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A store did not answer.
    #[error("store unavailable")]
    Store(#[from] StoreError),
    /// The entity could not be woken in time.
    #[error("entity unavailable")]
    Entity,
}

/// A page of orders.
#[derive(Clone, Debug)]
pub struct OrderList {
    /// The orders.
    pub orders: Vec<Arc<Order>>,
    /// How many there are in all that match.
    pub total: u64,
    /// Whether more follow.
    pub more: bool,
}

/// A page of a kind's list.
#[derive(Clone, Debug)]
pub struct List<A: Aggregate> {
    /// The place of each entity in the list, and what readers see of it.
    pub entries: Vec<(EntryRow, A::View)>,
    /// How many there are in all that match.
    pub total: u64,
    /// Whether more follow.
    pub more: bool,
}

impl OrderSystem {
    /// One order.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when that cannot be told now; likewise below.
    pub async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, ReadError> {
        Ok(self.order_as_it_stands(id).await?.view)
    }

    /// One order, with its version and its place in the journal.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn order_as_it_stands(&self, id: OrderId) -> Result<Accepted<Order>, ReadError> {
        self.entity::<Order>(&id.to_string()).await
    }

    /// One cart.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn cart(&self, id: CartId) -> Result<Option<Arc<OpenCart>>, ReadError> {
        self.view_of::<Cart>(&id.to_string()).await
    }

    /// What is known of a buyer.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn buyer(&self, id: &CustomerId) -> Result<BuyerState, ReadError> {
        self.view_of::<Buyer>(id.as_str()).await
    }

    /// The orders that somebody has to look at.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn reviews(&self) -> Result<Arc<BTreeMap<OrderId, Waiting>>, ReadError> {
        self.view_of::<Reviews>(Reviews::KEY).await
    }

    /// One return.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn rma(&self, id: ReturnId) -> Result<Accepted<Return>, ReadError> {
        self.entity::<Return>(&id.to_string()).await
    }

    /// What a product is called and costs, and its stock.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn product(&self, id: &ProductId) -> Result<Option<(Listing, StockView)>, ReadError> {
        let key = id.as_str();
        let Some(listing) = self.view_of::<Product>(key).await? else { return Ok(None) };
        Ok(Some((listing, self.view_of::<Inventory>(key).await?)))
    }

    /// The whole books of a product, holds included.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn stock_books(&self, id: &ProductId) -> Result<StockLevel, ReadError> {
        let books = self.world.kinds.inventories.inspect(&self.world, id.as_str());
        books.await.map_err(|_| ReadError::Entity)
    }

    /// A page of orders, newest first. Shows what the read models know: an order reads as it was
    /// when its place in the list was written, or newer.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn list_orders(&self, query: &OrderQuery) -> Result<OrderList, ReadError> {
        let OrderPage { rows, total, more } =
            self.world.stores.read_models.list_orders(query).await?;
        let stream = |row: &OrderRow| StreamId::new(Order::KIND, &row.order.to_string());
        let mut histories = self.histories.read_folded(rows.iter().map(stream)).await?;
        let mut orders = Vec::with_capacity(rows.len());
        for row in &rows {
            let records = histories.remove(&stream(row)).unwrap_or_default();
            orders.extend(fold::<Order>(Loaded::default(), &records)?.state.0);
        }
        Ok(OrderList { orders, total, more })
    }

    /// A page of a listed kind, newest first, with what readers see of each entity. Shows what the
    /// read models know, as the list of orders does. The kind in the query is that of `A`.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn list<A: Aggregate>(&self, query: &EntryQuery) -> Result<List<A>, ReadError> {
        const { assert!(A::IS_LISTED, "this kind has no list") };
        debug_assert_eq!(query.kind, A::KIND, "the list of another kind");
        let EntryPage { rows, total, more } =
            self.world.stores.read_models.list_entries(query).await?;
        let streams = rows.iter().map(|row| row.stream.clone());
        let mut histories = self.histories.read_folded(streams).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let records = histories.remove(&row.stream).unwrap_or_default();
            let view = A::view(&fold::<A>(Loaded::default(), &records)?.state);
            entries.push((row, view));
        }
        Ok(List { entries, total, more })
    }

    /// Published products by id; stock numbers are the durable ones where the product is live.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn list_products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, ReadError> {
        let mut rows = self.world.stores.read_models.list_products(after, limit).await?;
        for row in &mut rows {
            if let Some(live) = self.world.kinds.inventories.view(row.product.as_str()) {
                row.stock.on_hand = live.view.on_hand.units();
                row.stock.held = live.view.held.units();
                row.stock.sold = live.view.sold.units();
                row.stock.version = live.view.version;
            }
        }
        Ok(rows)
    }

    /// What the journal says of one stream before a version, the newest first; at most 1,000 events.
    /// Shows what the read models know, as lists do.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn audit(
        &self,
        stream: &StreamId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Record>, ReadError> {
        let limit = usize::try_from(limit.min(AUDIT_MAX)).unwrap_or(usize::MAX);
        Ok(self.histories.read_back(stream, before, limit).await?)
    }

    /// How many shards there are; positions name one of them.
    pub fn shards(&self) -> u16 {
        self.world.stores.journal.shards()
    }

    /// Waits until the read models hold everything up to `position`; whether they do. A place that
    /// nothing durable can lie at is not waited for.
    pub async fn wait_for(&self, position: Position, deadline: Instant) -> bool {
        if !self.world.writer().has_reached(position) {
            return false;
        }
        let mut moved = self.progress.moved();
        while !self.progress.has_passed(position.shard, position.position) {
            if !matches!(timeout_at(deadline, moved.changed()).await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }

    /// Any entity, with its version and its place in the journal.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn entity<A: Hosted>(&self, key: &str) -> Result<Accepted<A>, ReadError> {
        match A::directory(&self.world).view(key) {
            Some(Published { view, version, position }) => {
                Ok(Accepted { view, version, position, changed: false })
            }
            None => self.woken(key).await,
        }
    }

    pub(crate) async fn view_of<A: Hosted>(&self, key: &str) -> Result<A::View, ReadError> {
        Ok(self.entity::<A>(key).await?.view)
    }

    async fn woken<A: Hosted>(&self, key: &str) -> Result<Accepted<A>, ReadError> {
        let deadline = Instant::now() + WAKE_WITHIN;
        let asking = Asking { deadline, cause: Cause::default() };
        let read = A::directory(&self.world).ask(&self.world, key, None, asking);
        read.await.map_err(|_| ReadError::Entity)
    }
}

/// The stock numbers of a row, as a view.
pub fn stock_view(row: &ProductRow) -> StockView {
    let stock = row.stock;
    StockView {
        on_hand: Quantity::new(stock.on_hand),
        held: Quantity::new(stock.held),
        available: Quantity::new(stock.on_hand.saturating_sub(stock.held)),
        sold: Quantity::new(stock.sold),
        version: stock.version,
    }
}
