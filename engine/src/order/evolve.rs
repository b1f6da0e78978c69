//! The bookkeeping of an order.

use std::sync::Arc;

use super::event::OrderEvent;
use super::life::{Fate, OrderStatus, PaymentStatus};
use super::model::{Actor, CancelReason, Order, OrderState, OrderStock, Payment, Transition};
use super::outstanding::is_settled;
use super::placement::Placement;
use super::returning;
use crate::fraud::{REVIEW_LONGEST, Review, Verdict};
use crate::values::Moment;

pub(super) fn evolve(state: &mut OrderState, event: &OrderEvent, at: Moment) {
    if let OrderEvent::Placed(placement) = event {
        state.0 = Some(Arc::new(placed(placement, at)));
        return;
    }
    // Nothing but a placement can come first; a change of nothing is kept as nothing.
    let Some(order) = &mut state.0 else { return };
    let order = Arc::make_mut(order);
    order.version = order.version.saturating_add(1);
    order.updated_at = at;
    match event {
        OrderEvent::Placed(_) => {}
        OrderEvent::PaymentQueued { attempt: _, until } => {
            order.payment.status = PaymentStatus::Queued;
            order.payment.queued_until = Some(*until);
        }
        OrderEvent::HoldsExtended { until } => order.stock = OrderStock::Held(*until),
        OrderEvent::HoldLapsed => order.stock = OrderStock::Lapsed,
        OrderEvent::PaymentCaptured { attempt, amount, reference } => {
            let payment = &mut order.payment;
            payment.status = PaymentStatus::Paid;
            payment.captured = Some(*amount);
            payment.captured_by = Some(order.placement.order.charge(*attempt));
            payment.reference = Some(reference.clone());
            payment.queued_until = None;
            payment.reconcile_until = None;
        }
        OrderEvent::PaymentTaken { amount, by: _, reference } => {
            order.payment.status = PaymentStatus::Paid;
            order.payment.captured = Some(*amount);
            order.payment.reference.clone_from(reference);
        }
        OrderEvent::PaymentDeclined { attempt: _, reason } => {
            order.payment.status = PaymentStatus::Failed;
            order.payment.declined = Some(reason.clone());
            order.payment.queued_until = None;
            step(order, OrderStatus::Cancelled, at, &"system".into(), Some("payment declined"));
        }
        OrderEvent::PaymentAbandoned { attempt: _, reconcile_until } => {
            order.payment.status = PaymentStatus::Failed;
            order.payment.queued_until = None;
            order.payment.reconcile_until = *reconcile_until;
            step(order, OrderStatus::Cancelled, at, &"system".into(), Some("payment timed out"));
        }
        OrderEvent::PaymentReconciled { attempt: _ } => order.payment.reconcile_until = None,
        OrderEvent::PaymentRefunded { amount }
        | OrderEvent::PaymentHandedBack { amount, by: _ } => {
            order.payment.status = PaymentStatus::Refunded;
            order.payment.refunded = Some(*amount);
            assert!(
                order.payment.refunded <= order.payment.captured,
                "ORDER-4 violated: refunded more than captured"
            );
        }
        OrderEvent::RefundPostponed { until } => {
            order.payment.refund_failures = order.payment.refund_failures.saturating_add(1);
            order.payment.refund_after = Some(*until);
        }
        OrderEvent::StockCommitted => order.stock = OrderStock::Committed,
        OrderEvent::StockReturned => order.stock = OrderStock::Returned,
        OrderEvent::StatusChanged { status, by } => step(order, *status, at, by, None),
        OrderEvent::ReviewNoted { is_listed } => {
            if let Some(review) = &mut order.review {
                review.is_listed = Some(*is_listed);
            }
        }
        OrderEvent::ReviewApproved { by, reason } => {
            if let Some(review) = &mut order.review {
                let (by, reason) = (Arc::clone(by), reason.clone());
                review.verdict = Some(Verdict { approved: true, by, reason, at });
            }
        }
        OrderEvent::Cancelled { by, reason, reconcile_until } => {
            if reconcile_until.is_some() {
                order.payment.status = PaymentStatus::Failed;
                order.payment.queued_until = None;
                order.payment.reconcile_until = *reconcile_until;
            }
            let words = match reason {
                CancelReason::Asked(words) => words.as_deref(),
                CancelReason::NotPaidInTime => Some("not paid in time"),
                CancelReason::StockLost => Some("stock lost while the payment was open"),
                CancelReason::ReviewRejected(words) => {
                    if let Some(review) = &mut order.review {
                        let (by, reason) = (Arc::clone(by), words.clone());
                        review.verdict = Some(Verdict { approved: false, by, reason, at });
                    }
                    Some("turned down by a review")
                }
                CancelReason::ReviewLapsed => Some("suspicious, and nobody decided in time"),
            };
            step(order, OrderStatus::Cancelled, at, by, words);
        }
        OrderEvent::ReturnSetApart { .. }
        | OrderEvent::ReturnNarrowed { .. }
        | OrderEvent::PartRefundAsked { .. }
        | OrderEvent::PartRefunded { .. }
        | OrderEvent::PartRefundFailed { .. } => returning::evolve(order, event),
    }
    order.fate = order.fate.or_else(|| came_to(order, event));
}

/// What `event` brings an order to, if nothing was certain before.
fn came_to(order: &Order, event: &OrderEvent) -> Option<Fate> {
    match event {
        OrderEvent::PaymentDeclined { .. } => Some(Fate::Declined),
        OrderEvent::PaymentAbandoned { .. } => Some(Fate::NotPaid),
        OrderEvent::Cancelled { reason, .. } => Some(match reason {
            CancelReason::Asked(_)
            | CancelReason::ReviewRejected(_)
            | CancelReason::ReviewLapsed => Fate::CalledOff,
            CancelReason::NotPaidInTime => Fate::NotPaid,
            CancelReason::StockLost => Fate::StockLost,
        }),
        OrderEvent::Placed(_)
        | OrderEvent::PaymentQueued { .. }
        | OrderEvent::HoldsExtended { .. }
        | OrderEvent::HoldLapsed
        | OrderEvent::PaymentCaptured { .. }
        | OrderEvent::PaymentTaken { .. }
        | OrderEvent::PaymentReconciled { .. }
        | OrderEvent::PaymentRefunded { .. }
        | OrderEvent::PaymentHandedBack { .. }
        | OrderEvent::RefundPostponed { .. }
        | OrderEvent::StockCommitted
        | OrderEvent::StockReturned
        | OrderEvent::ReviewNoted { .. }
        | OrderEvent::ReviewApproved { .. }
        | OrderEvent::ReturnSetApart { .. }
        | OrderEvent::ReturnNarrowed { .. }
        | OrderEvent::PartRefundAsked { .. }
        | OrderEvent::PartRefunded { .. }
        | OrderEvent::PartRefundFailed { .. }
        | OrderEvent::StatusChanged { .. } => {
            let waits = order.payment.status == PaymentStatus::Queued || order.awaits_review();
            let stands = !waits && is_settled(order);
            stands.then_some(Fate::Stands)
        }
    }
}

fn placed(placement: &Arc<Placement>, at: Moment) -> Order {
    let first = Transition {
        from: None,
        to: OrderStatus::Pending,
        at,
        by: placement.customer.as_str().into(),
        reason: None,
    };
    Order {
        status: OrderStatus::Pending,
        payment: Payment {
            status: PaymentStatus::Unpaid,
            attempt: 1,
            queued_until: None,
            reconcile_until: None,
            captured: None,
            captured_by: None,
            refunded: None,
            refund_failures: 0,
            refund_after: None,
            reference: None,
            declined: None,
        },
        stock: OrderStock::Held(placement.held_until),
        fate: None,
        review: (!placement.suspicions.is_empty()).then(|| Review {
            until: at.saturating_add(REVIEW_LONGEST),
            verdict: None,
            is_listed: None,
        }),
        history: vec![first],
        returns: Vec::new(),
        created_at: at,
        updated_at: at,
        version: 1,
        placement: Arc::clone(placement),
    }
}

fn step(order: &mut Order, to: OrderStatus, at: Moment, by: &Actor, reason: Option<&str>) {
    order.history.push(Transition {
        from: Some(order.status),
        to,
        at,
        by: Arc::clone(by),
        reason: reason.map(str::to_owned),
    });
    order.status = to;
}
