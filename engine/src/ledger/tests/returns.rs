//! Forged histories of units that come back.

use super::*;
use crate::order::{RefundMethod, Units};
use crate::samples::{RMA, back, return_request};
use crate::values::ReturnId;

fn delivered() -> Vec<OrderEvent> {
    vec![
        placed(),
        captured(),
        OrderEvent::StockCommitted,
        moved_to(OrderStatus::Processing),
        moved_to(OrderStatus::Shipped),
        moved_to(OrderStatus::Delivered),
    ]
}

fn set_apart(rma: ReturnId, count: u32) -> OrderEvent {
    OrderEvent::ReturnSetApart { rma, units: back("laptop", count) }
}

fn asked(count: u32, minor: i64) -> OrderEvent {
    let (units, amount) = (back("laptop", count), usd(minor));
    OrderEvent::PartRefundAsked { rma: RMA, units, amount, method: RefundMethod::Card }
}

fn part_back(minor: i64) -> OrderEvent {
    OrderEvent::PartRefunded { rma: RMA, amount: usd(minor) }
}

fn order_with(events: &[OrderEvent]) -> Vec<OrderEvent> {
    [&delivered()[..], events].concat()
}

fn returned(events: Vec<ReturnEvent>) -> Vec<ReturnEvent> {
    let by = || "ops-1".into();
    let mut history = vec![
        ReturnEvent::Requested(Arc::new(return_request())),
        ReturnEvent::SetApart,
        ReturnEvent::Authorized {
            by: by(),
            number: RMA.number(),
            approved: back("laptop", 2),
            reason: None,
        },
        ReturnEvent::Received { by: by() },
        ReturnEvent::Inspected { by: by(), passed: back("laptop", 1), reason: None },
    ];
    history.extend(events);
    history
}

fn asked_back() -> ReturnEvent {
    ReturnEvent::RefundAsked { by: "ops-1".into(), method: RefundMethod::Card }
}

fn restock(count: u32) -> ReturnEvent {
    ReturnEvent::Restocked { units: back("laptop", count) }
}

#[test]
fn a_return_from_request_to_stock_is_sound_and_every_unit_has_its_match() {
    let mut journal = Journal::default();
    journal.sound([received(5), held(2), committed(2)]);
    journal.sound(order_with(&[set_apart(RMA, 2), asked(1, 99_999), part_back(99_999)]));
    let money = ReturnEvent::Refunded { amount: usd(99_999) };
    journal.sound(returned(vec![asked_back(), ReturnEvent::RefundFailed, asked_back(), money]));
    journal.sound([InventoryEvent::TakenBack { hold: RMA.hold(), quantity: units(1) }]);
    journal.book(restock(1)).unwrap();
    let closing = journal.ledger.finish();
    assert!(closing.is_quiescent(), "{closing:?}");
}

#[test]
fn more_units_back_than_were_bought_are_found() {
    let other = ReturnId::new(uuid::Uuid::from_u128(9));
    breaks(&order_with(&[set_apart(RMA, 3)]), "R13", "3 units of laptop come back of 2 bought");
    let second = order_with(&[set_apart(RMA, 2), set_apart(other, 1)]);
    breaks(&second, "R13", "3 units of laptop come back of 2 bought");
    let wider = OrderEvent::ReturnNarrowed { rma: RMA, units: back("laptop", 2) };
    breaks(&order_with(&[set_apart(RMA, 1), wider]), "R13", "more units than it had");
    breaks(&order_with(&[set_apart(RMA, 1), asked(2, 1)]), "R13", "that it does not have");
}

#[test]
fn money_of_a_return_that_nobody_asked_for_is_found() {
    breaks(&order_with(&[set_apart(RMA, 1), part_back(1)]), "R13", "which was owed None");
    let twice = [set_apart(RMA, 1), asked(1, 1), part_back(1), part_back(1)];
    breaks(&order_with(&twice), "R13", "which was owed None");
    let more = [set_apart(RMA, 2), asked(2, 200_000), part_back(200_000)];
    breaks(&order_with(&more), "R13", "of 199998 captured");
    let mut unpaid = delivered();
    unpaid.remove(1);
    unpaid.push(set_apart(RMA, 1));
    breaks(&unpaid, "R12", "not delivered or not paid");
}

#[test]
fn stock_that_comes_back_before_its_money_is_found() {
    breaks(&returned(vec![restock(1)]), "R13", "was Inspected");
    breaks(&returned(vec![asked_back(), restock(1)]), "R13", "was RefundAsked");
    let failed = ReturnEvent::RefundFailed;
    breaks(&returned(vec![asked_back(), failed, restock(1)]), "R13", "was Inspected");
    let money = || ReturnEvent::Refunded { amount: usd(1) };
    let more = returned(vec![asked_back(), money(), restock(2)]);
    breaks(&more, "R13", "more units come back");
    let twice = returned(vec![asked_back(), money(), restock(1), restock(1)]);
    breaks(&twice, "R13", "was Restocked");
    let back = || InventoryEvent::TakenBack { hold: RMA.hold(), quantity: units(1) };
    breaks(&[received(5), held(2), committed(2), back(), back()], "R13", "taken back twice");
    breaks(&[received(5), back()], "R1", "one is below zero");
}

#[test]
fn units_in_stock_that_no_return_tells_of_are_open() {
    let mut journal = Journal::default();
    journal.sound([received(5), held(2), committed(2)]);
    journal.sound(delivered());
    journal.sound([InventoryEvent::TakenBack { hold: RMA.hold(), quantity: units(1) }]);
    assert!(!journal.ledger.finish().is_quiescent());
}

#[test]
fn a_return_that_leaves_a_step_out_is_found() {
    let history = vec![ReturnEvent::Requested(Arc::new(return_request())), asked_back()];
    breaks(&history, "R12", "was Requested");
    let nothing = Units::new();
    let closed = ReturnEvent::Inspected { by: "x".into(), passed: nothing, reason: None };
    let mut history = returned(Vec::new());
    history.pop();
    history.extend([closed, asked_back()]);
    breaks(&history, "R12", "was Ended");
}
