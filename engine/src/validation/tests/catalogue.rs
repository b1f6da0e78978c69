//! What the listings tell: existence, status, price, currency, total.

use std::sync::Arc;

use super::*;
use crate::catalog::{FlashSale, ProductStatus, Terms};
use crate::values::{Currency, Money};

/// One laptop, with this listing in the catalogue.
fn listed(listing: Listing, change: impl Fn(&mut PlaceOrder)) -> Vec<String> {
    let mut place = wish(Some(card()), &[("laptop", 1)]);
    place.items[0].listing = Some(Some(listing));
    change(&mut place);
    found(&place)
}

#[test]
fn an_unknown_product_cannot_be_ordered_even_at_a_trusted_price_val_3() {
    let mut place = wish(Some(card()), &[("laptop", 1), ("unicorn", 1)]);
    place.trusted_price = true;
    place.items[1].unit_price = Some(usd(1));
    assert_eq!(found(&place), ["items[1].product_id: unknown_product"]);
}

#[test]
fn an_inactive_product_cannot_be_ordered_val_3() {
    let inactive = Listing { status: ProductStatus::Inactive, ..listing("laptop", usd(99_999)) };
    assert_eq!(listed(inactive, |_| {}), ["items[0].product_id: product_unavailable"]);
}

#[test]
fn an_archived_product_cannot_be_ordered_cat_4() {
    let archived = Listing { status: ProductStatus::Archived, ..listing("laptop", usd(99_999)) };
    assert_eq!(listed(archived, |_| {}), ["items[0].product_id: product_unavailable"]);
}

#[test]
fn during_a_flash_sale_its_price_is_the_right_one_flash_7() {
    let (starts_at, ends_at) = (Moment::default(), Moment::from_unix_micros(1));
    let flash_sale = Some(FlashSale { price: usd(79_999), starts_at, ends_at });
    let terms = Some(Arc::new(Terms { flash_sale, ..Terms::default() }));
    let laptop = || Listing { terms: terms.clone(), ..listing("laptop", usd(99_999)) };
    let claims = |minor| move |place: &mut PlaceOrder| place.items[0].unit_price = Some(usd(minor));
    assert_eq!(listed(laptop(), claims(79_999)), [""; 0]);
    assert_eq!(listed(laptop(), claims(99_999)), ["items[0].unit_price: price_mismatch"]);
}

#[test]
fn a_claimed_price_must_be_the_listed_one_val_5() {
    let claims =
        |price: Money| move |place: &mut PlaceOrder| place.items[0].unit_price = Some(price);
    let laptop = || listing("laptop", usd(99_999));
    let mismatch = ["items[0].unit_price: price_mismatch"];
    assert_eq!(listed(laptop(), claims(usd(1))), mismatch);
    assert_eq!(listed(laptop(), claims(Money::new(99_999, Currency::EUR))), mismatch);
    assert_eq!(listed(laptop(), claims(usd(99_999))), [""; 0]);
}

#[test]
fn not_even_a_trusted_price_is_below_zero_val_5() {
    let codes = listed(listing("laptop", usd(99_999)), |place| {
        place.trusted_price = true;
        place.items[0].unit_price = Some(usd(-1));
    });
    assert_eq!(codes, ["items[0].unit_price: price_out_of_range"]);
}

#[test]
fn an_order_has_one_currency_val_5() {
    let mut place = wish(Some(card()), &[("laptop", 1), ("mouse", 1)]);
    place.items[1].listing = Some(Some(listing("mouse", Money::new(1, Currency::EUR))));
    assert_eq!(found(&place), ["items[1]: mixed_currencies"]);
}

#[test]
fn a_total_must_be_countable_val_5() {
    let dear = || listing("laptop", usd(i64::MAX));
    let codes = listed(dear(), |place| place.items[0].quantity = 2);
    assert_eq!(codes, ["items: total_out_of_range"]);
    let mut two = wish(Some(card()), &[("laptop", 1), ("mouse", 1)]);
    two.items[0].listing = Some(Some(dear()));
    assert_eq!(found(&two), ["items: total_out_of_range"]);
}

#[test]
fn what_was_not_looked_up_is_not_judged() {
    let mut place = wish(Some(card()), &[("laptop", 1), ("unicorn", 1)]);
    place.items[1].listing = None;
    assert_eq!(found(&place), [""; 0]);
}
