//! What listings cost, version by version, and what orders say that they cost (R14).
//!
//! An order and a listing that it quotes may lie in different shards, so nothing is compared before
//! both were read. Memory grows with the versions of listings, not with the orders that quote them.

use std::collections::BTreeMap;

use super::entry::{Entry, Origin};
use super::violation::{Found, Violation, broken};
use crate::order::Line;
use crate::values::{Money, ProductId};

/// The prices that one listing has had, each with the version that brought it; ascending.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    prices: Vec<(u64, Money)>,
    last: u64,
}

impl Listed {
    /// The present price; none before the publication.
    pub(super) fn price(&self) -> Option<Money> {
        self.prices.last().map(|(_, price)| *price)
    }

    /// The price from `version` on.
    pub(super) fn change(&mut self, version: u64, price: Money) {
        self.prices.push((version, price));
    }

    /// The listing has come to `version`.
    pub(super) fn reach(&mut self, version: u64) {
        self.last = version;
    }

    fn at(&self, version: u64) -> Option<Money> {
        let later = self.prices.partition_point(|(since, _)| *since <= version);
        let (_, price) = self.prices.get(later.checked_sub(1)?)?;
        (version <= self.last).then_some(*price)
    }
}

/// A quoted price: of which version of the listing, and how much.
type Quote = (u64, Money);

/// Every price that orders quote, once, and the placement that was the first to quote it.
#[derive(Clone, Debug, Default)]
pub(super) struct Quotes(BTreeMap<ProductId, BTreeMap<Quote, Origin>>);

impl Quotes {
    /// Notes what a line quotes: the listed price, whatever was asked for the unit in the end.
    pub(super) fn note(&mut self, line: &Line, entry: &Entry<'_>) {
        let quote = (line.listing_version, line.listed_price.unwrap_or(line.unit_price));
        let first = || entry.origin();
        // A name is copied once per product, not once per line.
        if let Some(quotes) = self.0.get_mut(&line.product) {
            quotes.entry(quote).or_insert_with(first);
        } else {
            self.0.insert(line.product.clone(), BTreeMap::from([(quote, first())]));
        }
    }

    /// Takes what another part of the journal quotes. The lower place counts.
    pub(super) fn absorb(&mut self, other: &Self) {
        for (product, quotes) in &other.0 {
            let known = self.0.entry(product.clone()).or_default();
            for (quote, first) in quotes {
                let lowest = known.entry(*quote).or_insert_with(|| first.clone());
                if first.place < lowest.place {
                    *lowest = first.clone();
                }
            }
        }
    }

    /// The quotes that are not what was listed. Listings whose own history is broken judge nobody.
    pub(super) fn wrong(
        &self,
        listed: &BTreeMap<ProductId, Listed>,
        is_broken: impl Fn(&ProductId) -> bool,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (product, quotes) in self.0.iter().filter(|(product, _)| !is_broken(product)) {
            for (quote, first) in quotes {
                let judged = judge(product, *quote, listed.get(product));
                violations.extend(judged.err().map(|found| found.by(first.clone())));
            }
        }
        violations
    }
}

fn judge(
    product: &ProductId,
    (version, quoted): Quote,
    listing: Option<&Listed>,
) -> Result<(), Found> {
    match listing.and_then(|listing| listing.at(version)) {
        Some(price) if price == quoted => Ok(()),
        Some(price) => broken(
            "R14",
            format!(
                "{product} is quoted at {quoted}, version {version} of its listing says {price}"
            ),
        ),
        None => {
            broken("R14", format!("{product} is quoted at version {version}, which is not there"))
        }
    }
}
