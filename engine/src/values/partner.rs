//! Names of partners and of what they supply; a product of one can never be named like another's.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ProductId;

/// Between the partner and its own name for a product. No partner's name holds it.
const BETWEEN: char = ':';

/// Why a text names no partner, or no product of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartnerNameError {
    /// It is not a partner's name.
    #[error("expected 2 to {max} lower-case letters, digits and dashes, not beginning or ending with a dash", max = PartnerId::LENGTH_MAX)]
    Partner,
    /// It is not a partner's name for a product.
    #[error("expected 1 to {max} letters, digits, dots, dashes and underscores, beginning with a letter or digit", max = Sku::LENGTH_MAX)]
    Sku,
}

/// A partner that supplies products.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(Arc<str>);

impl PartnerId {
    /// Longest name, in bytes. With [`Sku::LENGTH_MAX`] and what stands between, it fits a product.
    pub const LENGTH_MAX: usize = 24;

    /// Checks and wraps a text.
    ///
    /// # Errors
    ///
    /// [`PartnerNameError::Partner`].
    pub fn parse(text: &str) -> Result<Self, PartnerNameError> {
        let fits = (2..=Self::LENGTH_MAX).contains(&text.len());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if fits && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.into()))
        } else {
            Err(PartnerNameError::Partner)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shop's name for what the partner calls `sku`.
    ///
    /// # Panics
    ///
    /// Never: both parts are checked, and together they are short enough for a product.
    #[expect(
        clippy::expect_used,
        reason = "both parts are plain and short; a test has the longest"
    )]
    pub fn product(&self, sku: &Sku) -> ProductId {
        let name = format!("{}{BETWEEN}{}", self.0, sku.0);
        ProductId::parse(&name).expect("a partner's product has a name")
    }
}

impl fmt::Display for PartnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A partner's own name for a product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(Arc<str>);

impl Sku {
    /// Longest name, in bytes.
    pub const LENGTH_MAX: usize = 39;

    /// Checks and wraps a text.
    ///
    /// # Errors
    ///
    /// [`PartnerNameError::Sku`].
    pub fn parse(text: &str) -> Result<Self, PartnerNameError> {
        let fits = text.len() <= Self::LENGTH_MAX;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let begins = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        if fits && begins && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(PartnerNameError::Sku)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_named_in_plain_letters() {
        for good in ["ac", "acme", "acme-2", "0x", &"a".repeat(24)] {
            assert_eq!(PartnerId::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "a", "Acme", "ac me", "-acme", "acme-", "a:b", "a/b", "äcme", &"a".repeat(25)]
        {
            assert_eq!(PartnerId::parse(bad), Err(PartnerNameError::Partner), "{bad}");
        }
    }

    #[test]
    fn what_a_partner_calls_a_product_is_plain_too() {
        for good in ["1", "Mug.blue_2-x", &"x".repeat(39)] {
            assert_eq!(Sku::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-x", ".x", "a b", "a:b", "a/b", "ä", "=1", &"x".repeat(40)] {
            assert_eq!(Sku::parse(bad), Err(PartnerNameError::Sku), "{bad}");
        }
    }

    #[test]
    fn the_longest_names_together_name_a_product() {
        let partner = PartnerId::parse(&"a".repeat(PartnerId::LENGTH_MAX)).unwrap();
        let product = partner.product(&Sku::parse(&"x".repeat(Sku::LENGTH_MAX)).unwrap());
        assert_eq!(product.as_str().len(), ProductId::LENGTH_MAX);
    }

    #[test]
    fn no_two_partners_name_the_same_product() {
        let named = |partner: &str, sku: &str| {
            PartnerId::parse(partner).unwrap().product(&Sku::parse(sku).unwrap())
        };
        assert_eq!(named("acme", "mug").as_str(), "acme:mug");
        assert_ne!(named("acme", "mug"), named("acme-m", "ug"));
        assert_ne!(named("acme", "mug"), named("ac", "me.mug"));
    }
}
