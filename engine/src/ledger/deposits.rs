//! Money of returns that became store credit: what orders say, and what the stocks of credit say
//! (R13). They lie in different streams, so nothing is compared before all were read.

use std::collections::BTreeMap;

use super::entry::{Entry, Place};
use super::violation::{Violation, broken};
use crate::values::{AdjustmentId, CreditAccount, Currency, Money, ReturnId};

/// Money that an order calls given back as credit.
#[derive(Clone, Debug)]
struct Due {
    amount: Money,
    place: Place,
    stream: String,
    version: u64,
}

/// What orders have given back as store credit, by the name of the deposit.
#[derive(Clone, Debug, Default)]
pub(super) struct Deposits(BTreeMap<AdjustmentId, Due>);

/// What stocks of credit were changed by.
pub(super) type Made = BTreeMap<(AdjustmentId, Currency), i64>;

/// The changes of one stock of credit; every one, because a return may name it at any time.
#[derive(Debug)]
pub(super) struct CreditChanges {
    currency: Currency,
    changes: Vec<(AdjustmentId, i64)>,
}

impl CreditChanges {
    /// Those of the stock of that name, if it counts credit.
    pub(super) fn of(stock: &str) -> Option<Self> {
        let account = CreditAccount::of_stock(stock)?;
        Some(Self { currency: account.currency(), changes: Vec::new() })
    }

    pub(super) fn make(&mut self, adjustment: AdjustmentId, delta: i64) {
        self.changes.push((adjustment, delta));
    }

    pub(super) fn tell(&self, made: &mut Made) {
        let named = |(id, delta): &(_, _)| ((*id, self.currency), *delta);
        made.extend(self.changes.iter().map(named));
    }
}

impl Deposits {
    /// An order says that this went back for a return.
    pub(super) fn note(&mut self, rma: ReturnId, amount: Money, entry: &Entry<'_>) {
        let Entry { place, stream, version, .. } = *entry;
        let stream = stream.to_owned();
        self.0.insert(rma.deposit(), Due { amount, place, stream, version });
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.0.extend(other.0.clone());
    }

    /// Those that no stock of credit has, or not as much.
    pub(super) fn missing(&self, made: &Made) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (id, due) in &self.0 {
            let there = made.get(&(*id, due.amount.currency())).copied().unwrap_or_default();
            if there != due.amount.minor() {
                let sentence = format!(
                    "{} went back as store credit, where {there} minor units arrived",
                    due.amount
                );
                let found = broken::<()>("R13", sentence).err();
                violations.extend(found.map(|it| it.by(due.place, &due.stream, due.version)));
            }
        }
        violations
    }
}
