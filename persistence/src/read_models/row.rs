//! Between stored rows and read models: the same columns in both databases.

use std::collections::BTreeMap;

use engine::order::OrderStatus;
use engine::values::{Moment, OrderId, ProductId};
use uuid::Uuid;

use super::{HistoryRow, HistoryTail, OrderRow, ProductRow, StockRow, Wakeup, positions};
use crate::StoreError;
use crate::journal::StreamId;

/// The columns of an order.
#[derive(sqlx::FromRow)]
pub(super) struct StoredOrder {
    order_id: Uuid,
    status: String,
    created_at: i64,
}

impl TryFrom<StoredOrder> for OrderRow {
    type Error = StoreError;

    fn try_from(row: StoredOrder) -> Result<Self, StoreError> {
        Ok(Self {
            order: OrderId::new(row.order_id),
            status: status(&row.status)?,
            created_at: Moment::from_unix_micros(row.created_at),
        })
    }
}

/// The columns of a product.
#[derive(sqlx::FromRow)]
pub(super) struct StoredProduct {
    product_id: String,
    listing: Option<String>,
    on_hand: i64,
    held: i64,
    sold: i64,
    stock_version: i64,
}

impl TryFrom<StoredProduct> for ProductRow {
    type Error = StoreError;

    fn try_from(row: StoredProduct) -> Result<Self, StoreError> {
        let damaged = |what: &str| {
            StoreError::Corrupt(format!("{what} in the read model of product {}", row.product_id))
        };
        let units = |units: i64| u32::try_from(units).map_err(|_| damaged("units"));
        let listing = row.listing.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            product: ProductId::parse(&row.product_id).map_err(|_| damaged("id"))?,
            listing: listing.map_err(|_| damaged("listing"))?,
            stock: StockRow {
                on_hand: units(row.on_hand)?,
                held: units(row.held)?,
                sold: units(row.sold)?,
                version: row.stock_version.cast_unsigned(),
            },
        })
    }
}

/// A row of a history from its columns; the first is the number of the tail that it belongs to.
pub(super) fn history(
    tails: &[HistoryTail],
    (number, last_version, bytes): (i64, i64, Vec<u8>),
) -> Result<HistoryRow, StoreError> {
    let damaged = || StoreError::Corrupt("a row of a history in the read models".to_owned());
    let tail = usize::try_from(number).ok().and_then(|number| tails.get(number));
    let stream = tail.ok_or_else(damaged)?.stream.clone();
    let positions = positions::decode(&bytes).ok_or_else(damaged)?;
    Ok(HistoryRow { stream, last_version: last_version.cast_unsigned(), positions })
}

/// A due wake-up from its columns.
pub(super) fn wakeup((stream, due, version): (String, i64, i64)) -> Result<Wakeup, StoreError> {
    let damaged = || StoreError::Corrupt(format!("wake-up of {stream:?}"));
    let stream = StreamId::parse(&stream).ok_or_else(damaged)?;
    let due = Some(Moment::from_unix_micros(due));
    Ok(Wakeup { stream, due, version: version.cast_unsigned() })
}

/// What a run of wake-ups that may only become earlier comes to for each stream.
pub(super) fn earliest_of_each(wakeups: &[Wakeup]) -> Vec<Wakeup> {
    let mut earliest: BTreeMap<&StreamId, Wakeup> = BTreeMap::new();
    for wakeup in wakeups.iter().filter(|wakeup| wakeup.due.is_some()) {
        let row = earliest.entry(&wakeup.stream).or_insert_with(|| wakeup.clone());
        row.due = row.due.min(wakeup.due);
        row.version = row.version.max(wakeup.version);
    }
    earliest.into_values().collect()
}

/// What a run of guarded wake-ups comes to for each stream: the one that knows most, the later of
/// equals.
pub(super) fn best_informed_of_each(wakeups: &[Wakeup]) -> Vec<Wakeup> {
    let mut best: BTreeMap<&StreamId, &Wakeup> = BTreeMap::new();
    for wakeup in wakeups {
        let row = best.entry(&wakeup.stream).or_insert(wakeup);
        if row.version <= wakeup.version {
            *row = wakeup;
        }
    }
    best.into_values().cloned().collect()
}

/// The listing as it is stored.
pub(super) fn listing(row: &ProductRow) -> Result<Option<String>, StoreError> {
    let text = row.listing.as_ref().map(serde_json::to_string).transpose();
    text.map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn status(word: &str) -> Result<OrderStatus, StoreError> {
    let known = OrderStatus::ALL.into_iter().find(|status| status.as_str() == word);
    known.ok_or_else(|| StoreError::Corrupt(format!("status {word:?} in the read model")))
}

/// The last item of each key: a run of events may change the same row more than once.
pub(super) fn last_of_each<'a, T, K: Ord>(
    items: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> impl Iterator<Item = &'a T> {
    let last: BTreeMap<K, &'a T> = items.iter().map(|item| (key(item), item)).collect();
    last.into_values()
}

/// By how much the count of each status changes, given how many of the changed orders had it.
pub(super) fn count_changes<'a>(
    before: Vec<(String, i64)>,
    after: impl Iterator<Item = &'a OrderRow>,
) -> Vec<(String, i64)> {
    let mut changes: BTreeMap<String, i64> = BTreeMap::new();
    for row in after {
        let change = changes.entry(row.status.as_str().into()).or_default();
        *change = change.saturating_add(1);
    }
    for (status, orders) in before {
        let change = changes.entry(status).or_default();
        *change = change.saturating_sub(orders);
    }
    changes.retain(|_, change| *change != 0);
    changes.into_iter().collect()
}
