//! Orders that use a promo code: looked up, held beside the units, taken off, given back.

use super::*;
use crate::aggregate::Step;
use crate::order::{OrderState, WishedPromo};
use crate::process::{StockRefusal, Unavailable};
use crate::promo::{NewPromo, OpenPromo, PromoUse, Rebate};
use crate::values::PromoCode;

fn code() -> PromoCode {
    PromoCode::parse("SPRING").unwrap()
}

fn a_use() -> HeldUnits {
    HeldUnits { product: code().uses(), hold: ORDER.hold(), quantity: units(1) }
}

fn tenth() -> Arc<OpenPromo> {
    let made = NewPromo {
        code: code(),
        rebate: Rebate::PercentBps(1_000),
        minimum: None,
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_customer: None,
    };
    let (created_at, updated_at) = (seconds(0), seconds(0));
    Arc::new(OpenPromo { made, is_active: true, created_at, updated_at, version: 1 })
}

/// One laptop and two mice under the code; the code says `found`, and its uses say `uses`.
fn asked(found: &Answer, uses: &Answer) -> OrderCommand {
    let mut place = wish_for(Some(card()), &[("laptop", 1), ("mouse", 2)]);
    place.promo = Some(WishedPromo::new("spring"));
    let mut command = OrderCommand::Place(Box::new(place));
    for _round in 0..3 {
        let Step::Needs(needs) = Order::next_step(&OrderState::default(), &command, seconds(0))
        else {
            return command;
        };
        for need in needs {
            let answer = if let Intent::Lookup { product } = &need {
                Answer::Listing(catalogue(product.as_str()))
            } else if let Intent::LookupPromo { code: asked } = &need {
                assert_eq!(*asked, code());
                found.clone()
            } else if let Intent::Hold { units, .. } = &need {
                if *units == a_use() { uses.clone() } else { Answer::StockDone }
            } else {
                panic!("a placement does not need {need:?}")
            };
            Order::supply(&mut command, &need, answer);
        }
    }
    panic!("still not ready: {command:?}");
}

fn known() -> Answer {
    Answer::Promo(Some(tenth()))
}

fn placed(command: &OrderCommand) -> Arc<super::super::Placement> {
    let events = Order::decide(&OrderState::default(), command, seconds(0)).unwrap();
    let [OrderEvent::Placed(placement)] = &events[..] else { panic!("{events:?}") };
    Arc::clone(placement)
}

fn compensation(command: &OrderCommand) -> Vec<Intent> {
    Order::compensate(&OrderState::default(), command)
}

#[test]
fn what_the_code_takes_off_is_in_the_discount_price_6() {
    let placement = placed(&asked(&known(), &Answer::StockDone));
    assert_eq!(placement.promo, Some(PromoUse { code: code(), amount: usd(10_510) }));
    let amounts = placement.amounts;
    let paid: Vec<_> = placement.lines.iter().map(|line| line.paid.unwrap().minor()).collect();
    assert_eq!(paid.iter().sum::<i64>(), 94_589);
    assert_eq!(
        [amounts.subtotal, amounts.discount, amounts.total],
        [usd(105_099), usd(10_510), usd(94_589)]
    );
}

#[test]
fn a_use_is_sold_and_given_back_with_the_units() {
    let placement = placed(&asked(&known(), &Answer::StockDone));
    let state = Order::replay([(&OrderEvent::Placed(placement), seconds(0))]);
    let order = state.0.unwrap();
    assert_eq!(order.held_units(), [held("laptop", 1), held("mouse", 2), a_use()]);
}

#[test]
fn nothing_stays_held_when_the_code_is_used_up() {
    let none = Answer::StockRefused(StockRefusal::NotEnough { available: units(0) });
    let command = asked(&known(), &none);
    let units = vec![held("laptop", 1), held("mouse", 2)];
    assert_eq!(compensation(&command), [Intent::Release { units }]);
    given::<Order>(&[]).when(command).then_refused(OrderRefusal::PromoUsedUp(code()));
    let limit = units_of(1);
    let over = Answer::StockRefused(StockRefusal::OverLimit { limit });
    let refusal = OrderRefusal::PromoOverLimit { code: code(), limit };
    given::<Order>(&[]).when(asked(&known(), &over)).then_refused(refusal);
}

const fn units_of(count: u32) -> crate::values::Quantity {
    crate::values::Quantity::new(count)
}

#[test]
fn a_cart_is_left_alone_when_the_code_is_used_up() {
    let mut place = wish_for(Some(card()), &[("laptop", 1)]);
    place.cart = Some(crate::order::WishedCart::new(crate::samples::cart(1), None));
    place.promo = Some(WishedPromo::new("spring"));
    let mut command = OrderCommand::Place(Box::new(place));
    let supply = |command: &mut OrderCommand, need: &Intent, answer| {
        Order::supply(command, need, answer);
    };
    let lookup = Intent::Lookup { product: product("laptop") };
    supply(&mut command, &lookup, Answer::Listing(catalogue("laptop")));
    supply(&mut command, &Intent::LookupPromo { code: code() }, known());
    let Step::Needs(holds) = Order::next_step(&OrderState::default(), &command, seconds(0)) else {
        panic!("no hold asked for")
    };
    let used_up = Answer::StockRefused(StockRefusal::NotEnough { available: units(0) });
    for hold in &holds {
        let Intent::Hold { units, .. } = hold else { panic!("{hold:?}") };
        let answer = if *units == a_use() { used_up.clone() } else { Answer::StockDone };
        supply(&mut command, hold, answer);
    }
    assert_eq!(Order::next_step(&OrderState::default(), &command, seconds(0)), Step::Ready);
}

#[test]
fn a_use_that_may_be_held_is_given_back() {
    let command = asked(&known(), &Answer::Failed);
    let units = vec![held("laptop", 1), held("mouse", 2), a_use()];
    assert_eq!(compensation(&command), [Intent::Release { units }]);
    let why = Unavailable::Unreachable;
    given::<Order>(&[]).when(command).then_refused(OrderRefusal::PromoUnavailable { why });
}

#[test]
fn nothing_is_held_for_a_code_that_is_unknown_or_cannot_be_asked_about() {
    let command = asked(&Answer::Promo(None), &Answer::StockDone);
    assert_eq!(compensation(&command), []);
    let refused = Order::decide(&OrderState::default(), &command, seconds(0)).unwrap_err();
    let OrderRefusal::Invalid(findings) = refused else { panic!("{refused:?}") };
    assert_eq!(findings[0].code(), "unknown_promo_code");

    let busy = Answer::NotAccepted(Unavailable::Overloaded);
    let command = asked(&busy, &Answer::StockDone);
    assert_eq!(compensation(&command), []);
    let why = Unavailable::Overloaded;
    given::<Order>(&[]).when(command).then_refused(OrderRefusal::PromoUnavailable { why });
}
