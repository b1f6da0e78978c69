//! Money without the provider: store credit that is held and sold with the units, and what people
//! take and give back by hand.

use super::*;
use crate::order::{NotReturnable, OrderState, RefundMethod, ReturnWish};
use crate::samples::{RMA, back};
use crate::values::CreditAccount;

fn credit() -> Wish {
    Wish { method: PaymentMethod::StoreCredit, token: None }
}

fn account() -> CreditAccount {
    CreditAccount::new(customer("alice"), crate::values::Currency::USD)
}

fn held_credit(minor: u32) -> HeldUnits {
    HeldUnits { product: account().stock(), hold: ORDER.hold(), quantity: units(minor) }
}

/// One mouse, paid by store credit.
fn placed_on_credit() -> OrderEvent {
    placed(placement_of(Some(credit()), &[("mouse", 1, 2_550)]))
}

fn take(minor: i64) -> OrderCommand {
    OrderCommand::TakePayment { amount: usd(minor), reference: None, by: "ops-1".into() }
}

fn hand_back() -> OrderCommand {
    OrderCommand::HandBack { by: "ops-1".into() }
}

/// One mouse on credit; its account says `says`.
fn asked(says: &Answer) -> OrderCommand {
    answered(wish_for(Some(credit()), &[("mouse", 1)]), |units| {
        if *units == held_credit(2_550) { says.clone() } else { Answer::StockDone }
    })
}

#[test]
fn credit_is_held_for_the_whole_total_with_the_units_pay_1() {
    let events =
        Order::decide(&OrderState::default(), &asked(&Answer::StockDone), seconds(0)).unwrap();
    let [OrderEvent::Placed(placement)] = &events[..] else { panic!("{events:?}") };
    let state = Order::replay([(&OrderEvent::Placed(Arc::clone(placement)), seconds(0))]);
    assert_eq!(state.0.unwrap().held_units(), [held("mouse", 1), held_credit(2_550)]);
}

#[test]
fn too_little_credit_holds_nothing_and_says_what_there_is() {
    let command = asked(&Answer::StockRefused(StockRefusal::NotEnough { available: units(2_549) }));
    let back = Intent::Release { units: vec![held("mouse", 1)] };
    assert_eq!(Order::compensate(&OrderState::default(), &command), [back]);
    let refusal = OrderRefusal::InsufficientCredit { requested: usd(2_550), available: usd(2_549) };
    given::<Order>(&[]).when(command).then_refused(refusal);
}

#[test]
fn credit_that_may_be_held_is_given_back() {
    let command = asked(&Answer::Failed);
    let back = Intent::Release { units: vec![held("mouse", 1), held_credit(2_550)] };
    assert_eq!(Order::compensate(&OrderState::default(), &command), [back]);
    let why = Unavailable::Unreachable;
    given::<Order>(&[]).when(command).then_refused(OrderRefusal::CreditUnavailable { why });
}

#[test]
fn credit_is_taken_with_the_units_and_no_provider_is_asked() {
    let sold = [OrderEvent::StockCommitted, taken("system")];
    given::<Order>(&[placed_on_credit()]).when(OrderCommand::RecordStockCommitted).then(&sold);
    let history = then(vec![placed_on_credit()], &sold);
    let order = Order::view(given::<Order>(&history).state()).unwrap();
    assert_eq!(order.payment.status, super::super::PaymentStatus::Paid);
    assert_eq!(Order::outstanding(given::<Order>(&history).state(), seconds(0)), []);
}

#[test]
fn credit_comes_back_with_the_units_of_an_order_that_is_called_off() {
    let history =
        [placed_on_credit(), OrderEvent::StockCommitted, taken("system"), asked_off(None)];
    let given = given::<Order>(&history);
    let order = Order::view(given.state()).unwrap();
    let units = vec![held("mouse", 1), held_credit(2_550)];
    assert_eq!(Order::outstanding(given.state(), seconds(0)), [Intent::Restock { units }]);
    assert_eq!((order.refund_due(), order.to_hand_back()), (None, None));
    given
        .when(OrderCommand::RecordStockReturned)
        .then(&[OrderEvent::StockReturned, handed_back("system")]);
}

#[test]
fn nothing_comes_back_as_credit_that_was_never_taken() {
    let lost = cancelled(CancelReason::StockLost, None);
    given::<Order>(&[placed_on_credit(), lost])
        .when(OrderCommand::RecordStockReturned)
        .then(&[OrderEvent::StockReturned]);
}

#[test]
fn money_at_the_counter_pays_an_order_once_pay_3() {
    for order in [placed_for_cash(), placed_unpaid()] {
        given::<Order>(std::slice::from_ref(&order)).when(take(2_550)).then(&[taken("ops-1")]);
        given::<Order>(&[order, taken("ops-1")]).when(take(2_550)).then(&[]);
    }
}

#[test]
fn an_order_that_is_paid_by_hand_later_has_its_units_sold() {
    let history = [placed_unpaid(), taken("ops-1")];
    let owed = Order::outstanding(given::<Order>(&history).state(), seconds(0));
    assert_eq!(owed, [Intent::Commit { units: vec![held("mouse", 1)] }]);
}

#[test]
fn only_the_whole_total_is_taken_by_hand() {
    let refusal = OrderRefusal::OtherAmount { total: usd(2_550) };
    given::<Order>(&[placed_for_cash()]).when(take(2_549)).then_refused(refusal.clone());
    given::<Order>(&[placed_for_cash(), taken("ops-1")]).when(take(2_551)).then_refused(refusal);
}

#[test]
fn nobody_pays_by_hand_what_is_paid_otherwise_or_called_off_c_38() {
    for history in [
        vec![placed(placement_of(Some(card()), &[("mouse", 1, 2_550)]))],
        vec![placed_on_credit()],
        vec![placed_unpaid(), captured_mouse()],
        vec![placed_for_cash(), asked_off(None)],
    ] {
        let given = given::<Order>(&history);
        let order = Order::view(given.state()).unwrap();
        let (status, payment) = (order.status, order.payment.status);
        given.when(take(2_550)).then_refused(OrderRefusal::NotPayable { status, payment });
    }
}

#[test]
fn the_provider_is_not_believed_about_an_order_that_was_paid_by_hand() {
    given::<Order>(&[placed_unpaid(), taken("ops-1")])
        .when(says_captured())
        .then_refused(OrderRefusal::NotCharged);
}

#[test]
fn money_taken_by_hand_is_handed_back_once_the_order_is_called_off() {
    let paid = [placed_for_cash(), taken("ops-1"), OrderEvent::StockCommitted];
    given::<Order>(&paid).when(hand_back()).then_refused(OrderRefusal::NothingToHandBack);
    let off = then(paid.to_vec(), &[asked_off(None), OrderEvent::StockReturned]);
    let given = given::<Order>(&off);
    assert_eq!(Order::view(given.state()).unwrap().to_hand_back(), Some(usd(2_550)));
    assert_eq!(Order::outstanding(given.state(), seconds(0)), [], "no provider is asked for it");
    assert_eq!(Order::wake_at(given.state()), None);
    given.when(hand_back()).then(&[handed_back("ops-1")]);
    let done = then(off, &[handed_back("ops-1")]);
    super::given::<Order>(&done).when(hand_back()).then(&[]);
}

/// A mouse that was paid like that, has arrived, and belongs to a return.
fn on_its_way_back(placed: OrderEvent, paid: OrderEvent) -> Vec<OrderEvent> {
    vec![
        placed,
        OrderEvent::StockCommitted,
        paid,
        moved_to(OrderStatus::Processing),
        moved_to(OrderStatus::Shipped),
        moved_to(OrderStatus::Delivered),
        OrderEvent::ReturnSetApart { rma: RMA, units: back("mouse", 1) },
    ]
}

fn refund(method: RefundMethod) -> OrderCommand {
    let wish = ReturnWish::Refund { units: back("mouse", 1), method };
    OrderCommand::ForReturn { rma: RMA, wish }
}

fn part_asked(method: RefundMethod) -> OrderEvent {
    OrderEvent::PartRefundAsked { rma: RMA, units: back("mouse", 1), amount: usd(2_550), method }
}

fn part_refunded() -> OrderEvent {
    OrderEvent::PartRefunded { rma: RMA, amount: usd(2_550) }
}

#[test]
fn a_return_goes_back_as_it_was_paid_or_as_somebody_chose_ret_5() {
    let deposit = Intent::Deposit {
        rma: RMA,
        units: HeldUnits { product: account().stock(), hold: RMA.hold(), quantity: units(2_550) },
        amount: usd(2_550),
    };
    let on_credit = on_its_way_back(placed_on_credit(), taken("system"));
    let by_hand = on_its_way_back(placed_for_cash(), taken("ops-1"));
    let by_card = placed(placement_of(Some(card()), &[("mouse", 1, 2_550)]));
    let by_card = on_its_way_back(by_card, captured_mouse());
    let part = Intent::RefundPart { key: KEY, rma: RMA, amount: usd(2_550) };
    for (history, method, owed) in [
        (&on_credit, RefundMethod::Original, Some(&deposit)),
        (&on_credit, RefundMethod::Cash, None),
        (&by_hand, RefundMethod::Original, None),
        (&by_hand, RefundMethod::StoreCredit, Some(&deposit)),
        (&by_card, RefundMethod::StoreCredit, Some(&deposit)),
        (&by_card, RefundMethod::Original, Some(&part)),
        (&by_card, RefundMethod::Card, Some(&part)),
        (&by_card, RefundMethod::Cash, None),
    ] {
        let mut told = vec![part_asked(method)];
        told.extend(owed.is_none().then(part_refunded));
        given::<Order>(history).when(refund(method)).then(&told);
        let state = given::<Order>(&then(history.clone(), &told));
        let asked = Order::outstanding(state.state(), seconds(0));
        assert_eq!(asked.iter().collect::<Vec<_>>(), Vec::from_iter(owed), "{method:?}");
    }
    for history in [&on_credit, &by_hand] {
        let refusal = OrderRefusal::Return(NotReturnable::NoCard);
        given::<Order>(history).when(refund(RefundMethod::Card)).then_refused(refusal);
    }
}

#[test]
fn credit_that_cannot_hold_the_money_fails_and_can_be_asked_again() {
    let asked = part_asked(RefundMethod::StoreCredit);
    let history =
        then(on_its_way_back(placed_for_cash(), taken("ops-1")), std::slice::from_ref(&asked));
    let owed = Order::outstanding(given::<Order>(&history).state(), seconds(0));
    let full = Order::absorb(&owed[0], Answer::StockRefused(StockRefusal::Invalid)).unwrap();
    let failed = OrderEvent::PartRefundFailed { rma: RMA };
    given::<Order>(&history).when(full).then(std::slice::from_ref(&failed));
    let again = then(history.clone(), &[failed]);
    given::<Order>(&again).when(refund(RefundMethod::StoreCredit)).then(&[asked]);
    let done = Order::absorb(&owed[0], Answer::StockDone).unwrap();
    given::<Order>(&history).when(done).then(&[part_refunded()]);
    assert_eq!(Order::absorb(&owed[0], Answer::Failed), None, "it is repeated, and counts once");
}
