//! One line of a quote: units of one product at one moment.

use crate::catalog::{Discount, Listing, Terms};
use crate::order::Amounts;
use crate::values::{Moment, Money, MoneyError, Quantity};

/// Where the price of a unit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The listing.
    Listed,
    /// The listing's flash sale.
    FlashSale,
    /// A caller who may set prices.
    Own,
}

/// What units of one product cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineQuote {
    /// Price of one unit.
    pub unit_price: Money,
    /// Where it comes from.
    pub basis: Basis,
    /// The parts, and what they make.
    pub amounts: Amounts,
    /// What a promo code takes off; a part of the discount.
    pub rebate: Money,
}

impl LineQuote {
    /// What the goods cost, everything that is taken off taken off.
    ///
    /// # Errors
    ///
    /// [`MoneyError`], which no quote of [`line`] gives.
    pub fn goods(&self) -> Result<Money, MoneyError> {
        self.amounts.subtotal.checked_sub(self.amounts.discount)
    }
}

/// The price of one unit `at` a moment: `own` when somebody set it who may, else that of a flash
/// sale that is on, else the listed one.
pub fn unit_price(listing: &Listing, own: Option<Money>, at: Moment) -> (Money, Basis) {
    if let Some(own) = own {
        return (own, Basis::Own);
    }
    let sale = listing.terms.as_deref().and_then(|terms| terms.flash_sale);
    match sale.filter(|sale| sale.is_on(at)) {
        Some(sale) => (sale.price, Basis::FlashSale),
        None => (listing.price, Basis::Listed),
    }
}

/// What `quantity` units cost. Each share is rounded once for the line, see [`Money::share`].
///
/// The discount is not taken off the price of a flash sale. `rebate` is this line's share of what a
/// promo code takes off, on top of the discount. Duty is on the goods as discounted, tax on goods,
/// shipping and duty.
///
/// # Errors
///
/// [`MoneyError`] when a part cannot be told, or its currency is not that of the unit's price.
///
/// # Panics
///
/// When the parts contradict each other: a sale must not be made of them.
pub fn line(
    listing: &Listing,
    quantity: Quantity,
    own: Option<Money>,
    at: Moment,
    rebate: Option<Money>,
) -> Result<LineQuote, MoneyError> {
    let (unit_price, basis) = unit_price(listing, own, at);
    let subtotal = unit_price.times(quantity)?;
    if subtotal.minor() < 0 {
        return Err(MoneyError::OutOfRange);
    }
    let none = Money::zero(subtotal.currency());
    let amounts = match (listing.terms.as_deref(), rebate) {
        (None, None) => plain(subtotal),
        (None, Some(rebate)) => on_terms(&Terms::default(), subtotal, quantity, basis, rebate)?,
        (Some(terms), rebate) => {
            on_terms(terms, subtotal, quantity, basis, rebate.unwrap_or(none))?
        }
    };
    Ok(LineQuote { unit_price, basis, amounts, rebate: rebate.unwrap_or(none) })
}

const fn plain(subtotal: Money) -> Amounts {
    let none = Money::zero(subtotal.currency());
    Amounts { subtotal, discount: none, shipping: none, duties: none, tax: none, total: subtotal }
}

fn on_terms(
    terms: &Terms,
    subtotal: Money,
    quantity: Quantity,
    basis: Basis,
    rebate: Money,
) -> Result<Amounts, MoneyError> {
    let none = Money::zero(subtotal.currency());
    let discount = match terms.discount.filter(|_| basis != Basis::FlashSale) {
        None => none,
        Some(Discount::PercentBps(share)) => subtotal.share(share)?,
        Some(Discount::Amount(amount)) => at_most(amount.times(quantity)?, subtotal)?,
    };
    let discount = discount.checked_add(rebate)?;
    let goods = subtotal.checked_sub(discount)?;
    let shipping = terms.shipping_fee.map_or(Ok(none), |fee| fee.times(quantity))?;
    let duties = goods.share(terms.duty_bps)?;
    let taxed = goods.checked_add(shipping)?.checked_add(duties)?;
    let tax = taxed.share(terms.tax_bps)?;
    let total = taxed.checked_add(tax)?;
    assert!(discount.minor() <= subtotal.minor(), "{discount} is taken off {subtotal}");
    for part in [discount, shipping, duties, tax, total] {
        assert!(0 <= part.minor(), "a line of {subtotal} has a part of {part}");
    }
    Ok(Amounts { subtotal, discount, shipping, duties, tax, total })
}

fn at_most(amount: Money, limit: Money) -> Result<Money, MoneyError> {
    let rest = limit.checked_sub(amount)?;
    Ok(if rest.minor() < 0 { limit } else { amount })
}
