//! The rules that an order must keep before any stock is asked for.

use super::*;
use crate::cart::{CART_LINES_MAX, LINE_UNITS_MAX};
use crate::catalog::ProductStatus;
use crate::order::{OrderState, Severity};
use crate::values::{Currency, Money};

/// `field: code` of every finding.
fn found(command: &OrderCommand) -> Vec<String> {
    match Order::decide(&OrderState::default(), command, seconds(0)) {
        Err(OrderRefusal::Invalid(findings)) => {
            for finding in &findings {
                assert_eq!(finding.severity, Severity::Error);
                assert!(!finding.message.is_empty() && finding.hint.ends_with('.'), "{finding:?}");
            }
            findings.iter().map(|found| format!("{}: {}", found.field, found.code)).collect()
        }
        other => panic!("not refused by a rule: {other:?}"),
    }
}

fn broken_by(wish: PlaceOrder) -> Vec<String> {
    found(&answered(wish, all_granted))
}

/// The wish for one laptop, with this listing in the catalogue.
fn broken_with(listing: Listing, change: impl Fn(&mut PlaceOrder)) -> Vec<String> {
    let mut wish = wish_for(Some(card()), &[("laptop", 1)]);
    wish.items[0].listing = Some(Some(listing));
    change(&mut wish);
    broken_by(wish)
}

#[test]
fn an_order_has_items() {
    assert_eq!(broken_by(wish_for(Some(card()), &[])), ["items: no_items"]);
}

#[test]
fn an_order_has_a_limited_number_of_items() {
    let names: Vec<String> = (0..=CART_LINES_MAX).map(|number| format!("p{number}")).collect();
    let items: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    assert_eq!(broken_by(wish_for(Some(card()), &items)), ["items: too_many_items"]);
    let fits = wish_for(Some(card()), &items[1..]);
    assert!(!broken_by(fits).contains(&"items: too_many_items".to_owned()));
}

#[test]
fn a_quantity_is_between_one_and_the_limit() {
    let most = i64::from(LINE_UNITS_MAX);
    for bad in [0, -1, most.saturating_add(1), i64::MAX, i64::MIN] {
        let codes = broken_by(wish_for(Some(card()), &[("laptop", bad)]));
        assert_eq!(codes, ["items[0].quantity: quantity_out_of_range"]);
    }
    for good in [1, most] {
        let command = answered(wish_for(Some(card()), &[("laptop", good)]), all_granted);
        assert!(Order::decide(&OrderState::default(), &command, seconds(0)).is_ok());
    }
}

#[test]
fn a_product_stands_in_one_item_only() {
    let codes = broken_by(wish_for(Some(card()), &[("laptop", 1), ("mouse", 1), ("laptop", 2)]));
    assert_eq!(codes, ["items[2].product_id: duplicate_product"]);
}

#[test]
fn a_promo_code_must_be_known() {
    let mut wish = wish();
    wish.promo_code = Some("SAVE10".to_owned());
    assert_eq!(broken_by(wish), ["promo_code: unknown_promo_code"]);
}

#[test]
fn a_card_payment_needs_a_token() {
    let wish = wish_for(Some(Wish { method: PaymentMethod::Card, token: None }), &[("laptop", 1)]);
    assert_eq!(broken_by(wish), ["payment.token: token_required"]);
}

#[test]
fn store_credit_is_not_offered() {
    let credit = Some(Wish { method: PaymentMethod::StoreCredit, token: None });
    let codes = broken_by(wish_for(credit, &[("laptop", 1)]));
    assert_eq!(codes, ["payment.method: payment_method_unavailable"]);
}

#[test]
fn all_broken_rules_are_told_at_once() {
    let mut wish = wish_for(None, &[("laptop", 0), ("laptop", 101)]);
    wish.promo_code = Some("SAVE10".to_owned());
    assert_eq!(
        broken_by(wish),
        [
            "items[0].quantity: quantity_out_of_range",
            "items[1].quantity: quantity_out_of_range",
            "items[1].product_id: duplicate_product",
            "promo_code: unknown_promo_code",
        ]
    );
}

#[test]
fn an_unknown_product_cannot_be_ordered_even_at_a_trusted_price() {
    let mut wish = wish_for(Some(card()), &[("laptop", 1), ("unicorn", 1)]);
    wish.trusted_price = true;
    wish.items[1].unit_price = Some(usd(1));
    assert_eq!(broken_by(wish), ["items[1].product_id: unknown_product"]);
}

#[test]
fn an_inactive_product_cannot_be_ordered() {
    let inactive = Listing { status: ProductStatus::Inactive, ..listing("laptop", usd(99_999)) };
    assert_eq!(broken_with(inactive, |_| {}), ["items[0].product_id: product_unavailable"]);
}

#[test]
fn a_claimed_price_must_be_the_listed_one() {
    let claims = |price: Money| move |wish: &mut PlaceOrder| wish.items[0].unit_price = Some(price);
    let listed = || listing("laptop", usd(99_999));
    let mismatch = ["items[0].unit_price: price_mismatch"];
    assert_eq!(broken_with(listed(), claims(usd(1))), mismatch);
    assert_eq!(broken_with(listed(), claims(Money::new(99_999, Currency::EUR))), mismatch);
}

#[test]
fn a_right_claim_is_accepted() {
    let mut wish = wish();
    wish.items[0].unit_price = Some(usd(99_999));
    given::<Order>(&[]).when(answered(wish, all_granted)).then(&[placed_by_card()]);
}

#[test]
fn not_even_a_trusted_price_is_below_zero() {
    let codes = broken_with(listing("laptop", usd(99_999)), |wish| {
        wish.trusted_price = true;
        wish.items[0].unit_price = Some(usd(-1));
    });
    assert_eq!(codes, ["items[0].unit_price: price_out_of_range"]);
}

#[test]
fn an_order_has_one_currency() {
    let mut wish = wish_for(Some(card()), &[("laptop", 1), ("mouse", 1)]);
    wish.items[1].listing = Some(Some(listing("mouse", Money::new(1, Currency::EUR))));
    assert_eq!(broken_by(wish), ["items[1]: mixed_currencies"]);
}

#[test]
fn a_total_must_be_countable() {
    let dear = || listing("laptop", usd(i64::MAX));
    let codes = broken_with(dear(), |wish| wish.items[0].quantity = 2);
    assert_eq!(codes, ["items: total_out_of_range"]);
    let mut two = wish_for(Some(card()), &[("laptop", 1), ("mouse", 1)]);
    two.items[0].listing = Some(Some(dear()));
    assert_eq!(broken_by(two), ["items: total_out_of_range"]);
}
