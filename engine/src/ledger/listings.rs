//! What must hold for the histories of listings and carts.

use std::collections::BTreeSet;

use super::prices::Listed;
use super::recent::Requests;
use super::violation::{Found, broken, holds};
use crate::cart::CartEvent;
use crate::catalog::{PICTURES_MAX, ProductEvent};
use crate::values::{MediaName, Money, OrderId, Quantity};

/// A listing: published once, priced in one currency.
#[derive(Debug, Default)]
pub(super) struct ListingBook {
    listed: Listed,
    pictures: BTreeSet<MediaName>,
    requests: Requests,
    is_supplied: bool,
}

impl ListingBook {
    pub(super) const fn listed(&self) -> &Listed {
        &self.listed
    }

    pub(super) fn enter(&mut self, version: u64, event: &ProductEvent) -> Result<(), Found> {
        let currency = self.listed.price().map(Money::currency);
        match event {
            ProductEvent::Published { price, .. } => {
                holds("R12", version == 1, || "the listing was published again".to_owned())?;
                price_is_sound(*price)?;
                self.listed.change(version, *price);
            }
            ProductEvent::Repriced { price } => {
                holds("R5", currency == Some(price.currency()), || {
                    format!("the new price {price} is not in the currency of the listing")
                })?;
                price_is_sound(*price)?;
                self.listed.change(version, *price);
            }
            ProductEvent::Renamed { .. }
            | ProductEvent::StatusChanged { .. }
            | ProductEvent::TermsSet { .. } => {
                is_published(currency.is_some())?;
            }
            ProductEvent::PictureAdded { picture } => {
                is_published(currency.is_some())?;
                let is_new = self.pictures.insert(picture.name.clone());
                holds("R12", is_new && self.pictures.len() <= PICTURES_MAX, || {
                    format!("picture {} is shown already, or is one too many", picture.name)
                })?;
            }
            ProductEvent::PictureRemoved { name } => {
                let was_there = self.pictures.remove(name);
                holds("R12", was_there, || format!("picture {name} was not shown"))?;
            }
            ProductEvent::Answered { request } => {
                is_published(currency.is_some())?;
                self.requests.answer(*request)?;
            }
            ProductEvent::Supplied { by } => {
                // Nobody takes over what the shop or somebody else offers.
                holds("R12", version == 2 && !self.is_supplied, || {
                    format!("{by} supplies what was offered before")
                })?;
                self.is_supplied = true;
            }
        }
        self.listed.reach(version);
        Ok(())
    }
}

fn is_published(published: bool) -> Result<(), Found> {
    holds("R12", published, || "it was never published".to_owned())
}

fn price_is_sound(price: Money) -> Result<(), Found> {
    holds("R5", 0 <= price.minor(), || format!("the price {price} is below zero"))
}

/// A cart: opened once, unchanged while it belongs to an order.
#[derive(Debug, Default)]
pub(super) struct CartBook {
    belongs_to: Option<OrderId>,
    requests: Requests,
}

impl CartBook {
    pub(super) fn enter(&mut self, version: u64, event: &CartEvent) -> Result<(), Found> {
        let opens = matches!(event, CartEvent::Opened { .. });
        holds("R12", opens == (version == 1), || {
            "a cart is opened once, before all else".to_owned()
        })?;
        if let CartEvent::Reopened { order } = event {
            holds("R12", self.belongs_to == Some(*order), || {
                format!("the cart was opened again for order {order}, which did not have it")
            })?;
            self.belongs_to = None;
            return Ok(());
        }
        if let Some(order) = self.belongs_to {
            return broken("R12", format!("the cart changed while it belonged to order {order}"));
        }
        match event {
            CartEvent::LineSet { product, quantity } => {
                holds("R12", Quantity::ZERO < *quantity, || {
                    format!("a line of {product} has no units")
                })
            }
            CartEvent::CheckedOut { order } => {
                self.belongs_to = Some(*order);
                Ok(())
            }
            CartEvent::Answered { request } => self.requests.answer(*request),
            CartEvent::Opened { .. }
            | CartEvent::LineRemoved { .. }
            | CartEvent::Cleared
            | CartEvent::PromoSet { .. }
            | CartEvent::Joined { .. }
            | CartEvent::Took { .. }
            | CartEvent::Reopened { .. } => Ok(()),
        }
    }
}
