//! What only the catalogue can tell: whether a product can be ordered, and what it costs.

use super::finding::Finding;
use super::table::Rule;
use crate::catalog::{Listing, ProductStatus};
use crate::order::{PlaceOrder, WishedItem};
use crate::planted::{Bug, planted};
use crate::pricing;
use crate::values::{Currency, Moment, PaymentMethod};

/// Judges what the listings say about the items; those that were not looked up are left out.
pub fn listings(place: &PlaceOrder, now: Moment) -> Vec<Finding> {
    let at = place.priced_at(now);
    let mut found = Vec::new();
    let mut currency = None;
    for (index, item) in place.items.iter().enumerate() {
        match &item.listing {
            None => {}
            Some(None) => {
                let message = format!("product {} does not exist", item.product);
                let field = format!("items[{index}].product_id");
                found.push(Rule::UnknownProduct.found(field, message));
            }
            Some(Some(listing)) => {
                listed(place, index, item, (listing, at), &mut found);
                same_currency(place, index, item, listing, &mut currency, &mut found);
            }
        }
    }
    let is_whole = place.items.iter().all(|item| item.listing.is_some());
    if found.is_empty() && is_whole && !place.items.is_empty() {
        let total = place.amounts(now).map(|amounts| amounts.total);
        let by_credit =
            place.payment.as_ref().is_some_and(|wish| wish.method == PaymentMethod::StoreCredit);
        if total.is_err() {
            found.push(Rule::TotalOutOfRange.found("items", "the total cannot be represented"));
        } else if by_credit && total.is_ok_and(|total| total.as_units().is_none()) {
            let message = "the total is more than store credit can be";
            found.push(Rule::TotalOutOfRange.found("items", message));
        }
    }
    found
}

fn listed(
    place: &PlaceOrder,
    index: usize,
    item: &WishedItem,
    (listing, at): (&Listing, Moment),
    found: &mut Vec<Finding>,
) {
    if listing.status != ProductStatus::Active {
        let message = format!("product {} cannot be ordered", item.product);
        found.push(Rule::ProductUnavailable.found(format!("items[{index}].product_id"), message));
    }
    let Some(claimed) = item.unit_price else { return };
    let field = || format!("items[{index}].unit_price");
    let (price, _) = pricing::unit_price(listing, None, at);
    if claimed != price && !place.trusted_price && !planted(Bug::AnyPrice) {
        let message = format!("the price of {} is {price}", item.product);
        found.push(Rule::PriceMismatch.found(field(), message));
    }
    if place.trusted_price && claimed.minor() < 0 {
        let message = "a price below zero makes no sense";
        found.push(Rule::PriceOutOfRange.found(field(), message));
    }
}

fn same_currency(
    place: &PlaceOrder,
    index: usize,
    item: &WishedItem,
    listing: &Listing,
    currency: &mut Option<Currency>,
    found: &mut Vec<Finding>,
) {
    let claimed = item.unit_price.filter(|_| place.trusted_price);
    let charged = claimed.unwrap_or(listing.price).currency();
    if *currency.get_or_insert(charged) != charged {
        let message = "all items of an order must have one currency";
        found.push(Rule::MixedCurrencies.found(format!("items[{index}]"), message));
    }
}
