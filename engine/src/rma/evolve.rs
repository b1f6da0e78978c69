//! The bookkeeping of a return.

use std::sync::Arc;

use super::life::ReturnStatus;
use super::model::{Return, ReturnEvent, ReturnRefund, ReturnRequest, ReturnState, ReturnStep};
use crate::order::Units;
use crate::values::Moment;

pub(super) fn evolve(state: &mut ReturnState, event: &ReturnEvent, at: Moment) {
    if let ReturnEvent::Requested(request) = event {
        state.0 = Some(Arc::new(requested(request, at)));
        return;
    }
    // Nothing but a request can come first; a change of nothing is kept as nothing.
    let Some(known) = &mut state.0 else { return };
    let known = Arc::make_mut(known);
    known.version = known.version.saturating_add(1);
    known.updated_at = at;
    match event {
        ReturnEvent::Requested(_) => {}
        ReturnEvent::SetApart => {
            known.apart = Some(known.requested());
            step(known, ReturnStatus::PendingAuthorization, at, "system", None);
        }
        ReturnEvent::NotSetApart { why } => {
            known.apart = Some(Units::new());
            step(known, ReturnStatus::Rejected, at, "system", Some(why));
        }
        ReturnEvent::Authorized { by, number, approved, reason } => {
            known.number = Some(number.clone());
            known.approved = Some(approved.clone());
            step(known, ReturnStatus::Authorized, at, by, reason.as_deref());
        }
        ReturnEvent::Rejected { by, reason } => {
            step(known, ReturnStatus::Rejected, at, by, reason.as_deref());
        }
        ReturnEvent::Cancelled { by, reason } => {
            step(known, ReturnStatus::Cancelled, at, by, reason.as_deref());
        }
        ReturnEvent::PhotoAdded { photo } => known.photos.push(photo.clone()),
        ReturnEvent::Narrowed { units } => known.apart = Some(units.clone()),
        ReturnEvent::Shipped { by, tracking } => {
            known.tracking.clone_from(tracking);
            step(known, ReturnStatus::InTransit, at, by, None);
        }
        ReturnEvent::Received { by } => step(known, ReturnStatus::Received, at, by, None),
        ReturnEvent::Inspected { by, passed, reason } => {
            let is_some = !passed.is_empty();
            known.passed = Some(passed.clone());
            let to = if is_some { ReturnStatus::Inspected } else { ReturnStatus::Closed };
            step(known, to, at, by, reason.as_deref());
        }
        ReturnEvent::RefundAsked { by, method } => {
            known.refund = Some(ReturnRefund { method: *method, amount: None });
            step(known, ReturnStatus::RefundPending, at, by, None);
        }
        ReturnEvent::Refunded { amount } => {
            if let Some(refund) = &mut known.refund {
                refund.amount = Some(*amount);
            }
            step(known, ReturnStatus::Refunded, at, "system", None);
        }
        ReturnEvent::RefundFailed => step(known, ReturnStatus::RefundFailed, at, "system", None),
        ReturnEvent::Restocked { units } => {
            let refunded = known.refund.as_ref().is_some_and(|refund| refund.amount.is_some());
            let first = !known.restocked && known.passed.as_ref() == Some(units);
            assert!(refunded && first, "RETURN-4 violated: restocked before the refund, or twice");
            known.restocked = true;
        }
    }
}

fn requested(request: &Arc<ReturnRequest>, at: Moment) -> Return {
    let first =
        ReturnStep { to: ReturnStatus::Requested, at, by: request.by.clone(), reason: None };
    Return {
        request: Arc::clone(request),
        status: ReturnStatus::Requested,
        number: request.number.clone(),
        approved: None,
        passed: None,
        tracking: None,
        apart: None,
        photos: Vec::new(),
        refund: None,
        restocked: false,
        history: vec![first],
        created_at: at,
        updated_at: at,
        version: 1,
    }
}

fn step(known: &mut Return, to: ReturnStatus, at: Moment, by: &str, reason: Option<&str>) {
    let reason = reason.map(str::to_owned);
    if RETRIES_TOLD < known.history.len() {
        known.history.pop();
    }
    known.history.push(ReturnStep { to, at, by: by.into(), reason });
    known.status = to;
}

/// So many steps are told; of a refund that failed more often only the last step is. The journal
/// has them all.
const RETRIES_TOLD: usize = 100;
