//! The two public axes of an order's life: where the goods are, and where the money is (C-4).

use serde::{Deserialize, Serialize};

/// Where the goods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Placed, paid or not.
    Pending,
    /// Being made ready.
    Processing,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off.
    Cancelled,
}

impl OrderStatus {
    /// Every status, in the order of life.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Processing, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The word that the outside uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether an order may go from here to `next` (ORD-7).
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Processing | Self::Cancelled)
                | (Self::Processing, Self::Shipped | Self::Cancelled)
                | (Self::Shipped, Self::Delivered)
        )
    }
}

/// What an order came to first: its answer for good, whatever becomes of it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Its units are where they belong, and its money is taken or nobody's concern yet.
    Stands,
    /// The provider declined.
    Declined,
    /// Nobody paid in time.
    NotPaid,
    /// Somebody called it off before it stood.
    CalledOff,
    /// Its units were sold to somebody else before it stood.
    StockLost,
}

/// Where the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing was taken yet.
    Unpaid,
    /// The provider could not be asked or did not answer; it will be asked again.
    Queued,
    /// Promised by the provider, not yet taken.
    Authorised,
    /// Taken.
    Paid,
    /// Will not be taken.
    Failed,
    /// Some of it went back.
    PartlyRefunded,
    /// All of it went back.
    Refunded,
}

impl PaymentStatus {
    /// The word that the outside uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Queued => "queued",
            Self::Authorised => "authorised",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::PartlyRefunded => "partly_refunded",
            Self::Refunded => "refunded",
        }
    }
}
