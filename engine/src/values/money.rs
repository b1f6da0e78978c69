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

    /// The sum of all; nothing when there are none.
    ///
    /// # Errors
    ///
    /// As [`Money::checked_add`].
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Result<Option<Self>, MoneyError> {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { return Ok(None) };
        parts.try_fold(first, Self::checked_add).map(Some)
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ or the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// So many ten-thousandths of this amount, rounded to the nearest smallest unit, and to the even
    /// one of two that are as near. The only place where money is rounded.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfRange`] when the share does not fit.
    #[expect(clippy::arithmetic_side_effects, reason = "an i64 times a u32 fits in an i128")]
    pub fn share(self, basis_points: u32) -> Result<Self, MoneyError> {
        let exact = i128::from(self.minor) * i128::from(basis_points);
        let (whole, rest) = (exact.div_euclid(10_000), exact.rem_euclid(10_000));
        let is_up = 5_000 < rest || (rest == 5_000 && whole % 2 != 0);
        let minor = i64::try_from(whole + i128::from(is_up)).map_err(|_| MoneyError::OutOfRange)?;
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
