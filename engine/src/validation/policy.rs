//! What a shop demands of orders beyond what always holds: its region, and what must be said.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::catalog::Listing;
use crate::fraud::FraudPolicy;
use crate::values::{Currency, Money, PaymentMethod};

/// An ISO 3166 alpha-2 country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// The Philippines.
    pub const PH: Self = Self(*b"PH");

    /// Reads two capital letters.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        // Two capital letters are always text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A pack of what is usual somewhere (C-25).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Region {
    /// Nowhere in particular: nothing is assumed.
    #[default]
    Generic,
    /// The Philippines: phone numbers without a country code are read as local ones.
    Philippines,
}

impl Region {
    /// The country that it is about.
    pub const fn home(self) -> Option<Country> {
        match self {
            Self::Generic => None,
            Self::Philippines => Some(Country::PH),
        }
    }

    /// The most that may be paid on delivery there before somebody looks (FRAUD-1).
    pub const fn cod_limit(self) -> Option<Money> {
        match self {
            Self::Generic => None,
            Self::Philippines => Some(Money::new(5_000_000, Currency::PHP)),
        }
    }

    /// Its name in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Philippines => "PH",
        }
    }
}

/// The text names no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such region; known are generic and PH")]
pub struct UnknownRegion;

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        let known = [Self::Generic, Self::Philippines];
        let named = known.into_iter().find(|region| region.as_str().eq_ignore_ascii_case(text));
        named.ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What every order must say; by itself an order need say none of it (C-41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// How it is paid.
    pub payment: bool,
    /// Where the goods go.
    pub address: bool,
    /// Whom to call; asked for with an address only.
    pub phone: bool,
}

/// What a shop demands. Its default demands nothing that does not always hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is usual there.
    pub region: Region,
    /// What must be said.
    pub demands: Demands,
    /// Countries that the shop delivers to; absent: all.
    pub delivers_to: Option<Arc<[Country]>>,
    /// Payment methods that the shop takes; absent: all.
    pub takes: Option<Arc<[PaymentMethod]>>,
    /// What it suspects.
    pub fraud: FraudPolicy,
    /// Whether flash sales are switched off (FLASH-6): everything costs what it is listed at.
    pub sales_are_off: bool,
}

impl Policy {
    /// The listing as the shop sells it now.
    pub fn sold_as(&self, listing: Listing) -> Listing {
        if self.sales_are_off { listing.without_flash_sale() } else { listing }
    }
}
