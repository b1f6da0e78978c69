//! What is open when the last event has been booked.

use std::collections::BTreeMap;

use super::accounts::Balances;
use super::violation::Violation;
use crate::values::{HoldId, Moment, Money, OrderId, ProductId};

/// A hold that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHold {
    /// Key of the stock.
    pub product: String,
    /// Which hold.
    pub hold: HoldId,
    /// Units set aside.
    pub quantity: u64,
    /// When it lapses. Past this and the time that a timer may take, it is overdue.
    pub expires_at: Moment,
}

impl OpenHold {
    pub(super) fn name(&self) -> (&str, HoldId) {
        (&self.product, self.hold)
    }
}

/// Captured money that is matched by neither sold units nor a full refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCapture {
    /// Of which order.
    pub order: OrderId,
    /// How much was taken and has not gone back.
    pub amount: Money,
}

/// Units of one product by the word of its stock and by that of the orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// Units sold, says the stock.
    pub sold: u64,
    /// Units sold, say the orders.
    pub ordered: u64,
    /// Of those, units that came back, say the returns.
    pub returned: u64,
}

/// The books at the end of a journal.
///
/// Units and captures that do not match yet are open, not broken: work may be under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Events booked.
    pub events: u64,
    /// Streams seen.
    pub streams: u64,
    /// Streams in which a promise was broken.
    pub broken_streams: u64,
    /// Orders seen.
    pub orders: u64,
    /// Holds that have not ended. At quiescence only those of orders that wait to be paid remain.
    pub open_holds: Vec<OpenHold>,
    /// Captures without an end (R4).
    pub open_captures: Vec<OpenCapture>,
    /// Products whose stock and orders tell different stories (R1, seen across streams).
    pub units: BTreeMap<ProductId, Unmatched>,
    /// Money by currency and account (R5); what is zero is left out.
    pub balances: Balances,
    /// Money that went back as store credit and did not arrive there (R13), each where its order says
    /// so.
    pub missing_credit: Vec<Violation>,
    /// Prices that no listing had (R14), each where it was quoted first.
    pub mispriced: Vec<Violation>,
}

impl Closing {
    /// Whether all work was done and every unit and cent has its match.
    pub fn is_quiescent(&self) -> bool {
        self.open_holds.is_empty() && self.open_captures.is_empty() && self.units.is_empty()
    }
}
