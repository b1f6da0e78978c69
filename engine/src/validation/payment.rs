//! Which methods there are, and which of them has a token.

use super::finding::Finding;
use super::table::Rule;
use crate::order::PlaceOrder;
use crate::values::{PaymentMethod, PaymentToken};

pub(super) fn judge(place: &PlaceOrder, found: &mut Vec<Finding>) {
    let Some(wish) = &place.payment else {
        if place.policy.demands.payment {
            found.push(Rule::PaymentRequired.found("payment", "nobody says how it is paid"));
        }
        return;
    };
    if place.policy.takes.as_ref().is_some_and(|taken| !taken.contains(&wish.method)) {
        let message = "the shop does not take this method";
        found.push(Rule::PaymentMethodUnavailable.found("payment.method", message));
    }
    match (wish.method, &wish.token) {
        (PaymentMethod::Card, None) => {
            found.push(Rule::TokenRequired.found("payment.token", "card payments need a token"));
        }
        (PaymentMethod::Card, Some(token)) if !is_well_formed(token) => {
            let message = "not a token of the payment provider";
            found.push(Rule::TokenMalformed.found("payment.token", message));
        }
        (PaymentMethod::Card, Some(_))
        | (PaymentMethod::Cash | PaymentMethod::Cod | PaymentMethod::StoreCredit, None) => {}
        (PaymentMethod::Cash | PaymentMethod::Cod | PaymentMethod::StoreCredit, Some(_)) => {
            let message = "a payment without a card has no token";
            found.push(Rule::TokenUnexpected.found("payment.token", message));
        }
    }
    if wish.method == PaymentMethod::Cod && place.personal.shipping_address.is_none() {
        let message = "it is paid on delivery, and nobody says where";
        found.push(Rule::AddressAdvised.found("shipping_address", message));
    }
}

/// Printable, and something at all. What it says is the provider's business.
fn is_well_formed(token: &PaymentToken) -> bool {
    let text = token.expose();
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}
