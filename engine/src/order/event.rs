//! What happens to an order.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::life::OrderStatus;
use super::model::{Actor, CancelReason};
use super::placement::Placement;
use super::returning::{RefundMethod, Units};
use crate::aggregate::EventName;
use crate::values::{Moment, Money, ReturnId};

/// What happened to an order. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEvent {
    /// It was placed; its units are held.
    Placed(Arc<Placement>),
    /// The payment waits for the provider.
    PaymentQueued {
        /// Which attempt.
        attempt: u32,
        /// When to stop trying.
        until: Moment,
    },
    /// The holds live longer.
    HoldsExtended {
        /// Their new end.
        until: Moment,
    },
    /// A hold lapsed while the payment was queued.
    HoldLapsed,
    /// The money was taken.
    PaymentCaptured {
        /// Which attempt.
        attempt: u32,
        /// How much.
        amount: Money,
        /// The provider's name for it.
        reference: String,
    },
    /// The money was taken without the provider: at the counter, at the door, or as store credit.
    PaymentTaken {
        /// How much.
        amount: Money,
        /// Who has taken it; `system` for store credit.
        by: Actor,
        /// What it is called in the books of whoever took it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// Money that was taken without the provider went back.
    PaymentHandedBack {
        /// How much.
        amount: Money,
        /// Who has given it back; `system` for store credit.
        by: Actor,
    },
    /// The provider declined: the order is cancelled, nothing is held or charged.
    PaymentDeclined {
        /// Which attempt.
        attempt: u32,
        /// The provider's reason.
        reason: String,
    },
    /// No answer in time: the order is cancelled; a late success will be refunded.
    PaymentAbandoned {
        /// Which attempt.
        attempt: u32,
        /// Until when the provider is asked what became of it; absent when it surely was not charged.
        reconcile_until: Option<Moment>,
    },
    /// An abandoned charge is now known never to have happened, or is given up on.
    PaymentReconciled {
        /// Which attempt.
        attempt: u32,
    },
    /// Captured money went back.
    PaymentRefunded {
        /// How much.
        amount: Money,
    },
    /// The provider did not give the money back; it is asked again.
    RefundPostponed {
        /// When.
        until: Moment,
    },
    /// All units were sold to this order.
    StockCommitted,
    /// All units went back.
    StockReturned,
    /// The public status moved on.
    StatusChanged {
        /// To where.
        status: OrderStatus,
        /// By whom.
        by: Actor,
    },
    /// The list of those that somebody has to look at has it, or has it no more.
    ReviewNoted {
        /// Whether it has it.
        is_listed: bool,
    },
    /// Somebody looked at a suspicious order and let it go on.
    ReviewApproved {
        /// Who.
        by: Actor,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It was called off.
    Cancelled {
        /// By whom.
        by: Actor,
        /// Why.
        reason: CancelReason,
        /// While a charge may be under way: until when the provider is asked about it.
        reconcile_until: Option<Moment>,
    },
    /// Units belong to a return from now on, and to no other.
    ReturnSetApart {
        /// The return.
        rma: ReturnId,
        /// Which units.
        units: Units,
    },
    /// Fewer units belong to a return than before; the others may come back yet.
    ReturnNarrowed {
        /// The return.
        rma: ReturnId,
        /// The units that stay with it.
        units: Units,
    },
    /// A part of the money is to go back, or is to be tried again.
    PartRefundAsked {
        /// For which return.
        rma: ReturnId,
        /// For which units.
        units: Units,
        /// How much.
        amount: Money,
        /// On which way.
        method: RefundMethod,
    },
    /// A part of the money went back.
    PartRefunded {
        /// For which return.
        rma: ReturnId,
        /// How much.
        amount: Money,
    },
    /// A part of the money could not go back; it is tried again when somebody asks.
    PartRefundFailed {
        /// For which return.
        rma: ReturnId,
    },
}

impl EventName for OrderEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Placed(_) => "order.placed",
            Self::PaymentQueued { .. } => "order.payment_queued",
            Self::HoldsExtended { .. } => "order.holds_extended",
            Self::HoldLapsed => "order.hold_lapsed",
            Self::PaymentCaptured { .. } => "order.payment_captured",
            Self::PaymentTaken { .. } => "order.payment_taken",
            Self::PaymentHandedBack { .. } => "order.payment_handed_back",
            Self::PaymentDeclined { .. } => "order.payment_declined",
            Self::PaymentAbandoned { .. } => "order.payment_abandoned",
            Self::PaymentReconciled { .. } => "order.payment_reconciled",
            Self::PaymentRefunded { .. } => "order.payment_refunded",
            Self::RefundPostponed { .. } => "order.refund_postponed",
            Self::StockCommitted => "order.stock_committed",
            Self::StockReturned => "order.stock_returned",
            Self::StatusChanged { .. } => "order.status_changed",
            Self::ReviewNoted { .. } => "order.review_noted",
            Self::ReviewApproved { .. } => "order.review_approved",
            Self::Cancelled { .. } => "order.cancelled",
            Self::ReturnSetApart { .. } => "order.return_set_apart",
            Self::ReturnNarrowed { .. } => "order.return_narrowed",
            Self::PartRefundAsked { .. } => "order.part_refund_asked",
            Self::PartRefunded { .. } => "order.part_refunded",
            Self::PartRefundFailed { .. } => "order.part_refund_failed",
        }
    }
}
