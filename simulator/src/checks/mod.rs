//! The verdict from outside: pure functions over what was recorded, one per promise.

mod orders;
mod people;
mod stock;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::{Reading, Replay, Shelf, ShopperRecord, StockSample};

/// Accepted keys that are repeated afterwards; of more than this many a sample is drawn.
pub const REPLAYS: usize = 2_000;

/// Violations that are kept word by word; the rest is counted.
const KEPT: usize = 10;

/// Everything that a run knows when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// How many shoppers were sent.
    pub shoppers: u32,
    /// What each of them saw.
    pub records: &'a [ShopperRecord],
    /// The products, before and after.
    pub shelves: &'a [Shelf],
    /// Acknowledged orders, read again.
    pub readings: &'a [Reading],
    /// Accepted keys, repeated.
    pub replays: &'a [Replay],
    /// Stock seen while the crowd was there.
    pub samples: &'a [StockSample],
}

impl Evidence<'_> {
    /// Readings by the shopper to whom the order was promised.
    fn readings_by_shopper(&self) -> BTreeMap<u32, &Reading> {
        self.readings.iter().map(|reading| (reading.shopper, reading)).collect()
    }
}

/// One promise and whether it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name, for machines.
    pub name: &'static str,
    /// Whether no violation was found.
    pub passed: bool,
    /// What was counted, for people.
    pub figure: String,
    /// The first violations, one sentence each.
    pub violations: Vec<String>,
    /// How many violations there were in all.
    pub violation_count: usize,
}

/// Runs every check.
pub fn all(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        stock::nothing_oversold(evidence),
        orders::acknowledged_orders_kept(evidence),
        orders::one_order_per_key(evidence),
        stock::stock_adds_up(evidence),
        stock::demand_is_served(evidence),
        people::no_server_errors(evidence),
        people::outcomes_known(evidence),
        people::everybody_answered(evidence),
    ]
}

/// Collects violations without keeping all of their words.
#[derive(Debug, Default)]
struct Findings {
    kept: Vec<String>,
    count: usize,
}

impl Findings {
    fn add(&mut self, violation: impl FnOnce() -> String) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < KEPT {
            self.kept.push(violation());
        }
    }

    fn unless(&mut self, fine: bool, violation: impl FnOnce() -> String) {
        if !fine {
            self.add(violation);
        }
    }

    fn into_check(self, name: &'static str, figure: String) -> Check {
        Check {
            name,
            passed: self.count == 0,
            figure,
            violations: self.kept,
            violation_count: self.count,
        }
    }
}
