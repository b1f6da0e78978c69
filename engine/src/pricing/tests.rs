//! What products cost, rule by rule.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Basis, LineQuote, line, steps, unit_price};
use crate::catalog::{Discount, FlashSale, Listing, Terms};
use crate::samples::{listing, seconds, units, usd};
use crate::values::{Currency, Moment, Money, MoneyError};

fn on(terms: Terms, minor: i64) -> Listing {
    Listing { terms: Some(Arc::new(terms)), ..listing("mouse", usd(minor)) }
}

fn quoted(listing: &Listing, count: u32, at: Moment) -> LineQuote {
    line(listing, units(count), None, at, None).unwrap()
}

/// Subtotal, discount, shipping, duties, tax, total.
fn parts(line: &LineQuote) -> [i64; 6] {
    let amounts = &line.amounts;
    [
        amounts.subtotal,
        amounts.discount,
        amounts.shipping,
        amounts.duties,
        amounts.tax,
        amounts.total,
    ]
    .map(Money::minor)
}

fn sale() -> FlashSale {
    FlashSale { price: usd(700), starts_at: seconds(60), ends_at: seconds(120) }
}

#[test]
fn without_terms_the_price_is_all_there_is_price_8() {
    let laptop = quoted(&listing("laptop", usd(99_999)), 1, seconds(0));
    let mice = quoted(&listing("mouse", usd(2_550)), 2, seconds(0));
    assert_eq!(parts(&mice), [5_100, 0, 0, 0, 0, 5_100]);
    assert_eq!(laptop.amounts.checked_add(&mice.amounts).unwrap().total, usd(105_099));
}

#[test]
fn discount_shipping_duty_and_tax_make_the_total_price_1_2_3() {
    let terms = Terms {
        discount: Some(Discount::PercentBps(1_000)),
        shipping_fee: Some(usd(250)),
        duty_bps: 500,
        tax_bps: 2_000,
        flash_sale: None,
    };
    // 2,000 − 200 = 1,800; + 500; 5 % of 1,800 = 90; 20 % of 2,390 = 478.
    let line = quoted(&on(terms, 1_000), 2, seconds(0));
    assert_eq!(parts(&line), [2_000, 200, 500, 90, 478, 2_868]);
    let told: Vec<_> = steps(&line).iter().map(|step| (step.code, step.amount.minor())).collect();
    let expected = [
        ("listed_price", 2_000),
        ("discount", -200),
        ("shipping_fee", 500),
        ("import_duty", 90),
        ("tax", 478),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_discount_is_never_more_than_the_line() {
    let terms = Terms { discount: Some(Discount::Amount(usd(1_500))), ..Terms::default() };
    assert_eq!(parts(&quoted(&on(terms, 1_000), 3, seconds(0))), [3_000, 3_000, 0, 0, 0, 0]);
}

#[test]
fn a_half_is_rounded_to_the_even_unit() {
    for (minor, share) in [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2)] {
        assert_eq!(usd(minor).share(5_000).unwrap(), usd(share), "half of {minor}");
    }
    assert_eq!(usd(i64::MAX).share(10_000).unwrap(), usd(i64::MAX));
    assert_eq!(usd(i64::MAX).share(20_000), Err(MoneyError::OutOfRange));
}

#[test]
fn a_flash_price_holds_inside_of_its_window_only_price_7() {
    let mouse = on(Terms { flash_sale: Some(sale()), ..Terms::default() }, 1_000);
    let almost = |count: i64| Moment::from_unix_micros(count * 1_000_000 - 1);
    for (at, price, basis) in [
        (almost(60), 1_000, Basis::Listed),
        (seconds(60), 700, Basis::FlashSale),
        (almost(120), 700, Basis::FlashSale),
        (seconds(120), 1_000, Basis::Listed),
    ] {
        assert_eq!(unit_price(&mouse, None, at), (usd(price), basis), "{at:?}");
    }
}

#[test]
fn nothing_is_taken_off_a_flash_price() {
    let discount = Some(Discount::PercentBps(5_000));
    let mouse = on(Terms { discount, flash_sale: Some(sale()), ..Terms::default() }, 1_000);
    assert_eq!(parts(&quoted(&mouse, 1, seconds(60))), [700, 0, 0, 0, 0, 700]);
    assert_eq!(parts(&quoted(&mouse, 1, seconds(0))), [1_000, 500, 0, 0, 0, 500]);
}

#[test]
fn a_price_of_ones_own_replaces_that_of_the_unit_and_nothing_else() {
    let terms = Terms { tax_bps: 1_000, flash_sale: Some(sale()), ..Terms::default() };
    let line = line(&on(terms, 1_000), units(2), Some(usd(50)), seconds(60), None).unwrap();
    assert_eq!((line.basis, parts(&line)), (Basis::Own, [100, 0, 0, 0, 10, 110]));
}

#[test]
fn parts_in_two_currencies_have_no_total() {
    let mouse = on(Terms { shipping_fee: Some(usd(1)), ..Terms::default() }, 1_000);
    let own = Some(Money::new(50, Currency::EUR));
    assert_eq!(line(&mouse, units(1), own, seconds(0), None), Err(MoneyError::CurrencyMismatch));
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let money = || (0_i64..300_000).prop_map(usd);
    let discount = prop_oneof![
        (0_u32..=10_000).prop_map(Discount::PercentBps),
        money().prop_map(Discount::Amount),
    ];
    let flash = money().prop_map(|price| FlashSale { price, ..sale() });
    let rates = (0_u32..=10_000, 0_u32..=10_000);
    (prop::option::of(discount), prop::option::of(money()), rates, prop::option::of(flash))
        .prop_map(|(discount, shipping_fee, (duty_bps, tax_bps), flash_sale)| Terms {
            discount,
            shipping_fee,
            duty_bps,
            tax_bps,
            flash_sale,
        })
}

proptest! {
    #[test]
    fn the_parts_of_a_line_make_its_total_and_none_is_below_zero_price_4(
        terms in any_terms(), minor in 0_i64..300_000, count in 1_u32..=100, second in 0_i64..180,
    ) {
        let line = quoted(&on(terms, minor), count, seconds(second));
        let [subtotal, discount, shipping, duties, tax, total] = parts(&line);
        prop_assert_eq!(Some(subtotal), line.unit_price.minor().checked_mul(i64::from(count)));
        let put_on: i64 = [subtotal, shipping, duties, tax].iter().sum();
        prop_assert_eq!(Some(put_on), total.checked_add(discount));
        prop_assert!([discount, shipping, duties, tax, total].iter().all(|part| 0 <= *part));
        prop_assert!(discount <= subtotal);
        prop_assert_eq!(steps(&line).iter().map(|step| step.amount.minor()).sum::<i64>(), total);
    }
}
