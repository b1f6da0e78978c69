//! The words of the provider's ledger.

use serde::{Deserialize, Serialize};

/// What happened to money. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The money of a charge was taken.
    Captured {
        /// Key of the charge.
        key: Box<str>,
        /// The order that it is for.
        order: Box<str>,
        /// How much.
        minor: i64,
        /// ISO currency.
        currency: Box<str>,
    },
    /// A charge was declined for good.
    Declined {
        /// Key of the charge.
        key: Box<str>,
        /// The order that it is for.
        order: Box<str>,
        /// How much was asked for.
        minor: i64,
    },
    /// Money went back.
    Refunded {
        /// Key of the refund.
        key: Box<str>,
        /// Key of the charge.
        charge_key: Box<str>,
        /// How much.
        minor: i64,
    },
    /// A key came again for another order or amount: always a fault of the caller.
    Conflict {
        /// Key of the charge.
        key: Box<str>,
    },
}
