//! Exact money: integer minor units with an ISO currency.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Quantity;

pub use iso_currency::Currency;

/// Why an amount cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit into 63 bits of minor units.
    #[error("amount out of range")]
    OutOfRange,
    /// Two currencies cannot be added.
    #[error("amounts in different currencies")]
    CurrencyMismatch,
}

/// An amount in the smallest unit of its currency: 1999 minor units of EUR are €19.99.
///
/// Amounts are integers because a cent must never be lost to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` smallest units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Smallest units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The ISO 4217 currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ or the sum does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// This amount for each of `quantity` units.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfRange`] when the product does not fit.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let minor =
            self.minor.checked_mul(i64::from(quantity.units())).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (minor units)", self.minor, self.currency.code())
    }
}
