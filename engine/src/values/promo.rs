//! Promo codes, and the stock that counts the uses of one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::credit::CreditAccount;
use super::ids::{IdError, ProductId};

/// What the names of stocks of uses begin with. No product can be named so.
const USES: &str = "promo/";

/// A code for a rebate. Small letters are read as capitals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromoCode(Arc<str>);

/// Why a text is no promo code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 32 letters, digits, '-' and '_'")]
pub struct PromoCodeError;

impl PromoCode {
    /// Longest code, in bytes.
    pub const LENGTH_MAX: usize = 32;

    /// Checks and wraps a text.
    ///
    /// # Errors
    ///
    /// [`PromoCodeError`] when it is empty, too long, or holds anything but ASCII letters, digits,
    /// `-` and `_`.
    pub fn parse(text: &str) -> Result<Self, PromoCodeError> {
        let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX;
        let is_clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if fits && is_clean {
            Ok(Self(text.to_ascii_uppercase().into()))
        } else {
            Err(PromoCodeError)
        }
    }

    /// The code in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a stock of that name counts the uses of a code.
    pub(crate) fn counts_uses(stock: &str) -> bool {
        stock.starts_with(USES)
    }

    /// The stock that counts its uses: a use is held, committed and released as a unit of a product.
    pub fn uses(&self) -> ProductId {
        ProductId::unchecked(&format!("{USES}{self}"))
    }
}

impl ProductId {
    /// Whose units a stock of that name counts: a product's, the uses of a promo code, or store
    /// credit.
    ///
    /// # Errors
    ///
    /// [`IdError`] when it can be neither.
    pub fn of_stock(name: &str) -> Result<Self, IdError> {
        if let Some(account) = CreditAccount::of_stock(name) {
            return Ok(account.stock());
        }
        match name.strip_prefix(USES).map(PromoCode::parse) {
            Some(Ok(code)) => Ok(code.uses()),
            Some(Err(_)) | None => Self::parse(name),
        }
    }
}

impl fmt::Display for PromoCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
