//! Measurements of calls to the provider, with their handles looked up once.

use std::time::Duration;

use engine::process::ChargeOutcome;
use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics::{PROVIDER_CALLS_TOTAL, PROVIDER_SECONDS};

/// How an attempt ended, or why it was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallEnd {
    Captured,
    Declined,
    NotCharged,
    Refunded,
    Failed,
    TimedOut,
    NotSent,
    BreakerOpen,
    BulkheadFull,
}

impl CallEnd {
    pub(super) const fn of_charge(outcome: &ChargeOutcome) -> Self {
        match outcome {
            ChargeOutcome::Captured { .. } => Self::Captured,
            ChargeOutcome::Declined { .. } => Self::Declined,
            ChargeOutcome::NotCharged => Self::NotCharged,
        }
    }
}

/// The handles.
pub(super) struct Meters {
    captured: Counter,
    declined: Counter,
    not_charged: Counter,
    refunded: Counter,
    failed: Counter,
    timed_out: Counter,
    not_sent: Counter,
    breaker_open: Counter,
    bulkhead_full: Counter,
    seconds: Histogram,
}

impl Meters {
    pub(super) fn new() -> Self {
        let ended = |outcome: &'static str| counter!(PROVIDER_CALLS_TOTAL, "outcome" => outcome);
        Self {
            captured: ended("captured"),
            declined: ended("declined"),
            not_charged: ended("not_charged"),
            refunded: ended("refunded"),
            failed: ended("failed"),
            timed_out: ended("timed_out"),
            not_sent: ended("not_sent"),
            breaker_open: ended("breaker_open"),
            bulkhead_full: ended("bulkhead_full"),
            seconds: histogram!(PROVIDER_SECONDS),
        }
    }

    pub(super) fn count(&self, end: CallEnd) {
        let counter = match end {
            CallEnd::Captured => &self.captured,
            CallEnd::Declined => &self.declined,
            CallEnd::NotCharged => &self.not_charged,
            CallEnd::Refunded => &self.refunded,
            CallEnd::Failed => &self.failed,
            CallEnd::TimedOut => &self.timed_out,
            CallEnd::NotSent => &self.not_sent,
            CallEnd::BreakerOpen => &self.breaker_open,
            CallEnd::BulkheadFull => &self.bulkhead_full,
        };
        counter.increment(1);
    }

    pub(super) fn took(&self, span: Duration) {
        self.seconds.record(span.as_secs_f64());
    }
}
