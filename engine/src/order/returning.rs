//! Units that come back from an order that was delivered, and the part of the money that goes with
//! them. The order counts both, so that no number of returns gets more than was bought and paid.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::OrderEvent;
use super::giver::Giver;
use super::life::{OrderStatus, PaymentStatus};
use super::model::Order;
use super::placement::Line;
use crate::values::{CustomerId, Moment, Money, ProductId, Quantity, ReturnId};

/// Most returns of one order, those that were turned down included.
pub const RETURNS_MAX: usize = 100;

/// Units by product; an order has each product once.
pub type Units = BTreeMap<ProductId, Quantity>;

/// The way on which money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundMethod {
    /// As it came.
    Original,
    /// To the card that was charged.
    Card,
    /// At the counter: it is recorded, and whoever asks has paid it out.
    Cash,
    /// As store credit of the customer.
    StoreCredit,
}

impl RefundMethod {
    /// The word that the outside uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Card => "card",
            Self::Cash => "cash",
            Self::StoreCredit => "store_credit",
        }
    }

    /// Whether somebody chose a way past the provider.
    pub const fn is_manual(self) -> bool {
        match self {
            Self::Original | Self::Card => false,
            Self::Cash | Self::StoreCredit => true,
        }
    }
}

/// How far a part of the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStand {
    /// The provider is asked for it.
    Owed,
    /// It went back.
    Done,
    /// The provider did not give it back, or did not say so.
    Failed,
}

/// A part of the money that goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRefund {
    /// For which units.
    pub units: Units,
    /// How much.
    pub amount: Money,
    /// On which way.
    pub method: RefundMethod,
    /// How far it is.
    pub stand: RefundStand,
}

/// The units of an order that belong to one return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedPart {
    /// The return.
    pub rma: ReturnId,
    /// Its units.
    pub units: Units,
    /// Their money, once it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<PartRefund>,
}

/// What a return asks of its order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReturnWish {
    /// Judge whether these units may come back; nothing is written.
    Check {
        /// Whose order it has to be, if that is asked.
        customer: Option<CustomerId>,
        /// Which units.
        units: Units,
        /// For how long after its arrival an order is taken back (RET-7).
        within: Duration,
    },
    /// Let these units belong to the return.
    SetApart {
        /// Which units.
        units: Units,
    },
    /// Let only these units belong to the return.
    Narrow {
        /// Which units.
        units: Units,
    },
    /// Give the money for these units back.
    Refund {
        /// Which units.
        units: Units,
        /// On which way.
        method: RefundMethod,
    },
}

/// Why units cannot come back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotReturnable {
    /// There is no such order, or it is somebody else's.
    #[error("there is no such order")]
    UnknownOrder,
    /// It is not complete: it has not arrived.
    #[error("the order is {}, and only a delivered one can be returned", .0.as_str())]
    NotDelivered(OrderStatus),
    /// Nothing was taken for it, or everything went back.
    #[error("the order is {}, and only a paid one can be returned", .0.as_str())]
    NotPaid(PaymentStatus),
    /// It arrived too long ago.
    #[error("the order arrived more than {days} days ago")]
    WindowOver {
        /// The length of the window.
        days: u64,
    },
    /// Nothing was asked for.
    #[error("{0}: a return has at least one unit of each of its products")]
    NoUnits(ProductId),
    /// It is not in the order.
    #[error("{0} is not in the order")]
    NotBought(ProductId),
    /// They were not bought, or come back already.
    #[error("{product}: {requested} units requested, {left} can still come back")]
    TooMany {
        /// Which product.
        product: ProductId,
        /// Units asked for.
        requested: Quantity,
        /// Units that belong to no return.
        left: Quantity,
    },
    /// The provider took no money for it, so none goes back to a card.
    #[error("the order was not paid by card")]
    NoCard,
    /// The order has had too many returns.
    #[error("an order has at most {RETURNS_MAX} returns")]
    TooManyReturns,
}

type Decision = Result<Vec<OrderEvent>, NotReturnable>;

impl Order {
    /// The part of it that belongs to a return.
    pub fn returned_part(&self, rma: ReturnId) -> Option<&ReturnedPart> {
        self.returns.iter().find(|part| part.rma == rma)
    }

    /// Units of a product that belong to no return.
    pub fn returnable(&self, product: &ProductId) -> Option<Quantity> {
        let line = self.placement.lines.iter().find(|line| line.product == *product)?;
        let taken = |part: &ReturnedPart| part.units.get(product).copied().unwrap_or_default();
        self.returns.iter().try_fold(line.quantity, |left, part| left.checked_sub(taken(part)))
    }

    /// When it arrived.
    pub fn delivered_at(&self) -> Option<Moment> {
        let arrived = self.history.iter().rev().find(|step| step.to == OrderStatus::Delivered);
        arrived.map(|step| step.at)
    }

    /// What was paid for units that come back now: their share of what their line costs, with all that
    /// was taken off and put on.
    ///
    /// Rounding happens here only. Shares are differences of running sums that are rounded down, so
    /// lines make the total and units make their line, to the cent, in whatever parts they come.
    pub fn paid_for(&self, units: &Units) -> Option<Money> {
        let total = self.placement.amounts.total;
        let lines = &self.placement.lines;
        let costs = lines.iter().try_fold(0_i128, |sum, line| sum.checked_add(line.cost()))?;
        // What is given away has no price to be shared by; each unit counts the same.
        let weight =
            |line: &Line| if costs == 0 { line.quantity.units().into() } else { line.cost() };
        let all = lines.iter().try_fold(0_i128, |sum, line| sum.checked_add(weight(line)))?;
        let share = |whole: i128, part: i128, of: i128| whole.checked_mul(part)?.checked_div(of);
        let (whole, mut run, mut sum) = (i128::from(total.minor()), 0_i128, 0_i128);
        for line in &self.placement.lines {
            let before = share(whole, run, all)?;
            run = run.checked_add(weight(line))?;
            let paid = share(whole, run, all)?.checked_sub(before)?;
            let Some(now) = units.get(&line.product) else { continue };
            let done = self.units_refunded(&line.product);
            let after = done.checked_add(i128::from(now.units()))?;
            let bought = i128::from(line.quantity.units());
            let part = share(paid, after, bought)?.checked_sub(share(paid, done, bought)?)?;
            sum = sum.checked_add(part)?;
        }
        Some(Money::new(i64::try_from(sum).ok()?, total.currency()))
    }

    /// Units of a product whose money was asked back, whatever became of it.
    fn units_refunded(&self, product: &ProductId) -> i128 {
        let asked = self.returns.iter().filter_map(|part| part.refund.as_ref()?.units.get(product));
        asked.fold(0, |sum, units| sum.saturating_add(i128::from(units.units())))
    }
}

pub(super) fn decide(order: &Order, rma: ReturnId, wish: &ReturnWish, now: Moment) -> Decision {
    match wish {
        ReturnWish::Check { customer, units, within } => {
            if customer.as_ref().is_some_and(|asker| *asker != order.placement.customer) {
                return Err(NotReturnable::UnknownOrder);
            }
            let arrived = is_complete(order)?;
            if arrived.saturating_add(*within) < now {
                let days = within.as_secs().checked_div(86_400).unwrap_or_default();
                return Err(NotReturnable::WindowOver { days });
            }
            has_room(order, units)?;
            Ok(Vec::new())
        }
        ReturnWish::SetApart { .. } if order.returned_part(rma).is_some() => Ok(Vec::new()),
        ReturnWish::SetApart { units } => {
            is_complete(order)?;
            has_room(order, units)?;
            Ok(vec![OrderEvent::ReturnSetApart { rma, units: units.clone() }])
        }
        ReturnWish::Narrow { units } => Ok(narrow(order, rma, units)),
        ReturnWish::Refund { units, method } => refund(order, rma, units, *method),
    }
}

/// RET-1 and RET-11: it has arrived, and its money was taken. When it did.
fn is_complete(order: &Order) -> Result<Moment, NotReturnable> {
    let arrived = order.delivered_at().ok_or(NotReturnable::NotDelivered(order.status))?;
    match order.payment.status {
        PaymentStatus::Paid | PaymentStatus::PartlyRefunded => Ok(arrived),
        status @ (PaymentStatus::Unpaid
        | PaymentStatus::Queued
        | PaymentStatus::Authorised
        | PaymentStatus::Failed
        | PaymentStatus::Refunded) => Err(NotReturnable::NotPaid(status)),
    }
}

/// RET-8, RET-9 and RET-12: each product was bought, and so many of its units are still there.
fn has_room(order: &Order, units: &Units) -> Result<(), NotReturnable> {
    for (product, requested) in units {
        let left = order.returnable(product);
        let left = left.ok_or_else(|| NotReturnable::NotBought(product.clone()))?;
        if *requested == Quantity::ZERO {
            return Err(NotReturnable::NoUnits(product.clone()));
        }
        if left < *requested {
            let (product, requested) = (product.clone(), *requested);
            return Err(NotReturnable::TooMany { product, requested, left });
        }
    }
    if RETURNS_MAX <= order.returns.len() {
        return Err(NotReturnable::TooManyReturns);
    }
    Ok(())
}

fn is_within(part: &Units, whole: &Units) -> bool {
    part.iter().all(|(product, units)| whole.get(product).is_some_and(|all| units <= all))
}

fn narrow(order: &Order, rma: ReturnId, units: &Units) -> Vec<OrderEvent> {
    let Some(part) = order.returned_part(rma) else { return Vec::new() };
    // Whose money was asked back stays.
    if part.units == *units || part.refund.is_some() || !is_within(units, &part.units) {
        return Vec::new();
    }
    vec![OrderEvent::ReturnNarrowed { rma, units: units.clone() }]
}

fn refund(order: &Order, rma: ReturnId, units: &Units, method: RefundMethod) -> Decision {
    let part = order.returned_part(rma).ok_or(NotReturnable::UnknownOrder)?;
    let asked = match &part.refund {
        None => {
            for (product, requested) in units {
                let left = part.units.get(product).copied().unwrap_or_default();
                if left < *requested {
                    let (product, requested) = (product.clone(), *requested);
                    return Err(NotReturnable::TooMany { product, requested, left });
                }
            }
            // Nothing here can pass what a captured total already fitted into.
            let amount = order.paid_for(units).ok_or(NotReturnable::UnknownOrder)?;
            PartRefund { units: units.clone(), amount, method, stand: RefundStand::Owed }
        }
        // The same money on the same way: the provider may have given it back without saying so.
        Some(refund) if refund.stand == RefundStand::Failed => refund.clone(),
        Some(_) => return Ok(Vec::new()),
    };
    let PartRefund { units, amount, method, .. } = asked;
    let ends = match order.giver(method)? {
        _ if amount.minor() == 0 => Some(OrderEvent::PartRefunded { rma, amount }),
        Giver::Hand => Some(OrderEvent::PartRefunded { rma, amount }),
        Giver::Credit if order.deposit(rma, amount).is_none() => {
            Some(OrderEvent::PartRefundFailed { rma })
        }
        Giver::Credit | Giver::Provider(_) => None,
    };
    let asked = OrderEvent::PartRefundAsked { rma, units, amount, method };
    Ok([asked].into_iter().chain(ends).collect())
}

fn owed(order: &Order, rma: ReturnId) -> Option<&PartRefund> {
    let refund = order.returned_part(rma)?.refund.as_ref()?;
    (refund.stand == RefundStand::Owed).then_some(refund)
}

pub(super) fn refunded(order: &Order, rma: ReturnId, amount: Money) -> Vec<OrderEvent> {
    let due = owed(order, rma).filter(|refund| refund.amount == amount);
    due.map_or_else(Vec::new, |_| vec![OrderEvent::PartRefunded { rma, amount }])
}

pub(super) fn failed(order: &Order, rma: ReturnId) -> Vec<OrderEvent> {
    owed(order, rma).map_or_else(Vec::new, |_| vec![OrderEvent::PartRefundFailed { rma }])
}

pub(super) fn evolve(order: &mut Order, event: &OrderEvent) {
    if let OrderEvent::ReturnSetApart { rma, units } = event {
        order.returns.push(ReturnedPart { rma: *rma, units: units.clone(), refund: None });
        let counted = order.placement.lines.iter().all(|l| order.returnable(&l.product).is_some());
        assert!(counted, "ORDER-8 violated: more units come back than were bought");
        return;
    }
    let mut back = None;
    if let OrderEvent::ReturnNarrowed { rma, .. }
    | OrderEvent::PartRefundAsked { rma, .. }
    | OrderEvent::PartRefunded { rma, .. }
    | OrderEvent::PartRefundFailed { rma } = event
        && let Some(part) = order.returns.iter_mut().find(|part| part.rma == *rma)
    {
        if let OrderEvent::ReturnNarrowed { units, .. } = event {
            part.units.clone_from(units);
        } else if let OrderEvent::PartRefundAsked { units, amount, method, .. } = event {
            let (units, amount, method) = (units.clone(), *amount, *method);
            part.refund = Some(PartRefund { units, amount, method, stand: RefundStand::Owed });
        } else if let Some(refund) = &mut part.refund {
            let is_done = matches!(event, OrderEvent::PartRefunded { .. });
            refund.stand = if is_done { RefundStand::Done } else { RefundStand::Failed };
            back = is_done.then_some(refund.amount);
        }
    }
    if let Some(amount) = back {
        give_back(order, amount);
    }
}

#[expect(clippy::expect_used, reason = "a sum that does not fit was never captured")]
fn give_back(order: &mut Order, amount: Money) {
    let payment = &mut order.payment;
    let before = payment.refunded.unwrap_or_else(|| Money::zero(amount.currency()));
    let refunded = before.checked_add(amount).expect("ORDER-4 violated: refunds cannot be added");
    assert!(Some(refunded) <= payment.captured, "ORDER-4 violated: refunded more than captured");
    payment.refunded = Some(refunded);
    let is_all = payment.captured == Some(refunded);
    payment.status = if is_all { PaymentStatus::Refunded } else { PaymentStatus::PartlyRefunded };
}
