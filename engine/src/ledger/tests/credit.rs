//! R1, R4, R5 and R13 in the history of store credit: what pays with it, and what comes back as it.

use super::*;
use crate::order::RefundMethod;
use crate::samples::{RMA, back};
use crate::values::{AdjustmentId, CreditAccount};

const ACCOUNT: &str = "inventory/credit/USD/alice";

fn on_credit() -> OrderEvent {
    let wish = Wish { method: PaymentMethod::StoreCredit, token: None };
    placed_as(placement_of(Some(wish), &[("laptop", 2, 99_999)]))
}

fn taken_by_system() -> OrderEvent {
    OrderEvent::PaymentTaken { amount: usd(199_998), by: "system".into(), reference: None }
}

fn credited(id: AdjustmentId, delta: i64) -> InventoryEvent {
    InventoryEvent::Adjusted { adjustment: id, delta, reason: "gift".to_owned() }
}

/// Two laptops that were sold, paid with so much credit.
fn sold_for(minor: u32) -> Journal {
    let mut journal = Journal { now: seconds(60), ..Journal::default() };
    let commit = |count| InventoryEvent::Committed { hold: ORDER.hold(), quantity: units(count) };
    journal.sound([received(5), taken(ORDER.hold(), 2), commit(2)]);
    for event in [credited(adjustment(9), 200_000), taken(ORDER.hold(), minor), commit(minor)] {
        journal.book_in(ACCOUNT, &event.into()).unwrap();
    }
    journal.sound([on_credit(), OrderEvent::StockCommitted, taken_by_system()]);
    journal
}

#[test]
fn credit_is_sold_with_the_order_that_it_pays_for() {
    assert!(sold_for(199_998).ledger.finish().is_quiescent());
    let open = sold_for(199_997).ledger.finish().units;
    let account = CreditAccount::of_stock("credit/USD/alice").unwrap().stock();
    assert_eq!(open.keys().collect::<Vec<_>>(), [&account]);
}

#[test]
fn credit_that_pays_twice_or_something_else_is_found() {
    let found = sold_for(199_998).book(taken_by_system()).unwrap_err();
    assert_eq!(found.promise, "R4");
    let less = OrderEvent::PaymentTaken { amount: usd(1), by: "system".into(), reference: None };
    let mut journal = Journal::default();
    journal.sound([on_credit()]);
    assert_eq!(journal.book(less).unwrap_err().promise, "R5");
}

/// What is missing when so much arrives of 999.99 that went back as credit, in whichever way.
fn missing(arrives: Option<(AdjustmentId, i64)>, method: RefundMethod) -> Vec<Violation> {
    let mut journal = sold_for(199_998);
    let moved = |status| OrderEvent::StatusChanged { status, by: "ops-1".into() };
    let amount = usd(99_999);
    journal.sound([
        moved(OrderStatus::Processing),
        moved(OrderStatus::Shipped),
        moved(OrderStatus::Delivered),
        OrderEvent::ReturnSetApart { rma: RMA, units: back("laptop", 1) },
        OrderEvent::PartRefundAsked { rma: RMA, units: back("laptop", 1), amount, method },
    ]);
    if let Some((id, delta)) = arrives {
        journal.book_in(ACCOUNT, &credited(id, delta).into()).unwrap();
    }
    journal.sound([OrderEvent::PartRefunded { rma: RMA, amount }]);
    journal.ledger.finish().missing_credit
}

#[test]
fn money_that_went_back_as_credit_is_there() {
    for method in [RefundMethod::StoreCredit, RefundMethod::Original] {
        assert_eq!(missing(Some((RMA.deposit(), 99_999)), method), []);
        let other = adjustment(10);
        for wrong in [None, Some((RMA.deposit(), 99_998)), Some((other, 99_999))] {
            let found = missing(wrong, method);
            assert_eq!(found.len(), 1, "{wrong:?}");
            assert_eq!((found[0].promise, found[0].version), ("R13", 9));
        }
    }
    assert_eq!(missing(None, RefundMethod::Cash), [], "people gave it");
}
