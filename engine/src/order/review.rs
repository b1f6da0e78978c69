//! A suspicious order waits for somebody's decision: it goes on, or it is called off.

use std::sync::Arc;

use super::event::OrderEvent;
use super::life::OrderStatus;
use super::model::{Actor, CancelReason, Order};
use super::refusal::OrderRefusal;
use crate::process::Intent;
use crate::values::Moment;

impl Order {
    /// Whether it waits for somebody to look at it: until then nothing is charged and nothing sold.
    pub fn awaits_review(&self) -> bool {
        let is_open = self.review.as_ref().is_some_and(|review| review.verdict.is_none());
        is_open && self.status == OrderStatus::Pending
    }

    /// When waiting for a decision ends, while it does.
    pub(super) fn review_until(&self) -> Option<Moment> {
        self.review.as_ref().filter(|_| self.awaits_review()).map(|review| review.until)
    }

    /// Whether it was ever free to be sold: never suspected, or approved.
    pub(super) fn was_cleared(&self) -> bool {
        let verdict = self.review.as_ref().map(|review| review.verdict.as_ref());
        verdict.is_none_or(|verdict| verdict.is_some_and(|verdict| verdict.approved))
    }
}

/// The list has to know whether an order waits, as long as it does and once it does not any more.
/// Nobody's answer hangs on it.
pub(super) fn note_intent(order: &Order) -> Option<Intent> {
    let review = order.review.as_ref()?;
    (review.is_listed != Some(order.awaits_review())).then(|| Intent::NoteReview {
        order: order.placement.order,
        customer: order.placement.customer.clone(),
        until: order.review_until(),
    })
}

pub(super) fn noted(order: &Order, is_listed: bool) -> Vec<OrderEvent> {
    let known = order.review.as_ref().map(|review| review.is_listed);
    if known.is_none_or(|known| known == Some(is_listed)) {
        return Vec::new();
    }
    vec![OrderEvent::ReviewNoted { is_listed }]
}

/// Saying it again changes nothing; another decision comes too late.
pub(super) fn decided(
    order: &Order,
    approve: bool,
    by: &Actor,
    reason: Option<String>,
) -> Result<Vec<OrderEvent>, OrderRefusal> {
    let review = order.review.as_ref().ok_or(OrderRefusal::NotUnderReview)?;
    if let Some(verdict) = &review.verdict {
        let is_same = verdict.approved == approve;
        return if is_same { Ok(Vec::new()) } else { Err(OrderRefusal::NotUnderReview) };
    }
    if !order.awaits_review() {
        return Err(OrderRefusal::NotUnderReview);
    }
    let by = Arc::clone(by);
    Ok(vec![if approve {
        OrderEvent::ReviewApproved { by, reason }
    } else {
        let reason = CancelReason::ReviewRejected(reason);
        OrderEvent::Cancelled { by, reason, reconcile_until: None }
    }])
}

/// Nobody decided in time.
pub(super) fn lapsed(order: &Order, now: Moment) -> Option<OrderEvent> {
    order.review_until().filter(|until| *until <= now).map(|_| OrderEvent::Cancelled {
        by: "system".into(),
        reason: CancelReason::ReviewLapsed,
        reconcile_until: None,
    })
}
