//! How the numbers of a line came about, step by step.

use super::line::{Basis, LineQuote};
use crate::values::Money;

/// One step: what was put on, or taken off when it is below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The stable word for it.
    pub code: &'static str,
    /// How much.
    pub amount: Money,
}

/// The steps from nothing to the total; those that change nothing are left out, but for the first.
pub fn steps(line: &LineQuote) -> Vec<Step> {
    let amounts = &line.amounts;
    let first = match line.basis {
        Basis::Listed => "listed_price",
        Basis::FlashSale => "flash_sale_price",
        Basis::Own => "own_price",
    };
    let of_listing = amounts.discount.minor().saturating_sub(line.rebate.minor());
    let discount = Money::new(of_listing, amounts.discount.currency());
    let less = |amount: Money| Money::new(amount.minor().saturating_neg(), amount.currency());
    let later = [
        ("discount", less(discount)),
        ("promo_code", less(line.rebate)),
        ("shipping_fee", amounts.shipping),
        ("import_duty", amounts.duties),
        ("tax", amounts.tax),
    ];
    let later = later.into_iter().filter(|(_, amount)| amount.minor() != 0);
    std::iter::once((first, amounts.subtotal))
        .chain(later)
        .map(|(code, amount)| Step { code, amount })
        .collect()
}
