//! The rules that an order must keep before any stock is asked for; all findings come together.

use std::collections::BTreeSet;

use super::place::PlaceOrder;
use crate::cart::{CART_LINES_MAX, LINE_UNITS_MAX};
use crate::catalog::ProductStatus;
use crate::planted::{Bug, planted};
use crate::values::PaymentMethod;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The order cannot be placed like this.
    Error,
    /// Worth knowing; does not block (VAL-13).
    Warning,
}

/// One broken rule (VAL-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, as a path into the request, for example `items[0].quantity`.
    pub field: String,
    /// Stable code for machines.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// How bad.
    pub severity: Severity,
    /// What to do about it.
    pub hint: &'static str,
}

fn error(field: String, code: &'static str, message: String, hint: &'static str) -> Finding {
    Finding { field, code, message, severity: Severity::Error, hint }
}

/// Rules about the request alone; no listing is needed.
pub(super) fn shape(place: &PlaceOrder) -> Vec<Finding> {
    let mut found = Vec::new();
    if place.items.is_empty() {
        found.push(error(
            "items".to_owned(),
            "no_items",
            "the order has no items".to_owned(),
            "Add at least one item.",
        ));
    }
    if CART_LINES_MAX < place.items.len() {
        found.push(error(
            "items".to_owned(),
            "too_many_items",
            format!("{} items, at most {CART_LINES_MAX} allowed", place.items.len()),
            "Split the order.",
        ));
    }
    let mut seen = BTreeSet::new();
    for (index, item) in place.items.iter().enumerate() {
        if item.quantity < 1 || i64::from(LINE_UNITS_MAX) < item.quantity {
            found.push(error(
                format!("items[{index}].quantity"),
                "quantity_out_of_range",
                format!("the quantity is not one of 1 to {LINE_UNITS_MAX}"),
                "Choose a quantity from 1 to 100.",
            ));
        }
        if !seen.insert(&item.product) && !planted(Bug::DoubleLine) {
            found.push(error(
                format!("items[{index}].product_id"),
                "duplicate_product",
                format!("product {} stands in more than one item", item.product),
                "Put all units of a product into one item.",
            ));
        }
    }
    payment(place, &mut found);
    found
}

fn payment(place: &PlaceOrder, found: &mut Vec<Finding>) {
    if place.promo_code.is_some() {
        found.push(error(
            "promo_code".to_owned(),
            "unknown_promo_code",
            "the promo code is unknown".to_owned(),
            "Remove the promo code.",
        ));
    }
    let Some(wish) = &place.payment else { return };
    match wish.method {
        PaymentMethod::Card if wish.token.is_none() => found.push(error(
            "payment.token".to_owned(),
            "token_required",
            "card payments need a token".to_owned(),
            "Tokenise the card with the payment provider and send the token.",
        )),
        PaymentMethod::StoreCredit => found.push(error(
            "payment.method".to_owned(),
            "payment_method_unavailable",
            "store credit is not offered".to_owned(),
            "Choose card, cash or cod.",
        )),
        PaymentMethod::Card | PaymentMethod::Cash | PaymentMethod::Cod => {}
    }
}

/// Rules that need the listings.
pub(super) fn catalogue(place: &PlaceOrder) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut currency = None;
    for (index, item) in place.items.iter().enumerate() {
        let Some(listing) = item.listing.as_ref().and_then(Option::as_ref) else {
            found.push(error(
                format!("items[{index}].product_id"),
                "unknown_product",
                format!("product {} does not exist", item.product),
                "Check the product id against the catalogue.",
            ));
            continue;
        };
        if listing.status == ProductStatus::Inactive {
            found.push(error(
                format!("items[{index}].product_id"),
                "product_unavailable",
                format!("product {} cannot be ordered", item.product),
                "Remove the item.",
            ));
        }
        let price = listing.price;
        if let Some(claimed) = item.unit_price
            && claimed != price
            && !place.trusted_price
            && !planted(Bug::AnyPrice)
        {
            found.push(error(
                format!("items[{index}].unit_price"),
                "price_mismatch",
                format!("the price of {} is {}", item.product, price),
                "Leave the price out, or send the present one.",
            ));
        }
        let charged = if place.trusted_price { item.unit_price.unwrap_or(price) } else { price };
        if charged.minor() < 0 {
            found.push(error(
                format!("items[{index}].unit_price"),
                "price_out_of_range",
                "a price below zero makes no sense".to_owned(),
                "Send a price of zero or more.",
            ));
        }
        if *currency.get_or_insert_with(|| charged.currency()) != charged.currency() {
            found.push(error(
                format!("items[{index}]"),
                "mixed_currencies",
                "all items of an order must have one currency".to_owned(),
                "Split the order by currency.",
            ));
        }
    }
    if found.is_empty() && place.amounts().is_err() {
        found.push(error(
            "items".to_owned(),
            "total_out_of_range",
            "the total cannot be represented".to_owned(),
            "Order fewer units.",
        ));
    }
    found
}
