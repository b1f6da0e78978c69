//! What others granted to a placement: what is refused because of it, and what is given back.

use super::place::PlaceOrder;
use super::refusal::OrderRefusal;
use super::wished::{ClaimAnswer, HoldAnswer, WishedItem, WishedPromo};
use crate::planted::{Bug, planted};
use crate::process::{HeldUnits, Intent, StockRefusal, Unavailable};
use crate::values::{CreditAccount, Moment};

impl PlaceOrder {
    /// Gives back what was granted or may have been, when something else was refused.
    pub(super) fn compensate(&self) -> Vec<Intent> {
        let granted = self.items.iter().filter(|item| {
            item.listing.is_some()
                && matches!(item.hold, Some(HoldAnswer::Granted | HoldAnswer::Unknown))
        });
        let granted = granted.filter(|_| !planted(Bug::KeepsRefusedHold));
        let promo = self.promo.as_ref().filter(|promo| {
            promo.found.is_some()
                && matches!(promo.hold, Some(HoldAnswer::Granted | HoldAnswer::Unknown))
        });
        let promo = promo.and_then(|promo| self.held_use(promo));
        // It was priced when the holds were asked for, whatever the time is now.
        let credit = self
            .held_until
            .and_then(|asked| self.held_credit(asked))
            .filter(|_| matches!(self.credit, Some(HoldAnswer::Granted | HoldAnswer::Unknown)));
        let units: Vec<HeldUnits> =
            granted.map(|item| self.held_units(item)).chain(promo).chain(credit).collect();
        let release = (!units.is_empty()).then_some(Intent::Release { units });
        let claimed = self
            .cart
            .as_ref()
            .filter(|cart| matches!(cart.claim, Some(ClaimAnswer::Granted | ClaimAnswer::Unknown)));
        let reopen = claimed.map(|cart| Intent::ReopenCart { cart: cart.cart, order: self.order });
        release.into_iter().chain(reopen).collect()
    }

    pub(super) fn judge_claim(&self) -> Result<(), OrderRefusal> {
        match self.cart.as_ref().map(|cart| &cart.claim) {
            None | Some(Some(ClaimAnswer::Granted)) => Ok(()),
            Some(Some(ClaimAnswer::Refused(refusal))) => Err(refusal.clone().into()),
            Some(Some(ClaimAnswer::NotAccepted(why))) => {
                Err(OrderRefusal::CartUnavailable { why: *why })
            }
            Some(Some(ClaimAnswer::Unknown) | None) => {
                Err(OrderRefusal::CartUnavailable { why: Unavailable::Unreachable })
            }
        }
    }

    pub(super) fn judge_hold(item: &WishedItem) -> Result<(), OrderRefusal> {
        let product = item.product.clone();
        match &item.hold {
            Some(HoldAnswer::Granted) => Ok(()),
            Some(HoldAnswer::Refused(StockRefusal::NotEnough { available })) => {
                Err(OrderRefusal::InsufficientStock {
                    product,
                    requested: item.units(),
                    available: *available,
                })
            }
            Some(HoldAnswer::Refused(StockRefusal::OverLimit { limit })) => {
                Err(OrderRefusal::OverLimit { product, limit: *limit })
            }
            Some(HoldAnswer::NotAccepted(why)) => {
                Err(OrderRefusal::StockUnavailable { product, why: *why })
            }
            Some(
                HoldAnswer::Refused(StockRefusal::Lapsed | StockRefusal::Invalid)
                | HoldAnswer::Unknown,
            )
            | None => {
                Err(OrderRefusal::StockUnavailable { product, why: Unavailable::Unreachable })
            }
        }
    }

    pub(super) fn judge_promo(promo: &WishedPromo) -> Result<(), OrderRefusal> {
        let Some(code) = promo.code.clone() else { return Ok(()) };
        let why = match &promo.hold {
            Some(HoldAnswer::Granted) => return Ok(()),
            Some(HoldAnswer::Refused(StockRefusal::NotEnough { .. })) => {
                return Err(OrderRefusal::PromoUsedUp(code));
            }
            Some(HoldAnswer::Refused(StockRefusal::OverLimit { limit })) => {
                return Err(OrderRefusal::PromoOverLimit { code, limit: *limit });
            }
            Some(HoldAnswer::NotAccepted(why)) => *why,
            Some(
                HoldAnswer::Refused(StockRefusal::Lapsed | StockRefusal::Invalid)
                | HoldAnswer::Unknown,
            )
            | None => Unavailable::Unreachable,
        };
        Err(OrderRefusal::PromoUnavailable { why })
    }

    /// Whether the store credit is there, or pays for nothing.
    pub(super) fn has_credit(&self, now: Moment) -> bool {
        self.credit == Some(HoldAnswer::Granted) || self.held_credit(now).is_none()
    }

    pub(super) fn judge_credit(&self, now: Moment) -> Result<(), OrderRefusal> {
        let Some(wanted) = self.held_credit(now) else { return Ok(()) };
        let why = match &self.credit {
            Some(HoldAnswer::Granted) => return Ok(()),
            Some(HoldAnswer::Refused(StockRefusal::NotEnough { available })) => {
                let Some(account) = CreditAccount::of_stock(wanted.product.as_str()) else {
                    return Err(OrderRefusal::CreditUnavailable { why: Unavailable::Unreachable });
                };
                return Err(OrderRefusal::InsufficientCredit {
                    requested: account.money(wanted.quantity),
                    available: account.money(*available),
                });
            }
            Some(HoldAnswer::NotAccepted(why)) => *why,
            Some(
                HoldAnswer::Refused(
                    StockRefusal::OverLimit { .. } | StockRefusal::Lapsed | StockRefusal::Invalid,
                )
                | HoldAnswer::Unknown,
            )
            | None => Unavailable::Unreachable,
        };
        Err(OrderRefusal::CreditUnavailable { why })
    }
}
