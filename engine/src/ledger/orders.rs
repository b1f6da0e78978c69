//! What must hold for the history of one order (R3, R4, R5, R12, R13).

use std::collections::BTreeMap;

use super::accounts::{self, Balances};
use super::closing::{Closing, OpenCapture};
use super::deposits::Deposits;
use super::entry::Entry;
use super::prices::Quotes;
use super::returns::Returned;
use super::violation::{Found, broken, holds};
use crate::order::{Amounts, Line, OrderEvent, OrderStatus, Placement};
use crate::values::{
    CreditAccount, Fingerprint, Money, OrderId, PaymentMethod, ProductId, Quantity,
};

/// What all orders of a ledger come to together.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Units sold.
    pub(super) units: BTreeMap<ProductId, u64>,
    /// Units that came back from customers and are in stock again.
    pub(super) returned: BTreeMap<ProductId, u64>,
    pub(super) balances: Balances,
    pub(super) quotes: Quotes,
    /// Money of returns that became store credit, say the orders.
    pub(super) deposits: Deposits,
}

/// Where the units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    Held,
    Sold,
    Returned,
}

/// One order, once it was placed.
#[derive(Debug, Default)]
pub(super) struct OrderBook(Option<Placed>);

#[derive(Debug)]
struct Placed {
    order: OrderId,
    fingerprint: Fingerprint,
    total: Money,
    /// Whether store credit pays for it.
    by_credit: bool,
    /// Forgotten when all of it went back.
    goods: Option<Box<Goods>>,
    status: OrderStatus,
    units: Units,
    captured: bool,
    refunded: i64,
    /// Whether somebody has to approve it still.
    suspected: bool,
    returns: Returned,
}

/// What an order is about.
#[derive(Debug)]
struct Goods {
    amounts: Amounts,
    lines: Box<[(ProductId, Quantity)]>,
}

impl OrderBook {
    pub(super) fn enter(
        &mut self,
        entry: &Entry<'_>,
        event: &OrderEvent,
        totals: &mut Totals,
    ) -> Result<(), Found> {
        match (&mut self.0, event) {
            (None, OrderEvent::Placed(placement)) => {
                let order = placement.order;
                let is_named = uuid::Uuid::try_parse(entry.key()) == Ok(order.as_uuid());
                holds("R3", is_named, || format!("order {order} was placed here"))?;
                lines_add_up(placement)?;
                accounts::post(&mut totals.balances, &accounts::sale(&placement.amounts))?;
                placement.lines.iter().for_each(|line| totals.quotes.note(line, entry));
                self.0 = Some(Placed::new(placement));
                Ok(())
            }
            (Some(placed), OrderEvent::Placed(again)) => {
                let differs =
                    if placed.fingerprint == again.fingerprint { "" } else { "different " };
                broken("R3", format!("the order was placed again by a {differs}request"))
            }
            (None, _) => broken("R3", "something happened before the order was placed".to_owned()),
            (Some(placed), event) => {
                placed.enter(event, totals)?;
                if let OrderEvent::PartRefunded { rma, amount } = event
                    && placed.returns.went_to_credit(*rma, placed.by_credit)
                    && amount.minor() != 0
                {
                    totals.deposits.note(*rma, *amount, entry);
                }
                Ok(())
            }
        }
    }

    pub(super) fn close(&self, closing: &mut Closing) {
        let Some(placed) = &self.0 else { return };
        closing.orders = closing.orders.saturating_add(1);
        let kept = placed.total.minor().saturating_sub(placed.refunded);
        let fulfilled = placed.units == Units::Sold && placed.status != OrderStatus::Cancelled;
        if placed.captured && !fulfilled && kept != 0 {
            let amount = Money::new(kept, placed.total.currency());
            closing.open_captures.push(OpenCapture { order: placed.order, amount });
        }
    }
}

impl Placed {
    fn new(placement: &Placement) -> Self {
        // The use of a promo code is sold and comes back as a unit of its own stock does.
        let promo = placement.promo.iter().map(|promo| (promo.code.uses(), Quantity::new(1)));
        let lines = placement.lines.iter().map(|line| (line.product.clone(), line.quantity));
        // So is the store credit that pays for all of it.
        let pays = placement.payment.as_ref().map(|wish| wish.method);
        let total = placement.amounts.total;
        let credit = (pays == Some(PaymentMethod::StoreCredit) && total.minor() != 0)
            .then(|| CreditAccount::new(placement.customer.clone(), total.currency()));
        let credit = credit.and_then(|account| Some((account.stock(), total.as_units()?)));
        let lines = lines.chain(promo).chain(credit);
        Self {
            order: placement.order,
            by_credit: pays == Some(PaymentMethod::StoreCredit),
            fingerprint: placement.fingerprint,
            total: placement.amounts.total,
            goods: Some(Box::new(Goods { amounts: placement.amounts, lines: lines.collect() })),
            status: OrderStatus::Pending,
            units: Units::Held,
            captured: false,
            refunded: 0,
            suspected: !placement.suspicions.is_empty(),
            returns: Returned::default(),
        }
    }

    fn enter(&mut self, event: &OrderEvent, totals: &mut Totals) -> Result<(), Found> {
        match event {
            // Stands for the compiler; a second placement was judged before.
            OrderEvent::Placed(_) | OrderEvent::ReviewNoted { .. } => Ok(()),
            OrderEvent::PaymentQueued { .. } => {
                holds("R12", self.status == OrderStatus::Pending && !self.captured, || {
                    "a payment was queued that nobody waits for".to_owned()
                })
            }
            OrderEvent::HoldsExtended { .. } | OrderEvent::HoldLapsed => {
                holds("R12", self.units == Units::Held, || {
                    "a hold changed after it had ended".to_owned()
                })
            }
            OrderEvent::PaymentCaptured { amount, .. }
            | OrderEvent::PaymentTaken { amount, .. } => {
                self.capture(*amount)?;
                accounts::post(&mut totals.balances, &accounts::capture(*amount))
            }
            OrderEvent::PaymentDeclined { .. } | OrderEvent::PaymentAbandoned { .. } => {
                holds("R4", !self.captured, || "a captured payment was called failed".to_owned())?;
                self.step(OrderStatus::Cancelled, totals)
            }
            OrderEvent::PaymentReconciled { .. } => {
                holds("R12", self.status == OrderStatus::Cancelled, || {
                    "a charge was given up on while the order lives".to_owned()
                })
            }
            OrderEvent::PaymentRefunded { amount }
            | OrderEvent::PaymentHandedBack { amount, .. } => {
                self.refund(*amount)?;
                accounts::post(&mut totals.balances, &accounts::refund(*amount))
            }
            OrderEvent::RefundPostponed { .. } => {
                let owed = self.captured && self.refunded < self.total.minor();
                holds("R4", owed, || "a refund was put off that is not owed".to_owned())
            }
            OrderEvent::StockCommitted => {
                holds("R12", self.units == Units::Held, || "units were sold twice".to_owned())?;
                holds("R12", !self.suspected, || {
                    "units of a suspicious order were sold before it was approved".to_owned()
                })?;
                self.units = Units::Sold;
                self.count(totals, u64::saturating_add);
                Ok(())
            }
            OrderEvent::StockReturned => self.give_back(totals),
            OrderEvent::ReviewApproved { .. } => {
                let waits = self.suspected && self.status == OrderStatus::Pending;
                holds("R12", waits, || "an order was approved that nobody suspected".to_owned())?;
                self.suspected = false;
                Ok(())
            }
            OrderEvent::ReturnSetApart { .. }
            | OrderEvent::ReturnNarrowed { .. }
            | OrderEvent::PartRefundAsked { .. }
            | OrderEvent::PartRefundFailed { .. } => {
                let is_paid = self.captured && self.status == OrderStatus::Delivered;
                holds("R12", is_paid, || {
                    "units come back that were not delivered or not paid".to_owned()
                })?;
                let lines = self.goods.as_ref().map_or(&[][..], |goods| &goods.lines);
                self.returns.enter(event, lines)
            }
            OrderEvent::PartRefunded { rma, amount } => {
                self.returns.give_back(*rma, *amount)?;
                self.refund(*amount)?;
                accounts::post(&mut totals.balances, &accounts::returned(*amount))
            }
            OrderEvent::StatusChanged { status, .. } => self.step(*status, totals),
            OrderEvent::Cancelled { .. } => self.step(OrderStatus::Cancelled, totals),
        }
    }

    /// Adds the lines to the units that were sold, or takes them off.
    fn count(&self, totals: &mut Totals, change: impl Fn(u64, u64) -> u64) {
        for (product, quantity) in self.goods.iter().flat_map(|goods| &goods.lines) {
            // A name is copied once per product, not once per line.
            if !totals.units.contains_key(product) {
                totals.units.insert(product.clone(), 0);
            }
            if let Some(units) = totals.units.get_mut(product) {
                *units = change(*units, u64::from(quantity.units()));
            }
        }
    }

    fn capture(&mut self, amount: Money) -> Result<(), Found> {
        holds("R4", !self.captured, || format!("{amount} were captured a second time"))?;
        holds("R5", amount == self.total, || {
            format!("{amount} were captured for a total of {}", self.total)
        })?;
        self.captured = true;
        Ok(())
    }

    fn refund(&mut self, amount: Money) -> Result<(), Found> {
        holds("R5", amount.currency() == self.total.currency() && 0 <= amount.minor(), || {
            format!("a refund of {amount} for a total of {}", self.total)
        })?;
        let refunded = self.refunded.saturating_add(amount.minor());
        let captured = if self.captured { self.total.minor() } else { 0 };
        holds("R13", self.captured && refunded <= captured, || {
            format!("{refunded} minor units were refunded of {captured} captured")
        })?;
        self.refunded = refunded;
        Ok(())
    }

    fn give_back(&mut self, totals: &mut Totals) -> Result<(), Found> {
        holds("R12", self.status == OrderStatus::Cancelled, || {
            "units went back from an order that was not called off".to_owned()
        })?;
        holds("R13", self.units != Units::Returned, || "units went back twice".to_owned())?;
        if self.units == Units::Sold {
            self.count(totals, u64::saturating_sub);
        }
        self.units = Units::Returned;
        self.goods = None;
        Ok(())
    }

    /// R12: the published edges, and no goods leave before they are sold.
    fn step(&mut self, to: OrderStatus, totals: &mut Totals) -> Result<(), Found> {
        let from = self.status;
        let is_edge = match (from, to) {
            (OrderStatus::Pending, OrderStatus::Processing | OrderStatus::Cancelled)
            | (OrderStatus::Processing, OrderStatus::Shipped | OrderStatus::Cancelled)
            | (OrderStatus::Shipped, OrderStatus::Delivered) => true,
            (
                OrderStatus::Pending
                | OrderStatus::Processing
                | OrderStatus::Shipped
                | OrderStatus::Delivered
                | OrderStatus::Cancelled,
                OrderStatus::Pending
                | OrderStatus::Processing
                | OrderStatus::Shipped
                | OrderStatus::Delivered
                | OrderStatus::Cancelled,
            ) => false,
        };
        holds("R12", is_edge, || {
            format!("the order went from {} to {}", from.as_str(), to.as_str())
        })?;
        holds("R12", to != OrderStatus::Shipped || self.units == Units::Sold, || {
            "the order was shipped before its units were sold".to_owned()
        })?;
        self.status = to;
        match to {
            OrderStatus::Cancelled => {
                let sale = self.goods.as_ref().map(|goods| accounts::sale(&goods.amounts));
                let undone = accounts::undone(sale.unwrap_or_default());
                accounts::post(&mut totals.balances, &undone)?;
            }
            OrderStatus::Pending
            | OrderStatus::Processing
            | OrderStatus::Shipped
            | OrderStatus::Delivered => {}
        }
        Ok(())
    }
}

/// R5, in one currency: the lines make the subtotal, and nothing is below zero. That the parts make
/// the total is judged when they are booked.
fn lines_add_up(placement: &Placement) -> Result<(), Found> {
    let Amounts { subtotal, discount, shipping, duties, tax, total } = placement.amounts;
    let parts = [subtotal, discount, shipping, duties, tax, total];
    holds("R5", parts.iter().all(|part| part.currency() == total.currency()), || {
        "the amounts are in different currencies".to_owned()
    })?;
    holds("R5", parts.iter().all(|part| 0 <= part.minor()), || {
        "an amount is below zero".to_owned()
    })?;
    if let Some(promo) = &placement.promo {
        let (off, within) = (promo.amount, 0..=discount.minor());
        holds("R5", off.currency() == total.currency() && within.contains(&off.minor()), || {
            format!("{} takes {off} off, the whole discount is {discount}", promo.code)
        })?;
    }
    if placement.lines.iter().any(|line| line.paid.is_some()) {
        let costs = placement.lines.iter().map(Line::cost);
        let costs = costs.fold(0_i128, i128::saturating_add);
        holds("R5", costs == i128::from(total.minor()), || {
            format!("the lines cost {costs} minor units, the total says {total}")
        })?;
    }
    let mut lines = 0_i128;
    for line in &placement.lines {
        let price = line.unit_price;
        holds("R5", price.currency() == total.currency() && 0 <= price.minor(), || {
            format!("a unit of {} costs {price} in an order of {total}", line.product)
        })?;
        holds("R5", Quantity::ZERO < line.quantity, || {
            format!("the line of {} has no units", line.product)
        })?;
        let amount = i128::from(price.minor()).saturating_mul(i128::from(line.quantity.units()));
        lines = lines.saturating_add(amount);
    }
    holds("R5", lines == i128::from(subtotal.minor()), || {
        format!("the lines make {lines} minor units, the subtotal says {subtotal}")
    })
}
