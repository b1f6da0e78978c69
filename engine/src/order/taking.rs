//! Money that is taken and given back without the provider: by hand, or as store credit.

use super::event::OrderEvent;
use super::life::OrderStatus;
use super::model::{Actor, Order};
use super::refusal::OrderRefusal;
use crate::values::{Money, PaymentMethod};

type Decision = Result<Vec<OrderEvent>, OrderRefusal>;

impl Order {
    /// Whether money was taken without the provider, which therefore cannot give it back.
    pub(super) fn was_taken(&self) -> bool {
        self.payment.captured.is_some() && self.payment.captured_by.is_none()
    }

    fn is_paid_by_credit(&self) -> bool {
        self.method() == Some(PaymentMethod::StoreCredit)
    }

    /// Money that somebody took by hand and has to give back by hand.
    pub(super) fn to_hand_back(&self) -> Option<Money> {
        let is_owed = self.status == OrderStatus::Cancelled
            && self.was_taken()
            && self.payment.refunded.is_none()
            && !self.is_paid_by_credit();
        self.payment.captured.filter(|_| is_owed)
    }
}

/// PAY-3: somebody has the money of an order that is not paid through the provider (C-38). A repeat
/// changes nothing.
pub(super) fn taken(order: &Order, amount: Money, reference: Option<&str>, by: &Actor) -> Decision {
    let total = order.placement.amounts.total;
    let is_by_hand = match order.method() {
        None | Some(PaymentMethod::Cash | PaymentMethod::Cod) => true,
        Some(PaymentMethod::Card | PaymentMethod::StoreCredit) => false,
    };
    if amount != total {
        return Err(OrderRefusal::OtherAmount { total });
    }
    if is_by_hand && order.was_taken() {
        return Ok(Vec::new());
    }
    let is_open = order.payment.captured.is_none() && order.status != OrderStatus::Cancelled;
    if !is_by_hand || !is_open {
        let (status, payment) = (order.status, order.payment.status);
        return Err(OrderRefusal::NotPayable { status, payment });
    }
    if order.awaits_review() {
        return Err(OrderRefusal::UnderReview);
    }
    let (by, reference) = (by.clone(), reference.map(str::to_owned));
    Ok(vec![OrderEvent::PaymentTaken { amount, by, reference }])
}

/// Somebody gave back what was taken by hand. A repeat changes nothing.
pub(super) fn handed_back(order: &Order, by: &Actor) -> Decision {
    if let Some(amount) = order.to_hand_back() {
        return Ok(vec![OrderEvent::PaymentHandedBack { amount, by: by.clone() }]);
    }
    let is_done = order.status == OrderStatus::Cancelled
        && order.was_taken()
        && order.payment.refunded.is_some();
    if is_done { Ok(Vec::new()) } else { Err(OrderRefusal::NothingToHandBack) }
}

/// Store credit is taken with the units: one answer tells that all of it is there.
pub(super) fn credit_taken(order: &Order) -> Option<OrderEvent> {
    let is_due = order.is_paid_by_credit() && order.payment.captured.is_none();
    let amount = order.placement.amounts.total;
    is_due.then(|| OrderEvent::PaymentTaken { amount, by: "system".into(), reference: None })
}

/// Store credit is back with the units.
pub(super) fn credit_back(order: &Order) -> Option<OrderEvent> {
    let is_due = order.is_paid_by_credit() && order.payment.refunded.is_none();
    let amount = order.payment.captured.filter(|_| is_due)?;
    Some(OrderEvent::PaymentHandedBack { amount, by: "system".into() })
}
