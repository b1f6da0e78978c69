//! State and commands of an order.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::life::{Fate, OrderStatus, PaymentStatus};
use super::outstanding;
use super::place::PlaceOrder;
use super::placement::{Line, Placement};
use super::returning::{ReturnWish, ReturnedPart};
use super::wished::{credit_of, use_of};
use crate::fraud::Review;
use crate::planted::{Bug, planted};
use crate::process::{ChargeOutcome, HeldUnits};
use crate::values::{ChargeKey, Moment, Money, PaymentMethod, ReturnId};

/// How long a hold lasts at first: enough for the provider and its retries.
pub const HOLD_FIRST: Duration = Duration::from_mins(1);

/// How long an order without a payment method waits to be paid, its hold extended to match (C-44).
pub const UNPAID_HOLD: Duration = Duration::from_hours(24);

/// How long a payment may stay queued before the provider is asked for the last time.
pub const QUEUE_LONGEST: Duration = Duration::from_mins(15);

/// How long "never charged" is not believed after the last attempt to charge: a request may still be
/// on its way to the provider. Far longer than a call with its repeats.
pub const CHARGE_ARRIVES_WITHIN: Duration = Duration::from_mins(1);

/// How long the provider is asked what became of a charge that stayed unknown.
pub const RECONCILE_LONGEST: Duration = Duration::from_hours(24);

/// Where an order's units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStock {
    /// Set aside until the moment.
    Held(Moment),
    /// The hold is known to have lapsed; the units may be gone.
    Lapsed,
    /// Sold.
    Committed,
    /// Given back.
    Returned,
}

/// Where an order's money is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// As the outside sees it.
    pub status: PaymentStatus,
    /// The present attempt, from 1.
    pub attempt: u32,
    /// While queued: when to stop trying.
    pub queued_until: Option<Moment>,
    /// After an unknown outcome: until when the provider is asked what became of the charge.
    pub reconcile_until: Option<Moment>,
    /// What was taken.
    pub captured: Option<Money>,
    /// The attempt under which the provider took it; nothing where it was taken without the provider.
    pub captured_by: Option<ChargeKey>,
    /// What went back.
    pub refunded: Option<Money>,
    /// How often the provider did not give it back when asked.
    pub refund_failures: u32,
    /// When it is asked again.
    pub refund_after: Option<Moment>,
    /// The provider's name for the charge.
    pub reference: Option<String>,
    /// The provider's words when it declined.
    pub declined: Option<String>,
}

/// Who did something: a stable account id, or `system`.
pub type Actor = Arc<str>;

/// One step of the public status (ORD-11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// From where; nothing before the first.
    pub from: Option<OrderStatus>,
    /// To where.
    pub to: OrderStatus,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
}

/// An order that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What was placed. It never changes, so every view of the order shares it.
    pub placement: Arc<Placement>,
    /// Where the goods are.
    pub status: OrderStatus,
    /// Where the money is.
    pub payment: Payment,
    /// Where the units are.
    pub stock: OrderStock,
    /// What it came to first; nothing while that is not known.
    pub fate: Option<Fate>,
    /// Whether somebody has to look at it, and what they decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Every public status, oldest first; bounded by the life cycle.
    pub history: Vec<Transition>,
    /// Its units that come back, by return; bounded by [`RETURNS_MAX`](super::RETURNS_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnedPart>,
    /// When it was placed.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// Counts the changes.
    pub version: u64,
}

impl Order {
    /// The order's units as their stocks know them, the use of its promo code, and the store credit
    /// that pays for it.
    pub fn held_units(&self) -> Vec<HeldUnits> {
        let hold = self.placement.order.hold();
        let units = |line: &Line| {
            let (product, quantity) = (line.product.clone(), line.quantity);
            HeldUnits { product, hold, quantity }
        };
        let promo = self.placement.promo.iter().map(|promo| use_of(&promo.code, hold));
        let Placement { customer, amounts, .. } = &*self.placement;
        let credit = credit_of(self.method(), customer, amounts.total, hold);
        self.placement.lines.iter().map(units).chain(promo).chain(credit).collect()
    }

    /// The method by which it is to be paid.
    pub fn method(&self) -> Option<PaymentMethod> {
        self.placement.payment.as_ref().map(|wish| wish.method)
    }

    /// Whether whoever placed it waits for the answer still. With a queued payment they have one:
    /// it counts among those that stand until it fails.
    pub fn is_under_way(&self) -> bool {
        self.status == OrderStatus::Pending && !outstanding::is_settled(self)
    }

    /// Whether every attempt to charge has arrived by now, or never will. None is started once the
    /// order is called off, and none after the end of the queue.
    pub(super) fn every_charge_has_arrived(&self, now: Moment) -> bool {
        let called_off = self.history.last().filter(|step| step.to == OrderStatus::Cancelled);
        let last_start = called_off.map(|step| step.at).or(self.payment.queued_until);
        last_start.is_some_and(|last| last.saturating_add(CHARGE_ARRIVES_WITHIN) <= now)
    }

    /// The key of the present attempt to charge.
    pub fn charge_key(&self) -> ChargeKey {
        let again = planted(Bug::NewChargeKey) && self.payment.status == PaymentStatus::Queued;
        self.placement.order.charge(self.payment.attempt.saturating_add(u32::from(again)))
    }
}

/// An order, once there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderState(pub Option<Arc<Order>>);

/// Why an order was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The customer or an operator wanted it so.
    Asked(Option<String>),
    /// Nobody paid in time.
    NotPaidInTime,
    /// The hold lapsed and the units were sold to somebody else.
    StockLost,
    /// Somebody looked at it and turned it down.
    ReviewRejected(Option<String>),
    /// It was suspicious, and nobody decided in time.
    ReviewLapsed,
}

/// What can be asked of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderCommand {
    /// Place it.
    Place(Box<PlaceOrder>),
    /// Call it off.
    Cancel {
        /// Who asks.
        by: Actor,
        /// Operators may cancel until it has shipped, customers only while PENDING (C-5).
        as_operator: bool,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Move the public status on.
    SetStatus {
        /// To where.
        status: OrderStatus,
        /// Who asks.
        by: Actor,
    },
    /// Let a suspicious order go on, or turn it down.
    DecideReview {
        /// Whether it goes on.
        approve: bool,
        /// Who decides.
        by: Actor,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Note what the list of reviews says about it.
    RecordReviewNoted {
        /// Whether it has it.
        is_listed: bool,
    },
    /// Note what the provider said about a charge.
    RecordCharge {
        /// Which attempt.
        key: ChargeKey,
        /// What it said.
        outcome: ChargeOutcome,
    },
    /// Note that somebody took the money without the provider, at the counter or at the door.
    TakePayment {
        /// How much.
        amount: Money,
        /// What it is called in the books of whoever took it.
        reference: Option<String>,
        /// Who took it.
        by: Actor,
    },
    /// Note that somebody gave such money back, because the order was called off.
    HandBack {
        /// Who gave it.
        by: Actor,
    },
    /// Note that a charge could not be settled now.
    RecordChargeTrouble {
        /// Which attempt.
        key: ChargeKey,
    },
    /// Note that the provider could not say what became of a charge.
    RecordQueryTrouble {
        /// Which attempt.
        key: ChargeKey,
    },
    /// Note that all units were sold.
    RecordStockCommitted,
    /// Note that units were lost to somebody else.
    RecordStockLost,
    /// Note that all units went back.
    RecordStockReturned,
    /// Note that all holds live until then.
    RecordHoldsExtended {
        /// Their new end.
        until: Moment,
    },
    /// Note that a hold lapsed while the payment was queued.
    RecordHoldLapsed,
    /// Note that captured money went back.
    RecordRefunded {
        /// The captured attempt.
        key: ChargeKey,
        /// How much.
        amount: Money,
    },
    /// Note that captured money could not go back now.
    RecordRefundTrouble {
        /// The captured attempt.
        key: ChargeKey,
    },
    /// Do something for a return.
    ForReturn {
        /// Which return.
        rma: ReturnId,
        /// What.
        wish: ReturnWish,
    },
    /// Note that a part of the money went back.
    RecordPartRefunded {
        /// For which return.
        rma: ReturnId,
        /// How much.
        amount: Money,
    },
    /// Note that a part of the money could not go back now.
    RecordPartRefundTrouble {
        /// For which return.
        rma: ReturnId,
    },
    /// A timer is due.
    Wake,
}
