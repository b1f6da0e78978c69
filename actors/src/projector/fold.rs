//! Events on their way into rows: what a round of the projector changes.

use std::collections::{BTreeMap, BTreeSet};

use engine::Aggregate;
use engine::catalog::{ListingState, Product};
use engine::inventory::{Inventory, InventoryEvent};
use engine::order::{Order, OrderStatus};
use engine::values::{OrderId, ProductId};
use persistence::journal::{Record, StreamId};
use persistence::read_models::{Changes, HistoryRow, OrderRow, ProductRow, StockRow, Wakeup};
use persistence::{StoreError, Stores, codec};
use uuid::Uuid;

use super::entries::{Entries, Folded as _, KeptStates, STATES_MAX, StateOf};
use crate::entity::{self, Loaded};
use crate::histories::Histories;
use crate::latest::Latest;

/// Orders that are not done and whose state is kept for later rounds; of more, those are read again
/// that lay still for longest.
const OPEN_MAX: usize = 16_384;

/// What a round leaves to the next.
pub(super) struct Left {
    /// The orders that are open: most of the latest are done in the next.
    orders: Latest<OrderId, Known>,
    /// The states of listed kinds.
    states: KeptStates,
}

impl Default for Left {
    fn default() -> Self {
        Self { orders: Latest::new(OPEN_MAX), states: Latest::new(STATES_MAX) }
    }
}

/// An order as the rows know it.
type Known = StateOf<Order>;

/// An order that a round touches.
#[derive(Default)]
struct Touched {
    known: Known,
    /// The status that the rows show; none for a new order.
    listed: Option<OrderStatus>,
    positions: Vec<u64>,
    stream: Option<StreamId>,
}

/// Rows in the making.
pub(super) struct Fold {
    open: Latest<OrderId, Known>,
    entries: Entries,
    orders: BTreeMap<OrderId, Touched>,
    products: BTreeMap<ProductId, ProductRow>,
    /// Of everything but orders.
    histories: BTreeMap<StreamId, HistoryRow>,
    earlier_wakeups: BTreeMap<StreamId, Wakeup>,
}

impl Fold {
    /// Starts from what earlier rounds left.
    pub(super) fn new(left: Left) -> Self {
        Self {
            open: left.orders,
            entries: Entries::new(left.states),
            orders: BTreeMap::new(),
            products: BTreeMap::new(),
            histories: BTreeMap::new(),
            earlier_wakeups: BTreeMap::new(),
        }
    }

    /// Fetches what the records will change; new orders have nothing yet.
    pub(super) async fn load(
        &mut self,
        stores: &Stores,
        histories: &Histories,
        records: &[&Record],
    ) -> Result<(), StoreError> {
        let mut unknown: BTreeMap<OrderId, StreamId> = BTreeMap::new();
        let mut products = BTreeSet::new();
        for record in records {
            let kind = record.stream.kind();
            if kind == Order::KIND {
                let order = order_id(&record.stream)?;
                if let Some(known) = self.open.take(&order) {
                    self.orders.insert(order, Touched::from(known));
                } else if record.version == 1 {
                    self.orders.insert(order, Touched::default());
                } else if !self.orders.contains_key(&order) {
                    unknown.insert(order, record.stream.clone());
                }
            } else if (kind == Product::KIND || kind == Inventory::KIND)
                && let Ok(product) = ProductId::parse(record.stream.key())
            {
                products.insert(product);
            }
        }
        let mut found = histories.read_folded(unknown.values().cloned()).await?;
        for (order, stream) in unknown {
            let records = found.remove(&stream).unwrap_or_default();
            let Loaded { state, version, .. } = entity::fold::<Order>(Loaded::default(), &records)?;
            self.orders.insert(order, Touched::from(Known { state, version }));
        }
        let products: Vec<ProductId> = products.into_iter().collect();
        for row in stores.read_models.products(&products).await? {
            self.products.insert(row.product.clone(), row);
        }
        self.entries.load(histories, records).await
    }

    /// Folds an event in.
    pub(super) fn book(&mut self, record: &Record) -> Result<(), StoreError> {
        match record.stream.kind() {
            Order::KIND => return self.book_order(record),
            Product::KIND => self.book_listing(record)?,
            Inventory::KIND => self.book_stock(record)?,
            // Kinds without a list are read from their own actors.
            _ => self.entries.book(record)?,
        }
        let row = self.histories.entry(record.stream.clone()).or_insert_with(|| HistoryRow {
            stream: record.stream.clone(),
            last_version: 0,
            positions: Vec::new(),
        });
        row.last_version = record.version;
        row.positions.push(record.position);
        Ok(())
    }

    fn book_order(&mut self, record: &Record) -> Result<(), StoreError> {
        let touched = self.orders.entry(order_id(&record.stream)?).or_default();
        if record.version <= touched.known.version {
            return Ok(());
        }
        touched.known.book(record)?;
        touched.positions.push(record.position);
        touched.stream.get_or_insert_with(|| record.stream.clone());
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
            let mut state = ListingState::from(row.listing.take());
            if state.listing.as_ref().is_none_or(|listing| listing.version < record.version) {
                Product::evolve(&mut state, &event, record.at);
            }
            row.listing = state.listing;
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

    /// The rows, and what to start the next round from.
    pub(super) fn finish(self) -> (Changes, Left) {
        let mut changes = Changes {
            histories: self.histories.into_values().collect(),
            products: self.products.into_values().collect(),
            earlier_wakeups: self.earlier_wakeups.into_values().collect(),
            ..Changes::default()
        };
        let mut open = self.open;
        for (order, touched) in self.orders {
            touched.finish(order, &mut changes, &mut open);
        }
        let states = self.entries.finish(&mut changes);
        (changes, Left { orders: open, states })
    }
}

impl From<Known> for Touched {
    fn from(known: Known) -> Self {
        let listed = known.state.0.as_ref().map(|order| order.status);
        Self { known, listed, ..Self::default() }
    }
}

impl Touched {
    fn finish(self, id: OrderId, changes: &mut Changes, open: &mut Latest<OrderId, Known>) {
        let (Known { state, version }, Some(stream)) = (self.known, self.stream) else { return };
        let due = Order::wake_at(&state);
        // Who came and is done within a round was never to be woken.
        if due.is_some() || self.listed.is_some() {
            changes.wakeups.push(Wakeup { stream: stream.clone(), due, version });
        }
        if let Some(order) = state.0.as_ref().filter(|order| self.listed != Some(order.status)) {
            let (status, created_at) = (order.status, order.created_at);
            changes.orders.push(OrderRow { order: id, status, created_at });
        }
        let positions = self.positions;
        changes.histories.push(HistoryRow { stream, last_version: version, positions });
        if due.is_some() {
            open.keep(id, Known { state, version });
        }
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
        InventoryEvent::Restocked { quantity, .. } | InventoryEvent::TakenBack { quantity, .. } => {
            stock.on_hand = stock.on_hand.checked_add(quantity.units())?;
            stock.sold = stock.sold.checked_sub(quantity.units())?;
        }
        InventoryEvent::LimitSet { .. } | InventoryEvent::Extended { .. } => {}
    }
    Some(())
}
