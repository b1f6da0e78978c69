//! What promo codes take off, rule by rule.

use proptest::prelude::*;

use super::{NewPromo, Promo, PromoCommand, PromoEvent, PromoRefusal, Rebate, USES_UNLIMITED};
use crate::aggregate::Aggregate;
use crate::samples::{seconds, usd};
use crate::testkit::given;
use crate::values::{Currency, Money, MoneyError, ProductId, PromoCode};

fn code(text: &str) -> PromoCode {
    PromoCode::parse(text).unwrap()
}

fn tenth() -> NewPromo {
    NewPromo {
        code: code("SPRING"),
        rebate: Rebate::PercentBps(1_000),
        minimum: None,
        starts_at: None,
        ends_at: None,
        uses_max: Some(3),
        uses_per_customer: None,
    }
}

fn create(new: NewPromo) -> PromoCommand {
    PromoCommand::Create(Box::new(new))
}

fn created() -> PromoEvent {
    PromoEvent::Created(Box::new(tenth()))
}

#[test]
fn a_code_is_made_once_and_says_the_same_for_ever_promo_1() {
    given::<Promo>(&[]).when(create(tenth())).then(&[created()]);
    given::<Promo>(&[created()]).when(create(tenth())).then(&[]);
    let other = NewPromo { uses_max: None, ..tenth() };
    given::<Promo>(&[created()]).when(create(other)).then_refused(PromoRefusal::Exists);
}

#[test]
fn a_code_is_ended_once_and_never_made_again() {
    given::<Promo>(&[]).when(PromoCommand::End).then_refused(PromoRefusal::Unknown);
    let ended = [created(), PromoEvent::Ended];
    given::<Promo>(&[created()]).when(PromoCommand::End).then(&[PromoEvent::Ended]);
    given::<Promo>(&ended).when(PromoCommand::End).then(&[]);
    let state = given::<Promo>(&ended);
    let view = Promo::view(state.state()).unwrap();
    assert_eq!((view.status(), view.version), ("ended", 2));
    state.when(create(tenth())).then(&[]);
}

#[test]
fn a_code_that_no_sale_can_be_made_with_is_refused() {
    let amount = |minor| Rebate::Amount(usd(minor));
    for (field, new) in [
        ("rebate", NewPromo { rebate: Rebate::PercentBps(0), ..tenth() }),
        ("rebate", NewPromo { rebate: Rebate::PercentBps(10_001), ..tenth() }),
        ("rebate", NewPromo { rebate: amount(0), ..tenth() }),
        ("rebate", NewPromo { rebate: amount(-1), ..tenth() }),
        ("minimum", NewPromo { minimum: Some(usd(-1)), ..tenth() }),
        (
            "ends_at",
            NewPromo { starts_at: Some(seconds(60)), ends_at: Some(seconds(60)), ..tenth() },
        ),
        ("uses_max", NewPromo { uses_max: Some(0), ..tenth() }),
        ("uses_max", NewPromo { uses_max: Some(USES_UNLIMITED + 1), ..tenth() }),
        ("uses_per_customer", NewPromo { uses_per_customer: Some(0), ..tenth() }),
    ] {
        given::<Promo>(&[]).when(create(new)).then_refused(PromoRefusal::Unsound(field));
    }
}

#[test]
fn small_letters_are_read_as_capitals_and_other_texts_are_no_codes() {
    assert_eq!(code("spring-10_x").as_str(), "SPRING-10_X");
    for bad in ["", "a b", "a/b", "grüße", &"x".repeat(33)] {
        assert!(PromoCode::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_stock_of_uses_has_a_name_that_no_product_can_have() {
    let uses = code("SPRING").uses();
    assert!(ProductId::parse(uses.as_str()).is_err());
    assert_eq!(ProductId::of_stock(uses.as_str()), Ok(uses));
    assert_eq!(ProductId::of_stock("mouse"), ProductId::parse("mouse"));
    assert!(ProductId::of_stock("promo/").is_err());
}

#[test]
fn a_share_is_spread_so_that_nothing_is_lost_to_rounding_promo_2() {
    let shares = Rebate::PercentBps(3_333).spread(&[usd(100), usd(100), usd(100)]).unwrap();
    // A third of 300 is 99.99, rounded to 100.
    assert_eq!(shares, [usd(33), usd(33), usd(34)]);
}

#[test]
fn an_amount_takes_no_more_off_than_the_goods_cost_promo_2() {
    let shares = Rebate::Amount(usd(900)).spread(&[usd(500), usd(0), usd(250)]).unwrap();
    assert_eq!(shares, [usd(500), usd(0), usd(250)]);
    assert_eq!(Rebate::Amount(usd(900)).spread(&[usd(0)]).unwrap(), [usd(0)]);
    assert_eq!(Rebate::Amount(usd(900)).spread(&[]).unwrap(), []);
}

#[test]
fn an_amount_of_another_currency_takes_nothing_off() {
    let euros = Rebate::Amount(Money::new(100, Currency::EUR));
    assert_eq!(euros.spread(&[usd(500)]), Err(MoneyError::CurrencyMismatch));
}

proptest! {
    #[test]
    fn no_line_gets_more_off_than_it_costs_and_all_get_the_whole_promo_2(
        goods in prop::collection::vec(0_i64..3_000_000, 1..50),
        rebate in prop_oneof![
            (1_u32..=10_000).prop_map(Rebate::PercentBps),
            (1_i64..90_000_000).prop_map(|minor| Rebate::Amount(usd(minor))),
        ],
    ) {
        let goods: Vec<Money> = goods.into_iter().map(usd).collect();
        let all: i64 = goods.iter().map(|line| line.minor()).sum();
        let shares = rebate.spread(&goods).unwrap();
        prop_assert_eq!(shares.len(), goods.len());
        for (share, line) in shares.iter().zip(&goods) {
            prop_assert!(0 <= share.minor() && share.minor() <= line.minor());
        }
        let whole: i64 = shares.iter().map(|share| share.minor()).sum();
        prop_assert_eq!(whole, rebate.off(usd(all)).unwrap().minor());
        prop_assert!(whole <= all);
    }
}
