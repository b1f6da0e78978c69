//! Money of returns that became store credit: what orders say, and what the stocks of credit say
//! (R13). They lie in different streams, so nothing is compared before all were read.

use std::collections::BTreeMap;

use super::entry::{Entry, Origin};
use super::violation::{Violation, holds};
use crate::values::{AdjustmentId, Currency, Money, ReturnId};

/// What orders have given back as store credit, by the name of the deposit, and where they say so.
#[derive(Clone, Debug, Default)]
pub(super) struct Deposits(BTreeMap<AdjustmentId, (Money, Origin)>);

/// What stocks of credit were changed by.
pub(super) type Made = BTreeMap<(AdjustmentId, Currency), i64>;

impl Deposits {
    /// An order says that this went back for a return.
    pub(super) fn note(&mut self, rma: ReturnId, amount: Money, entry: &Entry<'_>) {
        self.0.insert(rma.deposit(), (amount, entry.origin()));
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.0.extend(other.0.clone());
    }

    /// Those that no stock of credit has, or not as much.
    pub(super) fn missing(&self, made: &Made) -> Vec<Violation> {
        let missing = self.0.iter().filter_map(|(id, (due, origin))| {
            let there = made.get(&(*id, due.currency())).copied().unwrap_or_default();
            let arrived = holds("R13", there == due.minor(), || {
                format!("{due} went back as store credit, where {there} minor units arrived")
            });
            Some(arrived.err()?.by(origin.clone()))
        });
        missing.collect()
    }
}
