//! The rules of an order, one by one; each test names the requirement that its rule meets.

mod catalogue;
mod delivery;
mod promos;
mod table;
mod texts;

use std::sync::Arc;

use super::*;
use crate::cart::{CART_LINES_MAX, LINE_UNITS_MAX};
use crate::catalog::Listing;
use crate::order::{HOLD_FIRST, PlaceOrder, Wish, WishedItem, WishedPromo};
use crate::samples::{ORDER, customer, listing, product, usd};
use crate::values::{Fingerprint, Moment, PaymentMethod, PaymentToken, PostalAddress};

/// What the shelf of the tests offers.
fn shelf(name: &str) -> Option<Listing> {
    match name {
        "laptop" => Some(listing("laptop", usd(99_999))),
        "mouse" => Some(listing("mouse", usd(2_550))),
        _ => None,
    }
}

/// A wish for these items, each looked up.
fn wish(payment: Option<Wish>, items: &[(&str, i64)]) -> PlaceOrder {
    let item = |(name, count): &(&str, i64)| {
        let mut item = WishedItem::new(product(name), *count, None);
        item.listing = Some(shelf(name));
        item
    };
    PlaceOrder {
        order: ORDER,
        customer: customer("alice"),
        channel: "web".to_owned(),
        items: items.iter().map(item).collect(),
        payment,
        cart: None,
        promo: None,
        personal: crate::order::Personal::default(),
        trusted_price: false,
        policy: Arc::default(),
        vetting: crate::fraud::Vetting::default(),
        fingerprint: Fingerprint::from_bytes([7; 16]),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

/// A promo code that was looked up and is not there.
fn unknown_promo() -> WishedPromo {
    let mut promo = WishedPromo::new("SAVE10");
    promo.found = Some(None);
    promo
}

/// One laptop, and nothing said about anything else.
fn plain() -> PlaceOrder {
    wish(None, &[("laptop", 1)])
}

fn pays(method: PaymentMethod, token: Option<&str>) -> Wish {
    Wish { method, token: token.map(PaymentToken::new) }
}

fn card() -> Wish {
    pays(PaymentMethod::Card, Some("tok_ok"))
}

/// An address with which nothing is wrong.
fn address() -> PostalAddress {
    PostalAddress {
        name: "Juan dela Cruz".to_owned(),
        lines: vec!["12 Mabini St".to_owned()],
        city: "Makati".to_owned(),
        postal_code: Some("1200".to_owned()),
        country: "PH".to_owned(),
        phone: Some("+639171234567".to_owned()),
    }
}

/// A plain order that goes to `address`.
fn goes_to(address: PostalAddress) -> PlaceOrder {
    let mut place = plain();
    place.personal.shipping_address = Some(address);
    place
}

fn with(mut place: PlaceOrder, policy: Policy) -> PlaceOrder {
    place.policy = Arc::new(policy);
    place
}

fn philippine() -> Policy {
    Policy { region: Region::Philippines, ..Policy::default() }
}

/// `field: code` of every finding, after a look at each whether it can be told to people.
fn found(place: &PlaceOrder) -> Vec<String> {
    let mut found = request(place);
    found.extend(listings(place, Moment::default()));
    found.extend(promo(place, Moment::default()));
    for finding in &found {
        assert!(!finding.message.is_empty() && finding.hint().ends_with('.'), "{finding:?}");
    }
    found.iter().map(|finding| format!("{}: {}", finding.field, finding.code())).collect()
}

#[test]
fn a_plain_order_breaks_no_rule_whoever_sells_c_41() {
    for policy in [Policy::default(), philippine()] {
        assert_eq!(found(&with(plain(), policy.clone())), [""; 0]);
        assert_eq!(found(&with(goes_to(address()), policy)), [""; 0]);
    }
}

#[test]
fn an_order_has_items_val_11() {
    assert_eq!(found(&wish(Some(card()), &[])), ["items: no_items"]);
}

#[test]
fn an_order_has_at_most_fifty_items_ord_17() {
    let names: Vec<String> = (0..=CART_LINES_MAX).map(|number| format!("p{number}")).collect();
    let items: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    assert!(found(&wish(Some(card()), &items)).contains(&"items: too_many_items".to_owned()));
    assert!(!found(&wish(Some(card()), &items[1..])).contains(&"items: too_many_items".to_owned()));
    assert_eq!(CART_LINES_MAX, 50);
}

#[test]
fn a_quantity_is_between_one_and_a_hundred_ord_17() {
    let most = i64::from(LINE_UNITS_MAX);
    for bad in [0, -1, most.saturating_add(1), i64::MAX, i64::MIN] {
        let codes = found(&wish(Some(card()), &[("laptop", bad)]));
        assert_eq!(codes, ["items[0].quantity: quantity_out_of_range"]);
    }
    for good in [1, most] {
        assert_eq!(found(&wish(Some(card()), &[("laptop", good)])), [""; 0]);
    }
    assert_eq!(most, 100);
}

#[test]
fn a_product_stands_in_one_item_only_val_11() {
    let codes = found(&wish(Some(card()), &[("laptop", 1), ("mouse", 1), ("laptop", 2)]));
    assert_eq!(codes, ["items[2].product_id: duplicate_product"]);
}

#[test]
fn a_shop_may_demand_to_know_how_it_is_paid_val_6() {
    let demands = Demands { payment: true, ..Demands::default() };
    let demanding = || Policy { demands, ..Policy::default() };
    assert_eq!(found(&with(plain(), demanding())), ["payment: payment_required"]);
    let codes = found(&with(wish(Some(card()), &[("laptop", 1)]), demanding()));
    assert_eq!(codes, [""; 0]);
}

#[test]
fn a_card_payment_needs_a_token_val_6() {
    let place = wish(Some(pays(PaymentMethod::Card, None)), &[("laptop", 1)]);
    assert_eq!(found(&place), ["payment.token: token_required"]);
}

#[test]
fn only_a_card_payment_has_a_token_val_6() {
    for method in [PaymentMethod::Cash, PaymentMethod::Cod] {
        let mut place = wish(Some(pays(method, Some("tok_ok"))), &[("laptop", 1)]);
        place.personal.shipping_address = Some(address());
        assert_eq!(found(&place), ["payment.token: token_unexpected"]);
    }
}

#[test]
fn a_token_is_printable_and_not_empty_val_6() {
    for bad in ["", "tok\n", "tök"] {
        let place = wish(Some(pays(PaymentMethod::Card, Some(bad))), &[("laptop", 1)]);
        assert_eq!(found(&place), ["payment.token: token_malformed"]);
    }
}

#[test]
fn a_method_that_the_shop_does_not_take_is_told_val_6() {
    let mut place = wish(Some(pays(PaymentMethod::StoreCredit, None)), &[("laptop", 1)]);
    assert_eq!(found(&place), [""; 0]);
    let takes = Some([PaymentMethod::Card].into());
    place.policy = Arc::new(Policy { takes, ..Policy::default() });
    assert_eq!(found(&place), ["payment.method: payment_method_unavailable"]);
}

#[test]
fn an_order_that_credit_cannot_pay_is_told_before_anything_is_held_val_6() {
    let pays = Some(pays(PaymentMethod::StoreCredit, None));
    let mut place = wish(pays, &[("laptop", 100)]);
    let listing = crate::samples::listing("laptop", crate::samples::usd(42_949_673));
    place.items[0].listing = Some(Some(listing));
    let listed = super::listings(&place, crate::values::Moment::default());
    let codes: Vec<_> = listed.iter().map(super::Finding::code).collect();
    assert_eq!(codes, ["total_out_of_range"]);
}

#[test]
fn all_broken_rules_are_told_at_once_val_12() {
    let mut place = wish(Some(card()), &[("laptop", 0), ("laptop", 101), ("unicorn", 1)]);
    place.promo = Some(unknown_promo());
    place.personal.email = Some("nobody".to_owned());
    assert_eq!(
        found(&place),
        [
            "items[0].quantity: quantity_out_of_range",
            "items[1].quantity: quantity_out_of_range",
            "items[1].product_id: duplicate_product",
            "email: email_malformed",
            "items[2].product_id: unknown_product",
            "promo_code: unknown_promo_code",
        ]
    );
}
