//! Placing an order: what the client wishes, what was looked up for it, and what comes of both.

use std::sync::Arc;
use std::time::Duration;

use super::model::{OrderEvent, OrderRefusal};
use super::placement::{Amounts, Line, Personal, Placement, Wish};
use super::validate;
use crate::aggregate::Step;
use crate::catalog::Listing;
use crate::inventory::HOLD_COMMAND_VALID;
use crate::process::{Answer, HeldUnits, Intent, StockRefusal};
use crate::values::{
    CustomerId, Fingerprint, Moment, Money, MoneyError, OrderId, ProductId, Quantity,
};

/// One wished item, and what was learnt about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishedItem {
    /// Which product.
    pub product: ProductId,
    /// How many units, unchecked.
    pub quantity: i64,
    /// What the client believes one unit costs.
    pub unit_price: Option<Money>,
    /// What the catalogue says; the inner `None` is an unknown product.
    pub listing: Option<Option<Listing>>,
    /// What the stock says about the hold.
    pub hold: Option<HoldAnswer>,
}

/// What the stock says about a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldAnswer {
    /// Granted.
    Granted,
    /// Refused by the stock.
    Refused(StockRefusal),
    /// The stock could not be asked.
    Unavailable,
}

/// The wish to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The order's id, derived from the idempotency key.
    pub order: OrderId,
    /// Who buys.
    pub customer: CustomerId,
    /// Through which channel.
    pub channel: String,
    /// What.
    pub items: Vec<WishedItem>,
    /// How it is to be paid.
    pub payment: Option<Wish>,
    /// A code for a rebate.
    pub promo_code: Option<String>,
    /// What belongs to a person.
    pub personal: Personal,
    /// Whether the caller may set prices (C-12).
    pub trusted_price: bool,
    /// What the request said.
    pub fingerprint: Fingerprint,
    /// How long holds last at first, usually [`HOLD_FIRST`](super::HOLD_FIRST). Short, so that one
    /// that is orphaned by a crash lapses soon; an order that needs longer extends it.
    pub hold_for: Duration,
    /// When the holds lapse that this placement takes; set when they are asked for.
    pub held_until: Option<Moment>,
}

impl WishedItem {
    /// A wish about which nothing was looked up yet.
    pub const fn new(product: ProductId, quantity: i64, unit_price: Option<Money>) -> Self {
        Self { product, quantity, unit_price, listing: None, hold: None }
    }

    fn units(&self) -> Quantity {
        // The shape rules have bounded it before anybody asks.
        u32::try_from(self.quantity).map_or(Quantity::ZERO, Quantity::new)
    }

    fn price(&self, trusted: bool) -> Option<Money> {
        let listed = self.listing.as_ref()?.as_ref()?.price;
        Some(if trusted { self.unit_price.unwrap_or(listed) } else { listed })
    }
}

impl PlaceOrder {
    /// What the order costs at the listed prices.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when it cannot be told.
    pub fn amounts(&self) -> Result<Amounts, MoneyError> {
        let mut subtotal: Option<Money> = None;
        for item in &self.items {
            let price = item.price(self.trusted_price).ok_or(MoneyError::OutOfRange)?;
            let amount = price.times(item.units())?;
            subtotal = Some(match subtotal {
                None => amount,
                Some(sum) => sum.checked_add(amount)?,
            });
        }
        let subtotal = subtotal.ok_or(MoneyError::OutOfRange)?;
        let zero = Money::zero(subtotal.currency());
        Ok(Amounts {
            subtotal,
            discount: zero,
            shipping: zero,
            duties: zero,
            tax: zero,
            total: subtotal,
        })
    }

    fn held_units(&self, item: &WishedItem) -> HeldUnits {
        HeldUnits { product: item.product.clone(), hold: self.order.hold(), quantity: item.units() }
    }

    /// Listings first, then holds; nothing more once a rule is broken.
    pub(super) fn next_step(&self, now: Moment) -> Step {
        if !validate::shape(self).is_empty() || self.unreachable().is_some() {
            return Step::Ready;
        }
        let unseen = self.items.iter().filter(|item| item.listing.is_none());
        let lookups: Vec<Intent> =
            unseen.map(|item| Intent::Lookup { product: item.product.clone() }).collect();
        if !lookups.is_empty() {
            return Step::Needs(lookups);
        }
        if self.items.iter().any(|item| item.hold.is_some())
            || !validate::catalogue(self).is_empty()
        {
            return Step::Ready;
        }
        let holds = self.items.iter().map(|item| Intent::Hold {
            units: self.held_units(item),
            customer: self.customer.clone(),
            expires_at: now.saturating_add(self.hold_for),
            valid_until: now.saturating_add(HOLD_COMMAND_VALID),
        });
        Step::Needs(holds.collect())
    }

    pub(super) fn supply(&mut self, need: &Intent, answer: Answer) {
        match need {
            Intent::Lookup { product } => {
                for item in self.items.iter_mut().filter(|item| item.product == *product) {
                    if let Answer::Listing(listing) = &answer {
                        item.listing = Some(listing.clone());
                    } else {
                        item.hold = Some(HoldAnswer::Unavailable);
                    }
                }
            }
            Intent::Hold { units, expires_at, .. } => {
                self.held_until = Some(*expires_at);
                let answer = match answer {
                    Answer::StockDone => HoldAnswer::Granted,
                    Answer::StockRefused(refusal) => HoldAnswer::Refused(refusal),
                    Answer::Failed(_)
                    | Answer::Listing(_)
                    | Answer::Charge(_)
                    | Answer::Refunded => HoldAnswer::Unavailable,
                };
                for item in self.items.iter_mut().filter(|item| item.product == units.product) {
                    item.hold = Some(answer.clone());
                }
            }
            Intent::Extend { .. }
            | Intent::Commit { .. }
            | Intent::Release { .. }
            | Intent::Restock { .. }
            | Intent::Charge { .. }
            | Intent::QueryCharge { .. }
            | Intent::Refund { .. } => {}
        }
    }

    /// A product whose listing could not be looked up; then nothing more is tried.
    fn unreachable(&self) -> Option<&ProductId> {
        let unseen = |item: &&WishedItem| item.listing.is_none() && item.hold.is_some();
        self.items.iter().find(unseen).map(|item| &item.product)
    }

    /// Gives back what was granted, when something else was refused.
    pub(super) fn compensate(&self) -> Vec<Intent> {
        let granted = self.items.iter().filter(|item| {
            item.listing.is_some()
                && matches!(item.hold, Some(HoldAnswer::Granted | HoldAnswer::Unavailable))
        });
        let units: Vec<HeldUnits> = granted.map(|item| self.held_units(item)).collect();
        if units.is_empty() { Vec::new() } else { vec![Intent::Release { units }] }
    }

    /// The placement, when every rule is kept and every hold was granted.
    pub(super) fn judge(&self) -> Result<Vec<OrderEvent>, OrderRefusal> {
        if let Some(product) = self.unreachable() {
            return Err(OrderRefusal::StockUnavailable(product.clone()));
        }
        let mut findings = validate::shape(self);
        if findings.is_empty() {
            findings = validate::catalogue(self);
        }
        if !findings.is_empty() {
            return Err(OrderRefusal::Invalid(findings));
        }
        for item in &self.items {
            Self::judge_hold(item)?;
        }
        let (Ok(amounts), Some(held_until)) = (self.amounts(), self.held_until) else {
            return Err(OrderRefusal::Invalid(findings));
        };
        Ok(vec![OrderEvent::Placed(Arc::new(Placement {
            order: self.order,
            customer: self.customer.clone(),
            channel: self.channel.clone(),
            lines: self.lines(),
            amounts,
            payment: self.payment.clone(),
            held_until,
            fingerprint: self.fingerprint,
            personal: self.personal.clone(),
        }))])
    }

    fn judge_hold(item: &WishedItem) -> Result<(), OrderRefusal> {
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
            Some(
                HoldAnswer::Refused(StockRefusal::Lapsed | StockRefusal::Invalid)
                | HoldAnswer::Unavailable,
            )
            | None => Err(OrderRefusal::StockUnavailable(product)),
        }
    }

    fn lines(&self) -> Vec<Line> {
        let priced = self.items.iter().zip(0_u16..).filter_map(|(item, index)| {
            let listing = item.listing.as_ref()?.as_ref()?;
            Some(Line {
                id: self.order.item(index),
                product: item.product.clone(),
                quantity: item.units(),
                unit_price: item.price(self.trusted_price)?,
                listing_version: listing.version,
            })
        });
        priced.collect()
    }
}
