//! What was promised to people beyond one history: prices and limits, names that count once, units
//! that nobody holds for an order that was refused.

use std::collections::{BTreeMap, BTreeSet};

use engine::cart::CartEvent;
use engine::catalog::ProductEvent;
use engine::inventory::InventoryEvent;
use engine::order::{Order, OrderEvent, OrderStatus, OrderStock, PaymentStatus, Placement};
use engine::values::{CustomerId, HoldId, Moment, Money, PaymentMethod, Quantity};
use persistence::journal::Record;
use uuid::Uuid;

use super::books::{Happened, Verdict, holds};
use super::names::{self, Who};

/// What customers have of one product, by the word of its events alone.
#[derive(Default)]
struct Limit {
    units: Option<u32>,
    bought: BTreeMap<CustomerId, u32>,
    live: BTreeMap<HoldId, (CustomerId, u32)>,
    lapsed: BTreeMap<HoldId, CustomerId>,
}

impl Limit {
    fn count(&mut self, customer: &CustomerId, units: u32) -> Verdict {
        let Some(limit) = self.units else { return Ok(()) };
        let bought = self.bought.entry(customer.clone()).or_default();
        *bought = bought.saturating_add(units);
        holds("R14", *bought <= limit, || format!("{customer} has {bought} units of {limit}"))
    }

    fn give_back(&mut self, hold: HoldId) -> Option<CustomerId> {
        let (customer, units) = self.live.remove(&hold)?;
        if let Some(bought) = self.bought.get_mut(&customer) {
            *bought = bought.saturating_sub(units);
        }
        Some(customer)
    }

    fn book(&mut self, event: &InventoryEvent) -> Verdict {
        match event {
            InventoryEvent::LimitSet { limit } => {
                self.units = limit.map(Quantity::units);
                self.bought.clear();
                // What was held before the limit came may be more than it allows.
                for (customer, units) in self.live.values() {
                    let bought = self.bought.entry(customer.clone()).or_default();
                    *bought = bought.saturating_add(*units);
                }
                Ok(())
            }
            InventoryEvent::Held { hold, quantity, customer, .. } => {
                self.live.insert(*hold, (customer.clone(), quantity.units()));
                self.count(customer, quantity.units())
            }
            InventoryEvent::Committed { hold, .. } => {
                self.live.remove(hold);
                Ok(())
            }
            InventoryEvent::CommittedLate { hold, quantity } => {
                let Some(customer) = self.lapsed.remove(hold) else { return Ok(()) };
                self.count(&customer, quantity.units())
            }
            InventoryEvent::Released { hold, .. } => {
                self.give_back(*hold);
                Ok(())
            }
            InventoryEvent::Expired { hold, .. } => {
                let customer = self.give_back(*hold);
                self.lapsed.extend(customer.map(|customer| (*hold, customer)));
                Ok(())
            }
            // What comes back from a customer was bought all the same.
            InventoryEvent::TakenBack { .. }
            | InventoryEvent::Adjusted { .. }
            | InventoryEvent::Extended { .. }
            | InventoryEvent::Restocked { .. } => Ok(()),
        }
    }
}

/// What was promised, and to whom.
#[derive(Default)]
pub(super) struct Deals {
    /// By product: its price as of each version of its listing.
    prices: BTreeMap<usize, Vec<Money>>,
    limits: BTreeMap<usize, Limit>,
    /// Names of changes, which count once each.
    named: BTreeSet<(Who, Uuid)>,
    /// When the last event of each history was decided.
    decided: BTreeMap<Who, Moment>,
}

impl Deals {
    /// An event has become durable.
    pub(super) fn book(&mut self, who: Who, record: &Record, happened: &Happened) -> Verdict {
        let before = self.decided.insert(who, record.at).unwrap_or(record.at);
        holds("R12", before <= record.at, || {
            format!("{who:?}: {:?} follows {before:?}", record.at)
        })?;
        match happened {
            Happened::Product(event) => {
                self.list(who.index, event);
                Ok(())
            }
            Happened::Stock(event) => self.stock(who, event),
            Happened::Cart(CartEvent::Answered { request }) => self.once(who, request.key),
            Happened::Order(OrderEvent::Placed(placement)) => self.priced(placement),
            Happened::Cart(_)
            | Happened::Order(_)
            | Happened::Buyer(_)
            | Happened::Reviews(_)
            | Happened::Drill(_) => Ok(()),
        }
    }

    fn once(&mut self, who: Who, name: Uuid) -> Verdict {
        holds("R3", self.named.insert((who, name)), || format!("{who:?}: {name} counted twice"))
    }

    fn list(&mut self, product: usize, event: &ProductEvent) {
        let prices = self.prices.entry(product).or_default();
        let price = match event {
            ProductEvent::Published { price, .. } | ProductEvent::Repriced { price } => {
                Some(*price)
            }
            _ => prices.last().copied(),
        };
        prices.extend(price);
    }

    fn stock(&mut self, who: Who, event: &InventoryEvent) -> Verdict {
        if let InventoryEvent::Adjusted { adjustment, .. } = event {
            self.once(who, adjustment.as_uuid())?;
        }
        self.limits.entry(who.index).or_default().book(event)
    }

    fn priced(&self, placement: &Placement) -> Verdict {
        for line in &placement.lines {
            let prices = names::product_index(line.product.as_str())
                .and_then(|product| self.prices.get(&product));
            let version = usize::try_from(line.listing_version).unwrap_or(usize::MAX);
            let price = prices.and_then(|prices| prices.get(version.checked_sub(1)?)).copied();
            holds("R14", price == Some(line.unit_price), || {
                format!("{} costs {price:?}, its order says {}", line.product, line.unit_price)
            })?;
        }
        Ok(())
    }

    /// The client of an order is told that nothing happened: no stock holds units for it, by the word
    /// of the journal.
    pub(super) fn keeps_nothing(&self, order: usize) -> Verdict {
        let hold = names::order(order).hold();
        let kept = self.limits.values().any(|limit| limit.live.contains_key(&hold));
        holds("R19", !kept, || {
            format!("order {order}: told that nothing happened while units are held for it")
        })
    }
}

/// Whoever placed an order is told of it: it is settled, and costs what was believed of it.
pub(super) fn settled(order: &Order, believed: Option<Money>) -> Verdict {
    let id = order.placement.order;
    for line in &order.placement.lines {
        holds("R14", believed.is_none_or(|price| price == line.unit_price), || {
            format!("{id}: a unit of {} costs {}", line.product, line.unit_price)
        })?;
    }
    let is_sold = order.stock == OrderStock::Committed;
    let is_right = match (order.status, order.method()) {
        (OrderStatus::Cancelled, _) => order.stock == OrderStock::Returned,
        _ if order.payment.captured.is_some() => is_sold,
        (_, Some(PaymentMethod::Card)) => order.payment.status == PaymentStatus::Queued,
        (_, None) => order.status == OrderStatus::Pending || is_sold,
        (_, Some(_)) => is_sold,
    };
    holds("R19", is_right, || {
        format!("{id}: answered while it was {:?} and {:?}", order.stock, order.payment.status)
    })
}

/// Everything is at rest: the units of an order are sold, or back.
pub(super) fn in_place(order: &Order) -> Verdict {
    let wanted = match order.status {
        OrderStatus::Cancelled => OrderStock::Returned,
        _ => OrderStock::Committed,
    };
    holds("R6", order.stock == wanted, || {
        format!(
            "{}: {:?}, and its units are {:?}",
            order.placement.order, order.status, order.stock
        )
    })
}
