//! State, commands, events and refusals of a return.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::life::ReturnStatus;
use super::refusal::ReturnRefusal;
use crate::aggregate::EventName;
use crate::order::{Actor, NotReturnable, Order, RefundMethod, Units};
use crate::process::{Answer, Unavailable};
use crate::values::{
    CustomerId, Fingerprint, Moment, Money, OrderId, Picture, ProductId, Quantity, ReturnId,
};

/// Longest text of a return, in bytes.
pub const REASON_MAX: usize = 500;

/// Most photos of one return (RET-3).
pub const PHOTOS_MAX: usize = 20;

/// What a request for a return says about one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// Which product.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// Why, in the customer's words.
    pub reason: String,
}

/// Everything that is settled when a return is requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRequest {
    /// The return.
    pub id: ReturnId,
    /// Of which order.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// What.
    pub lines: Vec<ReturnLine>,
    /// What the customer has to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The number of the parcel, where it was given before anybody allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Whether the provider took its money, so that it can go back to a card.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub by_card: bool,
    /// Who asked.
    pub by: Actor,
    /// What the request said.
    pub fingerprint: Fingerprint,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_so(flag: &bool) -> bool {
    *flag
}

/// One step of the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnStep {
    /// To where.
    pub to: ReturnStatus,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
}

/// The money of a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRefund {
    /// On which way it goes.
    pub method: RefundMethod,
    /// How much went back; nothing before it did.
    pub amount: Option<Money>,
}

/// A return that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// What was requested. It never changes.
    pub request: Arc<ReturnRequest>,
    /// How far it is.
    pub status: ReturnStatus,
    /// The number under which its parcel is announced.
    pub number: Option<String>,
    /// Units that may come back, once somebody has allowed it.
    pub approved: Option<Units>,
    /// Units that are as good as new, once somebody has looked.
    pub passed: Option<Units>,
    /// The parcel's own number.
    pub tracking: Option<String>,
    /// The units that the order keeps for it; nothing before the order was asked.
    pub apart: Option<Units>,
    /// What the customer has shown of the units; bounded by [`PHOTOS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Picture>,
    /// Its money, once it was asked for.
    pub refund: Option<ReturnRefund>,
    /// Whether its units are in stock again.
    pub restocked: bool,
    /// Every status, oldest first; bounded but for refunds that fail and are tried again.
    pub history: Vec<ReturnStep>,
    /// When it was requested.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// Counts the changes.
    pub version: u64,
}

/// A return, once there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnState(pub Option<Arc<Return>>);

/// A request for a return, and what its order says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReturn {
    /// The return.
    pub id: ReturnId,
    /// Of which order.
    pub order: OrderId,
    /// Whose order it has to be, if that is asked.
    pub customer: Option<CustomerId>,
    /// What; each product once.
    pub lines: Vec<ReturnLine>,
    /// What the customer has to say about it.
    pub note: Option<String>,
    /// The number of the parcel, where it is given now.
    pub number: Option<String>,
    /// For how long after its arrival an order is taken back.
    pub within: Duration,
    /// Who asks.
    pub by: Actor,
    /// What the request says.
    pub fingerprint: Fingerprint,
    /// What the order says; nothing before it was asked.
    pub answer: Option<Result<Arc<Order>, ReturnRefusal>>,
}

impl OpenReturn {
    /// Its units.
    pub fn units(&self) -> Units {
        self.lines.iter().map(|line| (line.product.clone(), line.quantity)).collect()
    }

    pub(super) fn supply(&mut self, answer: Answer) {
        let why = match answer {
            Answer::OrderDone(order) => {
                self.answer = Some(Ok(order));
                return;
            }
            Answer::OrderRefused(refusal) => ReturnRefusal::NotReturnable(refusal),
            Answer::NotAccepted(why) => ReturnRefusal::OrderUnavailable { why },
            Answer::Listing(_)
            | Answer::Promo(_)
            | Answer::Counted(_)
            | Answer::Trust(_)
            | Answer::ReviewNoted
            | Answer::StockDone
            | Answer::StockRefused(_)
            | Answer::CartDone
            | Answer::CartRefused(_)
            | Answer::Charge(_)
            | Answer::Refunded
            | Answer::Failed => ReturnRefusal::OrderUnavailable { why: Unavailable::Unreachable },
        };
        self.answer = Some(Err(why));
    }
}

/// What can be asked of a return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnCommand {
    /// Request it.
    Open(Box<OpenReturn>),
    /// Allow it, or a part of it (RET-6).
    Authorize {
        /// The units that may come; nothing: all.
        approved: Option<Units>,
        /// Who allows it.
        by: Actor,
        /// What they have to say.
        reason: Option<String>,
    },
    /// Show the units.
    AddPhoto {
        /// How they look.
        photo: Picture,
    },
    /// Do not allow it.
    Reject {
        /// Who does not.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// Call it off, as a customer may while nobody has allowed it.
    Cancel {
        /// Who asks.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// The parcel was sent.
    Ship {
        /// Its own number.
        tracking: Option<String>,
        /// Who says so.
        by: Actor,
    },
    /// The parcel is here.
    Receive {
        /// Who says so.
        by: Actor,
    },
    /// Somebody has looked at the units.
    Inspect {
        /// The units that are as good as new; nothing: all that were approved.
        passed: Option<Units>,
        /// Who has looked.
        by: Actor,
        /// What they saw.
        reason: Option<String>,
    },
    /// Give the money back, or try again.
    Refund {
        /// On which way.
        method: RefundMethod,
        /// Who asks.
        by: Actor,
    },
    /// Note that the order keeps the units for it.
    RecordSetApart,
    /// Note that the order does not.
    RecordNotSetApart {
        /// Why.
        why: NotReturnable,
    },
    /// Note which units the order keeps for it now.
    RecordNarrowed {
        /// Those.
        units: Units,
    },
    /// Note that the money went back.
    RecordRefunded {
        /// How much.
        amount: Money,
    },
    /// Note that it did not.
    RecordRefundFailed,
    /// Note that the units are in stock again.
    RecordRestocked,
}

/// What happened to a return. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnEvent {
    /// It was requested, and its order had no objection.
    Requested(Arc<ReturnRequest>),
    /// The order keeps its units for it.
    SetApart,
    /// Another return was faster: it ends here.
    NotSetApart {
        /// Why.
        why: String,
    },
    /// It was allowed.
    Authorized {
        /// By whom.
        by: Actor,
        /// The number of the parcel.
        number: String,
        /// The units that may come.
        approved: Units,
        /// What was said.
        reason: Option<String>,
    },
    /// It was not allowed.
    Rejected {
        /// By whom.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// The customer called it off.
    Cancelled {
        /// By whom.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// The customer has shown the units.
    PhotoAdded {
        /// How they look.
        photo: Picture,
    },
    /// The order keeps fewer units for it.
    Narrowed {
        /// Those.
        units: Units,
    },
    /// The parcel was sent.
    Shipped {
        /// Who says so.
        by: Actor,
        /// Its own number.
        tracking: Option<String>,
    },
    /// The parcel is here.
    Received {
        /// Who says so.
        by: Actor,
    },
    /// Somebody has looked at the units.
    Inspected {
        /// Who.
        by: Actor,
        /// The units that are as good as new.
        passed: Units,
        /// What was seen.
        reason: Option<String>,
    },
    /// The money is to go back, or is to be tried again.
    RefundAsked {
        /// Who asks.
        by: Actor,
        /// On which way.
        method: RefundMethod,
    },
    /// The money went back.
    Refunded {
        /// How much.
        amount: Money,
    },
    /// The money did not go back.
    RefundFailed,
    /// The units are in stock again.
    Restocked {
        /// Those.
        units: Units,
    },
}

impl EventName for ReturnEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Requested(_) => "return.requested",
            Self::SetApart => "return.set_apart",
            Self::NotSetApart { .. } => "return.not_set_apart",
            Self::Authorized { .. } => "return.authorized",
            Self::Rejected { .. } => "return.rejected",
            Self::Cancelled { .. } => "return.cancelled",
            Self::PhotoAdded { .. } => "return.photo_added",
            Self::Narrowed { .. } => "return.narrowed",
            Self::Shipped { .. } => "return.shipped",
            Self::Received { .. } => "return.received",
            Self::Inspected { .. } => "return.inspected",
            Self::RefundAsked { .. } => "return.refund_asked",
            Self::Refunded { .. } => "return.refunded",
            Self::RefundFailed => "return.refund_failed",
            Self::Restocked { .. } => "return.restocked",
        }
    }
}
