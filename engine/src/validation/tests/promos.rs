//! What a promo code tells: whether it can be used now, and for these goods.

use super::*;
use crate::promo::{NewPromo, OpenPromo, Rebate};
use crate::samples::seconds;
use crate::values::{Currency, Money, PromoCode};

fn tenth() -> NewPromo {
    NewPromo {
        code: PromoCode::parse("SPRING").unwrap(),
        rebate: Rebate::PercentBps(1_000),
        minimum: None,
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_customer: None,
    }
}

/// What is found about two mice at 25.50 under a code, a minute after the epoch.
fn judged(made: NewPromo, is_active: bool) -> Vec<String> {
    let mut place = wish(None, &[("mouse", 2)]);
    let mut wished = WishedPromo::new("SPRING");
    let (created_at, updated_at) = (seconds(0), seconds(0));
    let open = OpenPromo { made, is_active, created_at, updated_at, version: 1 };
    wished.found = Some(Some(Arc::new(open)));
    place.promo = Some(wished);
    let found = promo(&place, seconds(60));
    found.iter().map(|finding| format!("{}: {}", finding.field, finding.code())).collect()
}

#[test]
fn a_code_without_conditions_can_be_used_until_it_is_ended_val_9() {
    assert_eq!(judged(tenth(), true), [""; 0]);
    assert_eq!(judged(tenth(), false), ["promo_code: promo_ended"]);
}

#[test]
fn a_code_holds_inside_of_its_time_only_price_6() {
    let between = |from, to| NewPromo { starts_at: Some(from), ends_at: Some(to), ..tenth() };
    assert_eq!(judged(between(seconds(60), seconds(61)), true), [""; 0]);
    assert_eq!(
        judged(between(seconds(61), seconds(62)), true),
        ["promo_code: promo_not_yet_valid"]
    );
    assert_eq!(judged(between(seconds(59), seconds(60)), true), ["promo_code: promo_expired"]);
}

#[test]
fn the_goods_have_to_cost_what_the_code_asks_for_price_6() {
    let from = |minor| NewPromo { minimum: Some(usd(minor)), ..tenth() };
    assert_eq!(judged(from(5_100), true), [""; 0]);
    assert_eq!(judged(from(5_101), true), ["promo_code: promo_minimum_not_reached"]);
}

#[test]
fn a_code_is_for_one_currency_where_it_names_an_amount_price_6() {
    let euros = Money::new(1, Currency::EUR);
    for made in [
        NewPromo { minimum: Some(euros), ..tenth() },
        NewPromo { rebate: Rebate::Amount(euros), ..tenth() },
    ] {
        assert_eq!(judged(made, true), ["promo_code: promo_other_currency"]);
    }
}
