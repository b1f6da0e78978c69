//! The status of a return.

use serde::{Deserialize, Serialize};

/// How far a return is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnStatus {
    /// Its order has not set its units apart yet.
    Requested,
    /// Somebody has to allow it.
    PendingAuthorization,
    /// The customer may send the approved units.
    Authorized,
    /// It was not allowed.
    Rejected,
    /// The customer thought better of it.
    Cancelled,
    /// The parcel is on its way.
    InTransit,
    /// The parcel is here.
    Received,
    /// Some units are good, and their money can go back.
    Inspected,
    /// The money is on its way.
    RefundPending,
    /// The money did not go back; it may be tried again.
    RefundFailed,
    /// The money went back.
    Refunded,
    /// No unit was good: it ended without money.
    Closed,
}

impl ReturnStatus {
    /// Every status, in the order of life.
    pub const ALL: [Self; 12] = [
        Self::Requested,
        Self::PendingAuthorization,
        Self::Authorized,
        Self::Rejected,
        Self::Cancelled,
        Self::InTransit,
        Self::Received,
        Self::Inspected,
        Self::RefundPending,
        Self::RefundFailed,
        Self::Refunded,
        Self::Closed,
    ];

    /// Whether nobody has looked at the units yet, and somebody may.
    pub(super) const fn is_before_inspection(self) -> bool {
        matches!(
            self,
            Self::Requested
                | Self::PendingAuthorization
                | Self::Authorized
                | Self::InTransit
                | Self::Received
        )
    }

    /// The word that the outside uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::PendingAuthorization => "PENDING_AUTHORIZATION",
            Self::Authorized => "AUTHORIZED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::InTransit => "IN_TRANSIT",
            Self::Received => "RECEIVED",
            Self::Inspected => "INSPECTED",
            Self::RefundPending => "REFUND_PENDING",
            Self::RefundFailed => "REFUND_FAILED",
            Self::Refunded => "REFUNDED",
            Self::Closed => "CLOSED",
        }
    }
}
