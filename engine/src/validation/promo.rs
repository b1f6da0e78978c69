//! What only a promo code can tell: whether it can be used now, and for this.

use super::finding::Finding;
use super::table::Rule;
use crate::order::PlaceOrder;
use crate::promo::{OpenPromo, Rebate};
use crate::values::{Moment, Money, MoneyError};

const FIELD: &str = "promo_code";

/// Judges the promo code, once it was looked up and all listings were.
pub fn promo(place: &PlaceOrder, now: Moment) -> Vec<Finding> {
    let Some(found) = place.promo.as_ref().and_then(|promo| promo.found.as_ref()) else {
        return Vec::new();
    };
    let Some(promo) = found.as_deref() else {
        return vec![Rule::UnknownPromoCode.found(FIELD, "the promo code is unknown")];
    };
    // Goods without a price are the business of other rules.
    let goods = place.goods(now).and_then(Money::sum).ok().flatten();
    usable(promo, goods, place.priced_at(now))
}

/// Why a promo code cannot be used at a moment, for goods of a price; nothing when it can.
pub fn usable(promo: &OpenPromo, goods: Option<Money>, at: Moment) -> Vec<Finding> {
    let made = &promo.made;
    let mut findings = Vec::new();
    if !promo.is_active {
        findings.push(Rule::PromoEnded.found(FIELD, "the promo code was ended"));
    }
    if made.starts_at.is_some_and(|from| at < from) {
        findings.push(Rule::PromoNotYetValid.found(FIELD, "the promo code cannot be used yet"));
    }
    if made.ends_at.is_some_and(|to| to <= at) {
        findings.push(Rule::PromoExpired.found(FIELD, "the promo code has expired"));
    }
    findings.extend(goods.and_then(|goods| applies(promo, goods)));
    findings
}

fn applies(promo: &OpenPromo, goods: Money) -> Option<Finding> {
    let made = &promo.made;
    let off = match made.rebate {
        Rebate::Amount(amount) => Some(amount),
        Rebate::PercentBps(_) => None,
    };
    for amount in made.minimum.into_iter().chain(off) {
        if goods.checked_sub(amount) == Err(MoneyError::CurrencyMismatch) {
            let message = format!("the promo code is for orders in {}", amount.currency().code());
            return Some(Rule::PromoOtherCurrency.found(FIELD, message));
        }
    }
    let minimum = made.minimum.filter(|minimum| goods.minor() < minimum.minor())?;
    Some(Rule::PromoMinimumNotReached.found(FIELD, format!("the goods have to cost {minimum}")))
}
