//! Follows the journal into the read models, behind a cursor per shard; it cannot slow a sale.
//!
//! Each round folds what each shard has gained since its cursor; several events of one entity
//! become one row. Wake-ups that come and go within a round are never written at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::Aggregate;
use engine::catalog::{ListingState, Product};
use engine::inventory::{Inventory, InventoryEvent};
use engine::order::{Order, OrderEvent, OrderState};
use engine::values::{OrderId, ProductId};
use metrics::gauge;
use persistence::journal::{Batch, Record, Shard, StreamId};
use persistence::pubsub::Announcement;
use persistence::read_models::{Changes, OrderRow, ProductRow, StockRow, Wakeup};
use persistence::{StoreError, Stores, codec};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use crate::feed::Feed;
use crate::metrics::PROJECTION_LAG_EVENTS;

/// Events of one shard in one round.
const ROUND_EVENTS_MAX: u32 = 2_000;

/// Events folded in one go before others get their turn.
const RUN_EVENTS: usize = 64;

/// Pause after a failed round.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// How far each shard is folded into the read models, for those who wait for it.
#[derive(Clone)]
pub(crate) struct Progress {
    cursors: Arc<Vec<AtomicU64>>,
    moved: watch::Receiver<u64>,
    lag: Arc<AtomicU64>,
}

impl Progress {
    /// Whether the read models hold everything up to this place.
    pub(crate) fn has_passed(&self, shard: Shard, position: u64) -> bool {
        let cursor = self.cursors.get(usize::from(shard.0));
        cursor.is_some_and(|cursor| position <= cursor.load(Ordering::Acquire))
    }

    /// Changes with every round that moved a cursor.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.clone()
    }

    /// Events that the journal has and the read models have not, as of the last round.
    pub(crate) fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }
}

/// The follower.
pub(crate) struct Projector {
    stores: Stores,
    feed: Arc<Feed>,
    /// The last position that each shard is known to have.
    heads: Vec<u64>,
    interval: Duration,
    cursors: Arc<Vec<AtomicU64>>,
    moved: watch::Sender<u64>,
    lag: Arc<AtomicU64>,
}

impl Projector {
    /// Opens the cursors and folds in everything that is there: nothing is served before.
    pub(crate) async fn open(
        stores: Stores,
        feed: Arc<Feed>,
        interval: Duration,
    ) -> Result<(Self, Progress), StoreError> {
        let folded = stores.read_models.cursors(stores.journal.shards()).await?;
        let cursors: Arc<Vec<AtomicU64>> =
            Arc::new(folded.into_iter().map(AtomicU64::new).collect());
        let (moved, receiver) = watch::channel(0);
        let lag = Arc::new(AtomicU64::new(0));
        let progress =
            Progress { cursors: Arc::clone(&cursors), moved: receiver, lag: Arc::clone(&lag) };
        let heads = stores.journal.heads().await?;
        let mut projector = Self { stores, feed, heads, interval, cursors, moved, lag };
        while projector.round().await? {}
        Ok((projector, progress))
    }

    /// Follows for ever, a round at a time.
    pub(crate) async fn run(mut self, mut commits: watch::Receiver<u64>) {
        loop {
            if commits.changed().await.is_err() {
                return;
            }
            // Lets what belongs together come together: most orders are done within a round.
            sleep(self.interval).await;
            commits.mark_unchanged();
            loop {
                match self.round().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        warn!(error = %error, "read models cannot be brought up to date");
                        sleep(RETRY_PAUSE).await;
                    }
                }
            }
        }
    }

    /// Folds in up to a bounded number of events per shard; whether more may be waiting.
    async fn round(&mut self) -> Result<bool, StoreError> {
        let fed = self.feed.take();
        if fed.has_gap {
            self.heads = self.stores.journal.heads().await?;
        }
        let (records, moves) = self.gather(&fed.batches).await?;
        if records.is_empty() {
            return Ok(false);
        }
        let records: Vec<&Record> = records.iter().map(Gathered::record).collect();
        let mut changes = self.fold(&records).await?;
        changes.cursors.clone_from(&moves);
        self.stores.read_models.apply(&changes).await?;
        for (shard, position) in &moves {
            if let Some(cursor) = self.cursors.get(usize::from(shard.0)) {
                cursor.store(*position, Ordering::Release);
            }
        }
        let lag = self.count_lag();
        self.moved.send_modify(|rounds| *rounds = rounds.wrapping_add(1));
        let announcements: Vec<Announcement> =
            moves.into_iter().map(|(shard, position)| Announcement { shard, position }).collect();
        self.stores.pubsub.announce(&announcements).await;
        Ok(0 < lag)
    }

    /// What each shard has gained since its cursor: from the feed where it joins on, else from
    /// the journal.
    async fn gather<'a>(
        &mut self,
        fed: &'a [Arc<Batch>],
    ) -> Result<(Vec<Gathered<'a>>, Vec<(Shard, u64)>), StoreError> {
        let mut by_shard: BTreeMap<Shard, Vec<&'a Record>> = BTreeMap::new();
        for record in fed.iter().flat_map(|batch| &batch.records) {
            by_shard.entry(record.shard).or_default().push(record);
        }
        let mut gathered = Vec::new();
        let mut moves = Vec::new();
        for ((shard, cursor), head) in
            (0_u16..).map(Shard).zip(self.cursors.iter()).zip(&mut self.heads)
        {
            let after = cursor.load(Ordering::Acquire);
            let fresh = by_shard.remove(&shard).unwrap_or_default();
            *head = fresh.last().map_or(*head, |last| last.position.max(*head));
            let joins = fresh.first().is_some_and(|first| first.position <= after + 1);
            let last = if joins {
                // Only as far as they join on: what is missing in between is read next time.
                let mut last = after;
                for record in fresh.into_iter().skip_while(|record| record.position <= after) {
                    if record.position != last.saturating_add(1) {
                        break;
                    }
                    last = record.position;
                    gathered.push(Gathered::Fed(record));
                }
                last
            } else if after < *head {
                let journal = &self.stores.journal;
                let read = journal.read_shard(shard, after, ROUND_EVENTS_MAX).await?;
                let last = read.last().map_or(after, |last| last.position);
                gathered.extend(read.into_iter().map(Gathered::Read));
                last
            } else {
                after
            };
            if after < last {
                moves.push((shard, last));
            }
        }
        Ok((gathered, moves))
    }

    fn count_lag(&self) -> u64 {
        let behind = |(cursor, head): (&AtomicU64, &u64)| {
            head.saturating_sub(cursor.load(Ordering::Acquire))
        };
        let lag = self.cursors.iter().zip(&self.heads).map(behind).sum();
        self.lag.store(lag, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a gauge shows magnitudes")]
        gauge!(PROJECTION_LAG_EVENTS).set(lag as f64);
        lag
    }

    async fn fold(&self, records: &[&Record]) -> Result<Changes, StoreError> {
        let mut fold = Fold::default();
        fold.load(&self.stores, records).await?;
        for (index, record) in records.iter().enumerate() {
            fold.book(record)?;
            if index % RUN_EVENTS == 0 {
                // A crowd of events must not hold up the orders that are under way.
                tokio::task::yield_now().await;
            }
        }
        fold.changes()
    }
}

/// An event on its way into the rows.
enum Gathered<'a> {
    Fed(&'a Record),
    Read(Record),
}

impl Gathered<'_> {
    const fn record(&self) -> &Record {
        match self {
            Self::Fed(record) => record,
            Self::Read(record) => record,
        }
    }
}

/// Rows in the making.
#[derive(Default)]
struct Fold {
    orders: BTreeMap<OrderId, (OrderState, u64)>,
    products: BTreeMap<ProductId, ProductRow>,
    wakeups: BTreeMap<StreamId, Wakeup>,
    earlier_wakeups: BTreeMap<StreamId, Wakeup>,
}

impl Fold {
    /// Fetches the rows that the records will change; new orders have none.
    async fn load(&mut self, stores: &Stores, records: &[&Record]) -> Result<(), StoreError> {
        let mut orders = BTreeSet::new();
        let mut begun = BTreeSet::new();
        let mut products = BTreeSet::new();
        for record in records {
            let (kind, key) = (record.stream.kind(), record.stream.key());
            if kind == Order::KIND {
                let order = order_id(&record.stream)?;
                if record.version == 1 {
                    begun.insert(order);
                } else if !begun.contains(&order) {
                    orders.insert(order);
                }
            } else if (kind == Product::KIND || kind == Inventory::KIND)
                && let Ok(product) = ProductId::parse(key)
            {
                products.insert(product);
            }
        }
        let orders: Vec<OrderId> = orders.into_iter().collect();
        let known =
            if orders.is_empty() { Vec::new() } else { stores.read_models.orders(&orders).await? };
        for row in known {
            let state = codec::decode_state::<Order>(&row.body)?;
            self.orders.insert(row.order, (state, row.version));
        }
        let products: Vec<ProductId> = products.into_iter().collect();
        for row in stores.read_models.products(&products).await? {
            self.products.insert(row.product.clone(), row);
        }
        Ok(())
    }

    fn book(&mut self, record: &Record) -> Result<(), StoreError> {
        match record.stream.kind() {
            Order::KIND => self.book_order(record),
            Product::KIND => self.book_listing(record),
            Inventory::KIND => self.book_stock(record),
            // Carts are read from their own actors.
            _ => Ok(()),
        }
    }

    fn book_order(&mut self, record: &Record) -> Result<(), StoreError> {
        let order = order_id(&record.stream)?;
        let (state, version) = self.orders.entry(order).or_default();
        if record.version <= *version {
            return Ok(());
        }
        let event: OrderEvent = codec::decode::<Order>(record)?;
        Order::evolve(state, &event, record.at);
        *version = record.version;
        let (stream, version) = (record.stream.clone(), record.version);
        let due = Order::wake_at(state);
        self.wakeups.insert(stream.clone(), Wakeup { stream, due, version });
        Ok(())
    }

    fn product(&mut self, stream: &StreamId) -> Option<&mut ProductRow> {
        let product = ProductId::parse(stream.key()).ok()?;
        let empty =
            ProductRow { product: product.clone(), listing: None, stock: StockRow::default() };
        Some(self.products.entry(product).or_insert(empty))
    }

    fn book_listing(&mut self, record: &Record) -> Result<(), StoreError> {
        let event = codec::decode::<Product>(record)?;
        if let Some(row) = self.product(&record.stream) {
            let mut state = ListingState(row.listing.take());
            if state.0.as_ref().is_none_or(|listing| listing.version < record.version) {
                Product::evolve(&mut state, &event, record.at);
            }
            row.listing = state.0;
        }
        Ok(())
    }

    fn book_stock(&mut self, record: &Record) -> Result<(), StoreError> {
        let event = codec::decode::<Inventory>(record)?;
        if let InventoryEvent::Held { expires_at, .. }
        | InventoryEvent::Extended { expires_at, .. } = &event
        {
            // The earliest one counts; the entity tells the next one when it is woken.
            let (stream, version) = (record.stream.clone(), record.version);
            let first = Wakeup { stream: stream.clone(), due: Some(*expires_at), version };
            let wakeup = self.earlier_wakeups.entry(stream).or_insert(first);
            wakeup.due = wakeup.due.min(Some(*expires_at));
            wakeup.version = version;
        }
        if let Some(row) = self.product(&record.stream)
            && row.stock.version < record.version
        {
            row.stock.version = record.version;
            move_stock(&mut row.stock, &event).ok_or_else(|| {
                StoreError::Corrupt(format!("stock of {} cannot be counted", record.stream))
            })?;
        }
        Ok(())
    }

    fn changes(self) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        for (id, (state, version)) in self.orders {
            let Some(order) = &state.0 else { continue };
            changes.orders.push(OrderRow {
                order: id,
                status: order.status,
                created_at: order.created_at,
                version,
                body: codec::encode_state::<Order>(&state)?,
            });
        }
        changes.products = self.products.into_values().collect();
        changes.wakeups = self.wakeups.into_values().collect();
        changes.earlier_wakeups = self.earlier_wakeups.into_values().collect();
        Ok(changes)
    }
}

fn order_id(stream: &StreamId) -> Result<OrderId, StoreError> {
    let id = Uuid::try_parse(stream.key());
    id.map(OrderId::new).map_err(|_| StoreError::Corrupt(format!("{stream} is no order")))
}

/// Moves the numbers of a stock; `None` when they would leave their range.
fn move_stock(stock: &mut StockRow, event: &InventoryEvent) -> Option<()> {
    match event {
        InventoryEvent::Adjusted { delta, .. } => {
            let after = i64::from(stock.on_hand).checked_add(*delta)?;
            stock.on_hand = u32::try_from(after).ok()?;
        }
        InventoryEvent::Held { quantity, .. } => {
            stock.held = stock.held.checked_add(quantity.units())?;
        }
        InventoryEvent::Committed { quantity, .. } => {
            stock.held = stock.held.checked_sub(quantity.units())?;
            stock.on_hand = stock.on_hand.checked_sub(quantity.units())?;
            stock.sold = stock.sold.checked_add(quantity.units())?;
        }
        InventoryEvent::CommittedLate { quantity, .. } => {
            stock.on_hand = stock.on_hand.checked_sub(quantity.units())?;
            stock.sold = stock.sold.checked_add(quantity.units())?;
        }
        InventoryEvent::Released { quantity, .. } | InventoryEvent::Expired { quantity, .. } => {
            stock.held = stock.held.checked_sub(quantity.units())?;
        }
        InventoryEvent::Restocked { quantity, .. } => {
            stock.on_hand = stock.on_hand.checked_add(quantity.units())?;
            stock.sold = stock.sold.checked_sub(quantity.units())?;
        }
        InventoryEvent::LimitSet { .. } | InventoryEvent::Extended { .. } => {}
    }
    Some(())
}
