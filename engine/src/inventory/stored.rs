//! The books as a snapshot stores them: without the indexes that can be derived.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::model::{Adjustment, Ended, Hold, StockLevel};
use crate::planted::{Bug, planted};
use crate::values::{CustomerId, HoldId, Moment, Quantity};

/// Twin of [`StockLevel`]; `expiries` and `forget_at` are rebuilt.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredStock {
    on_hand: Quantity,
    held: Quantity,
    sold: Quantity,
    limit_per_customer: Option<Quantity>,
    holds: BTreeMap<HoldId, Hold>,
    ended: BTreeMap<HoldId, Ended>,
    adjustments: VecDeque<Adjustment>,
    bought: BTreeMap<CustomerId, Quantity>,
    version: u64,
    decided_at: Moment,
}

impl From<StoredStock> for StockLevel {
    fn from(mut stored: StoredStock) -> Self {
        if planted(Bug::SnapshotForgets) {
            stored.ended.clear();
        }
        Self {
            expiries: stored.holds.iter().map(|(id, hold)| (hold.expires_at, *id)).collect(),
            forget_at: stored.ended.iter().map(|(id, ended)| (ended.until, *id)).collect(),
            on_hand: stored.on_hand,
            held: stored.held,
            sold: stored.sold,
            limit_per_customer: stored.limit_per_customer,
            holds: stored.holds,
            ended: stored.ended,
            adjustments: stored.adjustments,
            bought: stored.bought,
            version: stored.version,
            decided_at: stored.decided_at,
        }
    }
}

impl From<StockLevel> for StoredStock {
    fn from(stock: StockLevel) -> Self {
        Self {
            on_hand: stock.on_hand,
            held: stock.held,
            sold: stock.sold,
            limit_per_customer: stock.limit_per_customer,
            holds: stock.holds,
            ended: stock.ended,
            adjustments: stock.adjustments,
            bought: stock.bought,
            version: stock.version,
            decided_at: stock.decided_at,
        }
    }
}
