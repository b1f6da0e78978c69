//! What a wish costs, line by line, all at one moment.

use super::place::PlaceOrder;
use super::placement::{Amounts, Line};
use super::wished::{WishedItem, WishedPromo};
use crate::planted::{Bug, planted};
use crate::pricing::{self, LineQuote};
use crate::promo::PromoUse;
use crate::values::{Moment, Money, MoneyError, Quantity};

impl PlaceOrder {
    /// What the order costs.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when it cannot be told.
    pub fn amounts(&self, now: Moment) -> Result<Amounts, MoneyError> {
        let mut rebates = self.rebates(now)?.into_iter();
        let lines = self.items.iter().map(|item| self.line(item, now, rebates.next()));
        Amounts::sum(lines.map(|line| Ok(line?.amounts)))?.ok_or(MoneyError::OutOfRange)
    }

    fn line(
        &self,
        item: &WishedItem,
        now: Moment,
        rebate: Option<Money>,
    ) -> Result<LineQuote, MoneyError> {
        let listing = item.listed().ok_or(MoneyError::OutOfRange)?;
        let units = if planted(Bug::WrongTotal) { Quantity::new(1) } else { item.units() };
        let own = item.own_price(self.trusted_price);
        pricing::line(listing, units, own, self.priced_at(now), rebate)
    }

    /// What the goods of each line cost before the promo code.
    pub(crate) fn goods(&self, now: Moment) -> Result<Vec<Money>, MoneyError> {
        self.items.iter().map(|item| self.line(item, now, None)?.goods()).collect()
    }

    /// What the promo code takes off each line; nothing without one.
    fn rebates(&self, now: Moment) -> Result<Vec<Money>, MoneyError> {
        match self.promo.as_ref().and_then(WishedPromo::known) {
            None => Ok(Vec::new()),
            Some(promo) => match promo.made.rebate.spread(&self.goods(now)?) {
                // A rule of its own tells that the code is for another currency.
                Err(MoneyError::CurrencyMismatch) => Ok(Vec::new()),
                spread => spread,
            },
        }
    }

    pub(super) fn promo_use(&self, now: Moment) -> Result<Option<PromoUse>, MoneyError> {
        let code = self.promo.as_ref().and_then(|promo| promo.code.clone());
        let Some(code) = code else { return Ok(None) };
        let amount = Money::sum(self.rebates(now)?)?.ok_or(MoneyError::CurrencyMismatch)?;
        Ok(Some(PromoUse { code, amount }))
    }

    /// The one moment at which everything is priced: when the holds were asked for, or now.
    pub(crate) fn priced_at(&self, now: Moment) -> Moment {
        self.held_until.map_or(now, |until| until.saturating_sub(self.hold_for))
    }

    pub(super) fn lines(&self, now: Moment) -> Vec<Line> {
        let mut rebates = self.rebates(now).unwrap_or_default().into_iter();
        let priced = self.items.iter().zip(0_u16..).filter_map(|(item, index)| {
            let listing = item.listed()?;
            let quote = self.line(item, now, rebates.next()).ok()?;
            let (unit_price, amounts) = (quote.unit_price, quote.amounts);
            Some(Line {
                id: self.order.item(index),
                product: item.product.clone(),
                quantity: item.units(),
                unit_price,
                listing_version: listing.version,
                listed_price: Some(listing.price).filter(|listed| *listed != unit_price),
                paid: Some(amounts.total).filter(|total| *total != amounts.subtotal),
            })
        });
        priced.collect()
    }
}
