//! On what terms a product is sold, besides its price.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::model::{Listing, ProductRefusal};
use crate::values::{Currency, Moment, Money};

/// Most ten-thousandths that a rebate, a duty or a tax may be: all of it.
pub const BASIS_POINTS_MAX: u32 = 10_000;

/// What is taken off and put on when a product is sold. Without any, its price is all there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What is taken off the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// What it costs to ship one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_fee: Option<Money>,
    /// Import duty on the goods, in ten-thousandths.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub duty_bps: u32,
    /// Tax on goods, shipping and duty, in ten-thousandths.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub tax_bps: u32,
    /// When it costs something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash_sale: Option<FlashSale>,
}

/// What is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// So many ten-thousandths of the line.
    PercentBps(u32),
    /// So much of each unit, but never more than the unit costs.
    Amount(Money),
}

/// A price for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlashSale {
    /// What one unit costs meanwhile. Nothing else is taken off.
    pub price: Money,
    /// The first moment at which it does.
    pub starts_at: Moment,
    /// The first moment at which it does no more.
    pub ends_at: Moment,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_nothing(basis_points: &u32) -> bool {
    *basis_points == 0
}

impl Listing {
    /// The same listing as it is sold while flash sales are switched off.
    #[must_use]
    pub fn without_flash_sale(self) -> Self {
        let terms = self.terms.map(|terms| match terms.flash_sale {
            None => terms,
            Some(_) => Arc::new(Terms { flash_sale: None, ..Terms::clone(&terms) }),
        });
        Self { terms, ..self }
    }
}

impl FlashSale {
    /// Whether the sale is on.
    pub fn is_on(&self, at: Moment) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

impl Terms {
    /// Whether the price is all there is.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a product that is priced in `currency` can be sold on these terms.
    pub(super) fn judge(&self, currency: Currency) -> Result<(), ProductRefusal> {
        let is_amount = |money: Money| money.currency() == currency && 0 <= money.minor();
        let discount = match self.discount {
            None => true,
            Some(Discount::PercentBps(share)) => share <= BASIS_POINTS_MAX,
            Some(Discount::Amount(amount)) => is_amount(amount),
        };
        let sale = self.flash_sale;
        let parts = [
            (discount, "discount"),
            (self.shipping_fee.is_none_or(is_amount), "shipping_fee"),
            (self.duty_bps <= BASIS_POINTS_MAX, "duty_bps"),
            (self.tax_bps <= BASIS_POINTS_MAX, "tax_bps"),
            (sale.is_none_or(|sale| is_amount(sale.price)), "flash_sale.price"),
            (sale.is_none_or(|sale| sale.starts_at < sale.ends_at), "flash_sale.ends_at"),
        ];
        match parts.into_iter().find(|(is_sound, _)| !is_sound) {
            Some((_, field)) => Err(ProductRefusal::TermsUnsound(field)),
            None => Ok(()),
        }
    }
}
