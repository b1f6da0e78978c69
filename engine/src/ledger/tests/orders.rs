//! R3, R4, R5, R12 and R13 in the history of an order.

use super::*;
use crate::order::Amounts;
use crate::values::{Currency, Fingerprint, Money};

/// The sample placement with changed amounts.
fn priced(change: impl Fn(&mut Amounts)) -> OrderEvent {
    let mut placement = placement();
    change(&mut placement.amounts);
    placed_as(placement)
}

fn sold() -> [OrderEvent; 3] {
    [placed(), captured(), OrderEvent::StockCommitted]
}

fn and<const N: usize>(history: [OrderEvent; N], more: &[OrderEvent]) -> Vec<OrderEvent> {
    let mut history = Vec::from(history);
    history.extend_from_slice(more);
    history
}

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn queued() -> OrderEvent {
    OrderEvent::PaymentQueued { attempt: 1, until: seconds(900) }
}

fn declined() -> OrderEvent {
    OrderEvent::PaymentDeclined { attempt: 1, reason: String::new() }
}

fn abandoned() -> OrderEvent {
    OrderEvent::PaymentAbandoned { attempt: 1, reconcile_until: None }
}

fn reconciled() -> OrderEvent {
    OrderEvent::PaymentReconciled { attempt: 1 }
}

fn put_off() -> OrderEvent {
    OrderEvent::RefundPostponed { until: seconds(64) }
}

#[test]
fn a_refund_is_put_off_only_while_it_is_owed() {
    breaks(&[placed(), declined(), put_off()], "R4", "not owed");
    let done = [placed(), declined(), captured(), refunded(199_998), put_off()];
    breaks(&done, "R4", "not owed");
}

#[test]
fn every_life_of_an_order_is_sound() {
    use OrderStatus::{Delivered, Processing, Shipped};
    let extended = OrderEvent::HoldsExtended { until: seconds(900) };
    let lives = [
        and(sold(), &[moved_to(Processing), moved_to(Shipped), moved_to(Delivered)]),
        and(sold(), &[cancelled(), OrderEvent::StockReturned, refunded(199_998)]),
        vec![placed(), queued(), extended, abandoned(), reconciled()],
        vec![
            placed(),
            queued(),
            OrderEvent::HoldLapsed,
            captured(),
            cancelled(),
            refunded(199_998),
        ],
        vec![placed(), declined(), OrderEvent::StockReturned, captured(), refunded(199_998)],
        vec![placed(), declined(), captured(), put_off(), put_off(), refunded(199_998)],
        vec![placed(), cancelled(), reconciled(), OrderEvent::StockReturned],
        and(sold(), &[cancelled(), refunded(1), refunded(199_997)]),
    ];
    for life in lives {
        Journal::default().sound(life);
    }
}

#[test]
fn amounts_of_all_kinds_add_up() {
    let mut journal = Journal::default();
    journal.sound([priced(|amounts| {
        amounts.discount = usd(1_000);
        amounts.shipping = usd(500);
        amounts.duties = usd(20);
        amounts.tax = usd(3);
        amounts.total = usd(199_998 - 1_000 + 500 + 20 + 3);
    })]);
}

#[test]
fn an_order_is_placed_once() {
    breaks(&[placed(), placed()], "R3", "again by a request");
    let mut other = placement();
    other.fingerprint = Fingerprint::from_bytes([8; 16]);
    breaks(&[placed(), placed_as(other)], "R3", "again by a different request");
}

#[test]
fn an_order_is_placed_first_and_under_its_own_name() {
    breaks(&[captured()], "R3", "before the order was placed");
    let stranger = format!("order/{}", hold(9));
    let violation = Journal::default().book_in(&stranger, &placed().into()).unwrap_err();
    assert_eq!((violation.promise, violation.stream), ("R3", stranger));
}

#[test]
fn the_amounts_of_a_placement_add_up() {
    breaks(&[priced(|amounts| amounts.subtotal = usd(199_999))], "R5", "the subtotal says");
    breaks(&[priced(|amounts| amounts.total = usd(199_997))], "R5", "differ from the total");
    breaks(&[priced(|amounts| amounts.tax = usd(1))], "R5", "differ from the total");
    breaks(&[priced(|amounts| amounts.discount = usd(1))], "R5", "differ from the total");
    breaks(&[priced(|amounts| amounts.duties = usd(-1))], "R5", "below zero");
    breaks(&[priced(|amounts| amounts.shipping = euros(0))], "R5", "different currencies");
}

#[test]
fn lines_have_units_and_prices_in_the_currency_of_the_order() {
    let line = |change: fn(&mut crate::order::Line)| {
        let mut placement = placement();
        change(&mut placement.lines[0]);
        placed_as(placement)
    };
    breaks(&[line(|line| line.unit_price = euros(99_999))], "R5", "in an order of");
    breaks(&[line(|line| line.unit_price = usd(-1))], "R5", "costs");
    breaks(&[line(|line| line.quantity = units(0))], "R5", "no units");
    breaks(&[line(|line| line.quantity = units(3))], "R5", "the lines make 299997");
}

#[test]
fn money_is_captured_once_and_as_much_as_the_order_costs() {
    breaks(&[placed(), captured(), captured()], "R4", "second time");
    let amount =
        |amount| OrderEvent::PaymentCaptured { attempt: 1, amount, reference: String::new() };
    breaks(&[placed(), amount(usd(199_997))], "R5", "for a total of");
    breaks(&[placed(), amount(euros(199_998))], "R5", "for a total of");
}

#[test]
fn captured_money_is_not_called_failed() {
    breaks(&[placed(), captured(), declined()], "R4", "called failed");
    breaks(&[placed(), captured(), abandoned()], "R4", "called failed");
}

#[test]
fn no_more_is_refunded_than_was_captured() {
    let off = || and(sold(), &[cancelled()]);
    let refund = |minors: &[i64]| {
        let mut history = off();
        history.extend(minors.iter().map(|minor| refunded(*minor)));
        history
    };
    breaks(&refund(&[199_999]), "R13", "199999 minor units were refunded of 199998");
    breaks(&refund(&[199_998, 1]), "R13", "199999");
    breaks(&refund(&[100_000, 100_000]), "R13", "200000");
    breaks(&[placed(), declined(), refunded(0)], "R13", "of 0 captured");
    breaks(&refund(&[-1]), "R5", "a refund of");
    let mut foreign = off();
    foreign.push(OrderEvent::PaymentRefunded { amount: euros(1) });
    breaks(&foreign, "R5", "a refund of");
}

#[test]
fn the_status_moves_only_along_its_edges() {
    use OrderStatus::{Cancelled, Delivered, Pending, Processing, Shipped};
    let path = [moved_to(Processing), moved_to(Shipped), moved_to(Delivered)];
    let edges = [(0, Processing), (0, Cancelled), (1, Shipped), (1, Cancelled), (2, Delivered)];
    for steps in 0..=path.len() {
        for to in OrderStatus::ALL {
            let history = and(sold(), &path[..steps]);
            if edges.contains(&(steps, to)) {
                Journal::default().sound([history, vec![moved_to(to)]].concat());
            } else {
                breaks(&[history, vec![moved_to(to)]].concat(), "R12", to.as_str());
            }
        }
    }
    for to in [Pending, Processing, Shipped, Delivered, Cancelled] {
        breaks(&and(sold(), &[cancelled(), moved_to(to)]), "R12", "from CANCELLED");
    }
}

#[test]
fn what_calls_an_order_off_obeys_the_edges_too() {
    let shipped =
        || and(sold(), &[moved_to(OrderStatus::Processing), moved_to(OrderStatus::Shipped)]);
    breaks(&[shipped(), vec![cancelled()]].concat(), "R12", "SHIPPED to CANCELLED");
    breaks(&[placed(), cancelled(), declined()], "R12", "CANCELLED to CANCELLED");
    breaks(&[placed(), abandoned(), cancelled()], "R12", "CANCELLED to CANCELLED");
}

#[test]
fn goods_do_not_leave_before_they_are_sold() {
    let history =
        [placed(), captured(), moved_to(OrderStatus::Processing), moved_to(OrderStatus::Shipped)];
    breaks(&history, "R12", "before its units were sold");
}

#[test]
fn units_are_sold_once_and_go_back_once_from_a_cancelled_order() {
    breaks(&and(sold(), &[OrderEvent::StockCommitted]), "R12", "sold twice");
    breaks(&and(sold(), &[OrderEvent::StockReturned]), "R12", "not called off");
    let back = and(sold(), &[cancelled(), OrderEvent::StockReturned]);
    breaks(&[back.clone(), vec![OrderEvent::StockReturned]].concat(), "R13", "back twice");
    breaks(&[back, vec![OrderEvent::StockCommitted]].concat(), "R12", "sold twice");
}

#[test]
fn a_hold_does_not_change_after_it_has_ended() {
    let extended = OrderEvent::HoldsExtended { until: seconds(900) };
    breaks(&and(sold(), &[extended]), "R12", "after it had ended");
    breaks(&and(sold(), &[OrderEvent::HoldLapsed]), "R12", "after it had ended");
}

#[test]
fn a_payment_is_not_queued_or_given_up_on_out_of_turn() {
    breaks(&[placed(), captured(), queued()], "R12", "nobody waits for");
    breaks(&[placed(), cancelled(), queued()], "R12", "nobody waits for");
    breaks(&[placed(), reconciled()], "R12", "while the order lives");
}

#[test]
fn a_suspicious_order_is_not_sold_before_it_is_approved_and_nobody_else_is_approved() {
    let approved = || OrderEvent::ReviewApproved { by: "ops-1".into(), reason: None };
    let suspicious = || {
        let mut placement = placement();
        placement.suspicions = vec![crate::fraud::Suspicion::CodAboveLimit];
        placed_as(placement)
    };
    let sold = OrderEvent::StockCommitted;
    breaks(&[suspicious(), sold.clone()], "R12", "before it was approved");
    breaks(&[placed(), approved()], "R12", "nobody suspected");
    breaks(&[suspicious(), approved(), approved()], "R12", "nobody suspected");
    let mut journal = Journal::default();
    journal.sound([suspicious(), approved(), captured(), sold]);
}
