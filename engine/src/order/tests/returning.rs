//! Units that come back, and the part of the money that goes with them.

use std::time::Duration;

use super::*;
use crate::order::{NotReturnable, PaymentStatus, RETURNS_MAX, RefundMethod, ReturnWish, Units};
use crate::samples::{RMA, back};
use crate::values::{Quantity, ReturnId};
use proptest::prelude::*;
use uuid::Uuid;

const OTHER: ReturnId = ReturnId::new(Uuid::from_u128(0x7e8));

/// Both laptops have arrived and are paid.
fn delivered() -> Vec<OrderEvent> {
    let step = |status| OrderEvent::StatusChanged { status, by: "ops-1".into() };
    vec![
        placed_by_card(),
        captured(),
        OrderEvent::StockCommitted,
        step(OrderStatus::Processing),
        step(OrderStatus::Shipped),
        step(OrderStatus::Delivered),
    ]
}

fn asks(rma: ReturnId, wish: ReturnWish) -> OrderCommand {
    OrderCommand::ForReturn { rma, wish }
}

fn check(units: Units) -> OrderCommand {
    let within = Duration::from_hours(30 * 24);
    asks(RMA, ReturnWish::Check { customer: None, units, within })
}

fn set_apart(rma: ReturnId, count: u32) -> OrderEvent {
    OrderEvent::ReturnSetApart { rma, units: back("laptop", count) }
}

fn refund(rma: ReturnId, count: u32, method: RefundMethod) -> OrderCommand {
    asks(rma, ReturnWish::Refund { units: back("laptop", count), method })
}

fn asked(rma: ReturnId, count: u32, minor: i64, method: RefundMethod) -> OrderEvent {
    let (units, amount) = (back("laptop", count), usd(minor));
    OrderEvent::PartRefundAsked { rma, units, amount, method }
}

fn refused(refusal: NotReturnable) -> OrderRefusal {
    OrderRefusal::Return(refusal)
}

#[test]
fn only_a_delivered_and_paid_order_is_taken_back_ret_1_ret_11() {
    given::<Order>(&delivered()).when(check(back("laptop", 2))).then(&[]);
    let on_its_way = &delivered()[..5];
    given::<Order>(on_its_way)
        .when(check(back("laptop", 1)))
        .then_refused(refused(NotReturnable::NotDelivered(OrderStatus::Shipped)));
    let mut unpaid = vec![placed_for_cash()];
    unpaid.extend(delivered().into_iter().skip(2));
    given::<Order>(&unpaid)
        .when(check(back("mouse", 1)))
        .then_refused(refused(NotReturnable::NotPaid(PaymentStatus::Unpaid)));
}

#[test]
fn an_order_is_taken_back_within_its_window_ret_7() {
    let day = 86_400;
    given::<Order>(&delivered()).at(seconds(30 * day)).when(check(back("laptop", 1))).then(&[]);
    given::<Order>(&delivered())
        .at(seconds(30 * day + 1))
        .when(check(back("laptop", 1)))
        .then_refused(refused(NotReturnable::WindowOver { days: 30 }));
}

#[test]
fn an_order_of_somebody_else_is_not_there() {
    let (units, within) = (back("laptop", 1), Duration::from_hours(1));
    let stranger = Some(customer("mallory"));
    given::<Order>(&delivered())
        .when(asks(RMA, ReturnWish::Check { customer: stranger, units, within }))
        .then_refused(refused(NotReturnable::UnknownOrder));
}

#[test]
fn a_unit_belongs_to_one_return_only_ret_8_ret_9_ret_12() {
    let history = [delivered(), vec![set_apart(RMA, 1)]].concat();
    let too_many =
        NotReturnable::TooMany { product: product("laptop"), requested: units(2), left: units(1) };
    given::<Order>(&history)
        .when(asks(OTHER, ReturnWish::SetApart { units: back("laptop", 2) }))
        .then_refused(refused(too_many));
    given::<Order>(&history)
        .when(asks(RMA, ReturnWish::SetApart { units: back("laptop", 1) }))
        .then(&[]);
    given::<Order>(&history)
        .when(check(back("mouse", 1)))
        .then_refused(refused(NotReturnable::NotBought(product("mouse"))));
    given::<Order>(&history)
        .when(check(back("laptop", 0)))
        .then_refused(refused(NotReturnable::NoUnits(product("laptop"))));
}

/// An order of two laptops and a mouse whose lines cost so much.
fn costing(laptops: i64, mouse: i64) -> Arc<Order> {
    let mut placement =
        crate::samples::placement_of(Some(card()), &[("laptop", 2, 100), ("mouse", 1, 200)]);
    for (line, cost) in placement.lines.iter_mut().zip([laptops, mouse]) {
        line.paid = Some(usd(cost)).filter(|cost| *cost != usd(200));
    }
    placement.amounts.total = usd(laptops.saturating_add(mouse));
    let placed = OrderEvent::Placed(Arc::new(placement));
    Order::replay([(&placed, seconds(0))]).0.unwrap()
}

#[test]
fn what_comes_back_is_paid_for_with_what_its_own_line_cost() {
    let paid = |order: &Order, name, count| order.paid_for(&back(name, count)).unwrap().minor();
    // The laptops are given away, the mouse is not.
    let free = costing(0, 200);
    assert_eq!((paid(&free, "laptop", 2), paid(&free, "mouse", 1)), (0, 200));
    // A fifth of tax is on the laptops alone, and an odd cent on their second unit.
    let taxed = costing(241, 200);
    assert_eq!((paid(&taxed, "laptop", 1), paid(&taxed, "laptop", 2)), (120, 241));
    assert_eq!(paid(&taxed, "mouse", 1), 200);
    // All of it is given away.
    let gifts = costing(0, 0);
    assert_eq!((paid(&gifts, "laptop", 2), paid(&gifts, "mouse", 1)), (0, 0));
}

#[test]
fn what_a_return_gives_up_can_come_back_another_time() {
    let history = [delivered(), vec![set_apart(RMA, 2)]].concat();
    let narrowed = OrderEvent::ReturnNarrowed { rma: RMA, units: Units::new() };
    given::<Order>(&history)
        .when(asks(RMA, ReturnWish::Narrow { units: Units::new() }))
        .then(std::slice::from_ref(&narrowed));
    given::<Order>(&history)
        .and(&[narrowed])
        .when(asks(OTHER, ReturnWish::SetApart { units: back("laptop", 2) }))
        .then(&[set_apart(OTHER, 2)]);
}

#[test]
fn an_order_has_a_bounded_number_of_returns() {
    let mut history = delivered();
    for number in 0..u128::try_from(RETURNS_MAX).unwrap() {
        let rma = ReturnId::new(Uuid::from_u128(number));
        history.push(OrderEvent::ReturnSetApart { rma, units: Units::new() });
    }
    given::<Order>(&history)
        .when(check(back("laptop", 1)))
        .then_refused(refused(NotReturnable::TooManyReturns));
}

#[test]
fn a_part_of_the_money_goes_back_once_through_the_provider_ret_13() {
    let original = RefundMethod::Original;
    let history = [delivered(), vec![set_apart(RMA, 1)]].concat();
    given::<Order>(&history)
        .when(refund(RMA, 1, original))
        .then(&[asked(RMA, 1, 99_999, original)]);
    let history = [history, vec![asked(RMA, 1, 99_999, original)]].concat();
    let asking = given::<Order>(&history);
    let intent = Intent::RefundPart { key: KEY, rma: RMA, amount: usd(99_999) };
    assert_eq!(Order::outstanding(asking.state(), seconds(0)), [intent]);
    assert!(!Order::is_settled(asking.state()), "who asked waits for the provider");
    asking.when(refund(RMA, 1, original)).then(&[]);
    let back = OrderEvent::PartRefunded { rma: RMA, amount: usd(99_999) };
    given::<Order>(&history)
        .when(OrderCommand::RecordPartRefunded { rma: RMA, amount: usd(99_999) })
        .then(std::slice::from_ref(&back));
    let done = given::<Order>(&history).and(&[back]);
    let order = done.state().0.as_ref().unwrap();
    assert_eq!(order.payment.status, PaymentStatus::PartlyRefunded);
    assert_eq!(order.payment.refunded, Some(usd(99_999)));
    assert_eq!(Order::outstanding(done.state(), seconds(0)), []);
    done.when(OrderCommand::RecordPartRefunded { rma: RMA, amount: usd(99_999) }).then(&[]);
}

#[test]
fn a_part_that_failed_waits_to_be_asked_and_stays_the_same() {
    let card = RefundMethod::Card;
    let history = [delivered(), vec![set_apart(RMA, 2), asked(RMA, 1, 99_999, card)]].concat();
    let failed = OrderEvent::PartRefundFailed { rma: RMA };
    given::<Order>(&history)
        .when(OrderCommand::RecordPartRefundTrouble { rma: RMA })
        .then(std::slice::from_ref(&failed));
    let asleep = given::<Order>(&history).and(&[failed]);
    assert_eq!(Order::outstanding(asleep.state(), seconds(0)), []);
    assert!(Order::is_settled(asleep.state()));
    // Other units and another way change nothing: the provider may have given this part back.
    asleep.when(refund(RMA, 2, RefundMethod::Cash)).then(&[asked(RMA, 1, 99_999, card)]);
}

#[test]
fn money_that_people_hand_out_is_recorded_at_once() {
    let cash = RefundMethod::Cash;
    let history = [delivered(), vec![set_apart(RMA, 2)]].concat();
    let back = OrderEvent::PartRefunded { rma: RMA, amount: usd(199_998) };
    let events = [asked(RMA, 2, 199_998, cash), back];
    given::<Order>(&history).when(refund(RMA, 2, cash)).then(&events);
    let done = given::<Order>(&history).and(&events);
    assert_eq!(done.state().0.as_ref().unwrap().payment.status, PaymentStatus::Refunded);
}

#[test]
fn no_return_gets_money_for_units_that_it_does_not_have() {
    let history = [delivered(), vec![set_apart(RMA, 1)]].concat();
    let too_many =
        NotReturnable::TooMany { product: product("laptop"), requested: units(2), left: units(1) };
    given::<Order>(&history)
        .when(refund(RMA, 2, RefundMethod::Card))
        .then_refused(refused(too_many));
    given::<Order>(&history)
        .when(refund(OTHER, 1, RefundMethod::Card))
        .then_refused(refused(NotReturnable::UnknownOrder));
}

#[test]
#[should_panic(expected = "ORDER-8 violated")]
fn a_history_in_which_more_comes_back_than_was_bought_stops_the_order() {
    given::<Order>(&[delivered(), vec![set_apart(RMA, 2), set_apart(OTHER, 1)]].concat());
}

#[test]
#[should_panic(expected = "ORDER-4 violated")]
fn a_history_in_which_parts_are_more_than_the_whole_stops_the_order() {
    let card = RefundMethod::Card;
    let back = |rma| OrderEvent::PartRefunded { rma, amount: usd(150_000) };
    let parts = vec![
        set_apart(RMA, 1),
        asked(RMA, 1, 150_000, card),
        back(RMA),
        set_apart(OTHER, 1),
        asked(OTHER, 1, 150_000, card),
        back(OTHER),
    ];
    given::<Order>(&[delivered(), parts].concat());
}

proptest! {
    /// Whatever the lines, the total and the order in which units come back: all parts together are
    /// the total to the cent, and at no time more.
    #[test]
    fn refunding_every_part_gives_exactly_the_total(
        lines in prop::collection::vec((1_u32..6, 0_i64..10_000), 1..5),
        total in 0_i64..200_000,
        takes in prop::collection::vec((0_usize..5, 1_u32..4), 0..40),
    ) {
        let names = ["a", "b", "c", "d", "e"];
        let lines: Vec<(&str, u32, i64)> =
            lines.iter().zip(names).map(|((count, price), name)| (name, *count, *price)).collect();
        let mut placement = placement_of(Some(card()), &lines);
        placement.amounts.total = usd(total);
        let captured = OrderEvent::PaymentCaptured {
            attempt: 1,
            amount: usd(total),
            reference: "ch_1".to_owned(),
        };
        let mut history = delivered();
        history.splice(0..2, [placed(placement), captured]);
        let mut left: Vec<u32> = lines.iter().map(|(_, count, _)| *count).collect();
        // In the end all that is left comes back as well.
        let rest = (0..lines.len()).map(|index| (index, u32::MAX));
        for (number, (index, wanted)) in takes.into_iter().chain(rest).enumerate() {
            let Some(count) = left.get_mut(index).filter(|left| 0 < **left) else { continue };
            let now = wanted.min(*count);
            *count = count.saturating_sub(now);
            let rma = ReturnId::new(Uuid::from_u128(u128::try_from(number).unwrap()));
            let units = Units::from([(product(lines[index].0), Quantity::new(now))]);
            history.push(OrderEvent::ReturnSetApart { rma, units: units.clone() });
            let state = Order::replay(history.iter().map(|event| (event, seconds(0))));
            let wish = ReturnWish::Refund { units, method: RefundMethod::Cash };
            history.extend(Order::decide(&state, &asks(rma, wish), seconds(0)).unwrap());
        }
        let order = Order::replay(history.iter().map(|event| (event, seconds(0)))).0.unwrap();
        prop_assert_eq!(order.payment.refunded, Some(usd(total)));
        prop_assert_eq!(order.payment.status, PaymentStatus::Refunded);
    }
}
