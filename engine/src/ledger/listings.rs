//! What must hold for the histories of listings and carts.

use super::violation::{Found, broken, holds};
use crate::cart::CartEvent;
use crate::catalog::ProductEvent;
use crate::values::{Currency, Money, OrderId, Quantity};

/// A listing: published once, priced in one currency.
#[derive(Debug, Default)]
pub(super) struct ListingBook {
    currency: Option<Currency>,
}

impl ListingBook {
    pub(super) fn enter(&mut self, version: u64, event: &ProductEvent) -> Result<(), Found> {
        match event {
            ProductEvent::Published { price, .. } => {
                holds("R12", version == 1, || "the listing was published again".to_owned())?;
                self.currency = Some(price.currency());
                price_is_sound(*price)
            }
            ProductEvent::Repriced { price } => {
                holds("R5", self.currency == Some(price.currency()), || {
                    format!("the new price {price} is not in the currency of the listing")
                })?;
                price_is_sound(*price)
            }
            ProductEvent::Renamed { .. }
            | ProductEvent::StatusChanged { .. }
            | ProductEvent::Answered { .. } => {
                holds("R12", self.currency.is_some(), || "it was never published".to_owned())
            }
        }
    }
}

fn price_is_sound(price: Money) -> Result<(), Found> {
    holds("R5", 0 <= price.minor(), || format!("the price {price} is below zero"))
}

/// A cart: opened once, unchanged while it belongs to an order.
#[derive(Debug, Default)]
pub(super) struct CartBook {
    belongs_to: Option<OrderId>,
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
            CartEvent::Opened { .. }
            | CartEvent::LineRemoved { .. }
            | CartEvent::Cleared
            | CartEvent::Reopened { .. }
            | CartEvent::Answered { .. } => Ok(()),
        }
    }
}
