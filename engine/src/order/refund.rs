//! Money that goes back: how much, and when a refund that failed is tried again.

use std::time::Duration;

use super::event::OrderEvent;
use super::life::OrderStatus;
use super::model::Order;
use super::outstanding::RESUME_AFTER;
use crate::planted::{Bug, planted};
use crate::process::Intent;
use crate::values::{ChargeKey, Moment, Money};

/// The pause after the first refund that failed, at most; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_secs(4);

/// No pause is longer.
const PAUSE_LONGEST: Duration = Duration::from_hours(1);

impl Order {
    /// Money that the provider took and gives back by itself, but has not yet.
    pub fn refund_due(&self) -> Option<Money> {
        let owed = self.status == OrderStatus::Cancelled
            && self.payment.refunded.is_none()
            && !self.was_taken()
            && !planted(Bug::KeepsMoney);
        // What cost nothing has nothing to give back.
        self.payment.captured.filter(|captured| owed && 0 < captured.minor())
    }
}

pub(super) fn refund_intent(order: &Order, now: Moment) -> Option<Intent> {
    let (key, mut amount) = (order.payment.captured_by?, order.refund_due()?);
    if planted(Bug::RefundsMore) {
        amount = amount.checked_add(amount).ok()?;
    }
    let pauses = order.payment.refund_after.is_some_and(|after| now < after);
    (!pauses).then_some(Intent::Refund { key, amount })
}

/// When the refund that is owed wants to be tried.
pub(super) fn refund_at(order: &Order) -> Option<Moment> {
    order.refund_due().filter(|_| !planted(Bug::ForgetsRefund))?;
    let soon = || order.updated_at.saturating_add(RESUME_AFTER);
    Some(order.payment.refund_after.unwrap_or_else(soon))
}

/// A refund failed. The pause is written down, so that a restart does not shorten it.
pub(super) fn postponed(order: &Order, key: ChargeKey, now: Moment) -> Vec<OrderEvent> {
    if order.payment.captured_by != Some(key) || refund_intent(order, now).is_none() {
        return Vec::new();
    }
    vec![OrderEvent::RefundPostponed { until: now.saturating_add(pause(order)) }]
}

/// Between a half and all of a ceiling that doubles. Rules know no chance; orders that failed
/// together are spread by their ids.
fn pause(order: &Order) -> Duration {
    let failures = order.payment.refund_failures;
    let ceiling = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(PAUSE_LONGEST);
    let half = ceiling.checked_div(2).unwrap_or_default();
    let (high, low) = order.placement.order.as_uuid().as_u64_pair();
    let mixed = (high ^ low ^ u64::from(failures)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let half_micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
    half.saturating_add(Duration::from_micros(half_micros.saturating_mul(mixed) >> 32))
}
