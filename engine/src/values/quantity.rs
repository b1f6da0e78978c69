//! A count of units.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Units of a product. Never negative; all arithmetic is checked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// No units.
    pub const ZERO: Self = Self(0);

    /// That many units.
    pub const fn new(units: u32) -> Self {
        Self(units)
    }

    /// The bare number.
    pub const fn units(self) -> u32 {
        self.0
    }

    /// The sum, unless it passes `u32::MAX`.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it falls below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
