//! A shop that does one thing after the other: what an honest answer looks like.
//!
//! It was written from the HTTP contract and knows nothing of the engine.

use std::collections::BTreeMap;

use super::event::{Facts, OrderSeen, Payment, Status, Wanted};
use crate::record::Money;

/// A shop in memory.
#[derive(Debug, Default)]
pub(super) struct Shop<'a> {
    prices: BTreeMap<&'a str, &'a Money>,
    orders: BTreeMap<&'a str, Order<'a>>,
}

/// An order as far as it has come.
#[derive(Clone, Copy, Debug)]
struct Order<'a> {
    facts: &'a Facts,
    status: Status,
    payment: Payment,
    version: Option<u64>,
}

impl Status {
    /// Whether goods may get from here to `next`, however many steps it takes.
    fn leads_to(self, next: Self) -> bool {
        match next {
            Self::Cancelled => matches!(self, Self::Pending | Self::Processing | Self::Cancelled),
            Self::Pending | Self::Processing | Self::Shipped | Self::Delivered => {
                self != Self::Cancelled && self <= next
            }
        }
    }
}

impl Payment {
    /// Whether money may get from here to `next`. Money that comes too late for an order that
    /// failed is given back.
    fn leads_to(self, next: Self) -> bool {
        match self {
            Self::Unpaid | Self::Queued | Self::Authorised => true,
            Self::Paid => matches!(next, Self::Paid | Self::PartlyRefunded | Self::Refunded),
            Self::Failed => matches!(next, Self::Failed | Self::PartlyRefunded | Self::Refunded),
            Self::PartlyRefunded => matches!(next, Self::PartlyRefunded | Self::Refunded),
            Self::Refunded => next == Self::Refunded,
        }
    }
}

impl<'a> Shop<'a> {
    /// Puts a price on a product.
    pub(super) fn offer(&mut self, product: &'a str, price: &'a Money) {
        self.prices.entry(product).or_insert(price);
    }

    /// What an order for `wanted` must look like.
    ///
    /// # Errors
    /// What about `seen` an honest shop cannot have answered.
    pub(super) fn judge_placed(&self, wanted: &[Wanted], seen: &OrderSeen) -> Result<(), String> {
        let facts = &seen.facts;
        let mut bought: Vec<(&str, u64)> =
            facts.lines.iter().map(|line| (&*line.product, line.n)).collect();
        let mut asked: Vec<(&str, u64)> =
            wanted.iter().map(|line| (&*line.product, line.n)).collect();
        bought.sort_unstable();
        asked.sort_unstable();
        if bought != asked {
            return Err("is not what was asked for".to_owned());
        }
        let mut subtotal = 0_i128;
        for line in &facts.lines {
            if let Some(price) = self.prices.get(&*line.product)
                && (price.minor != line.unit || *price.currency != *facts.currency)
            {
                return Err(format!(
                    "charges {} {} for {}, whose price is {} {}",
                    line.unit, facts.currency, line.product, price.minor, price.currency
                ));
            }
            subtotal = subtotal.saturating_add(i128::from(line.unit) * i128::from(line.n));
        }
        if subtotal != i128::from(facts.subtotal) {
            return Err(format!("has a subtotal of {}, its lines cost {subtotal}", facts.subtotal));
        }
        let added = [facts.shipping, facts.duties, facts.tax].map(i128::from);
        let total = subtotal - i128::from(facts.discount) + added.iter().sum::<i128>();
        if total != i128::from(facts.total) {
            return Err(format!("has a total of {}, its parts make {total}", facts.total));
        }
        if seen.http == 201 && matches!(seen.payment, Payment::Queued | Payment::Authorised) {
            return Err("is told as done and waits for its payment".to_owned());
        }
        if seen.http == 201 && seen.came_to_nothing() && !seen.replayed {
            return Err("is told as done and came to nothing".to_owned());
        }
        Ok(())
    }

    /// Books what was seen of an order; sightings come in the order of their versions.
    ///
    /// # Errors
    /// Why no honest shop can have shown it after what it showed before.
    pub(super) fn show(&mut self, seen: &'a OrderSeen) -> Result<(), String> {
        let now = Order {
            facts: &seen.facts,
            status: seen.status,
            payment: seen.payment,
            version: seen.ver,
        };
        let Some(before) = self.orders.insert(&seen.order, now) else { return Ok(()) };
        if before.facts != now.facts {
            return Err("has other items or amounts than before".to_owned());
        }
        let same = before.version.is_some() && before.version == now.version;
        if same && (before.status, before.payment) != (now.status, now.payment) {
            return Err(format!(
                "is {:?} / {:?} and {:?} / {:?} at one version",
                before.status, before.payment, now.status, now.payment
            ));
        }
        if !before.status.leads_to(now.status) {
            return Err(format!("went from {:?} to {:?}", before.status, now.status));
        }
        if !before.payment.leads_to(now.payment) {
            return Err(format!("went from {:?} to {:?}", before.payment, now.payment));
        }
        Ok(())
    }

    /// Whether goods of an order could have been moved to `next` at any time: they still can.
    pub(super) fn could_always(&self, order: &str, next: Status) -> bool {
        self.orders
            .get(order)
            .is_some_and(|order| order.status != next && order.status.may_become(next))
    }
}

impl Status {
    /// Whether `next` is one step away.
    fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Processing | Self::Cancelled)
                | (Self::Processing, Self::Shipped | Self::Cancelled)
                | (Self::Shipped, Self::Delivered)
        )
    }
}
