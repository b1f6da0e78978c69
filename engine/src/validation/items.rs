//! How many items, how many units, each product once.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::table::Rule;
use crate::cart::{CART_LINES_MAX, LINE_UNITS_MAX};
use crate::order::PlaceOrder;
use crate::planted::{Bug, planted};

pub(super) fn judge(place: &PlaceOrder, found: &mut Vec<Finding>) {
    if place.items.is_empty() {
        found.push(Rule::NoItems.found("items", "the order has no items"));
    }
    if CART_LINES_MAX < place.items.len() {
        let message = format!("{} items, at most {CART_LINES_MAX} allowed", place.items.len());
        found.push(Rule::TooManyItems.found("items", message));
    }
    let mut seen = BTreeSet::new();
    for (index, item) in place.items.iter().enumerate() {
        if item.quantity < 1 || i64::from(LINE_UNITS_MAX) < item.quantity {
            let message = format!("the quantity is not one of 1 to {LINE_UNITS_MAX}");
            let field = format!("items[{index}].quantity");
            found.push(Rule::QuantityOutOfRange.found(field, message));
        }
        if !seen.insert(&item.product) && !planted(Bug::DoubleLine) {
            let message = format!("product {} stands in more than one item", item.product);
            let field = format!("items[{index}].product_id");
            found.push(Rule::DuplicateProduct.found(field, message));
        }
    }
}
