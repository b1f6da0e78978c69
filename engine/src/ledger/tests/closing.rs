//! What is open at the end of a journal.

use super::*;
use crate::ledger::{OpenCapture, OpenHold, Takings, Unmatched};

/// Two laptops are held for the sample order.
fn holding() -> Journal {
    let mut journal = Journal { now: seconds(60), ..Journal::default() };
    journal.sound([received(5), taken(ORDER.hold(), 2)]);
    journal.sound([placed()]);
    journal
}

/// Two laptops were sold to the sample order.
fn sold() -> Journal {
    let mut journal = holding();
    journal.sound([captured(), OrderEvent::StockCommitted]);
    journal.sound([InventoryEvent::Committed { hold: ORDER.hold(), quantity: units(2) }]);
    journal
}

#[test]
fn a_sale_leaves_nothing_open() {
    let closing = sold().ledger.finish();
    assert!(closing.is_quiescent(), "{closing:?}");
    assert_eq!((closing.events, closing.streams, closing.orders), (6, 2, 1));
    let takings = Takings { captured: 199_998, refunded: 0 };
    assert_eq!(closing.takings.into_values().collect::<Vec<_>>(), [takings]);
}

#[test]
fn a_sale_that_was_undone_leaves_nothing_open() {
    let mut journal = sold();
    journal.sound([cancelled(), refunded(199_998), OrderEvent::StockReturned]);
    journal.sound([InventoryEvent::Restocked { hold: ORDER.hold(), quantity: units(2) }]);
    let closing = journal.ledger.finish();
    assert!(closing.is_quiescent(), "{closing:?}");
    let takings = Takings { captured: 199_998, refunded: 199_998 };
    assert_eq!(closing.takings.into_values().collect::<Vec<_>>(), [takings]);
}

#[test]
fn a_hold_that_has_not_ended_is_open() {
    let closing = holding().ledger.finish();
    assert!(!closing.is_quiescent());
    let open = OpenHold {
        product: "laptop".to_owned(),
        hold: ORDER.hold(),
        quantity: 2,
        expires_at: seconds(60),
    };
    assert_eq!(closing.open_holds, [open]);
}

#[test]
fn captured_money_is_open_until_its_units_are_sold_or_all_of_it_went_back() {
    let open = |minor| vec![OpenCapture { order: ORDER, amount: usd(minor) }];
    let mut journal = Journal::default();
    journal.sound([placed(), captured()]);
    assert_eq!(journal.ledger.finish().open_captures, open(199_998));
    journal.sound([OrderEvent::StockCommitted]);
    assert_eq!(journal.ledger.finish().open_captures, []);
    journal.sound([cancelled()]);
    assert_eq!(journal.ledger.finish().open_captures, open(199_998));
    journal.sound([refunded(100_000)]);
    assert_eq!(journal.ledger.finish().open_captures, open(99_998));
    journal.sound([refunded(99_998)]);
    assert_eq!(journal.ledger.finish().open_captures, []);
}

#[test]
fn money_that_came_after_the_end_is_open_until_it_went_back() {
    let declined = OrderEvent::PaymentDeclined { attempt: 1, reason: String::new() };
    let mut journal = Journal::default();
    journal.sound([placed(), declined, captured()]);
    assert_eq!(journal.ledger.finish().open_captures.len(), 1);
    journal.sound([refunded(199_998)]);
    assert_eq!(journal.ledger.finish().open_captures, []);
}

#[test]
fn units_that_no_order_knows_of_are_told() {
    let mut journal = Journal::default();
    journal.sound([received(5), held(2), committed(2)]);
    let closing = journal.ledger.finish();
    assert!(!closing.is_quiescent());
    assert_eq!(closing.units.get(&product("laptop")), Some(&Unmatched { sold: 2, ordered: 0 }));
}

#[test]
fn orders_whose_units_no_stock_has_sold_are_told() {
    let cash = Wish { method: PaymentMethod::Cash, token: None };
    let two = [("laptop", 2, 99_999), ("mouse", 1, 2_550)];
    let mut journal = Journal::default();
    journal.sound([placed_as(placement_of(Some(cash), &two)), OrderEvent::StockCommitted]);
    let closing = journal.ledger.finish();
    assert_eq!(closing.units.get(&product("laptop")), Some(&Unmatched { sold: 0, ordered: 2 }));
    assert_eq!(closing.units.get(&product("mouse")), Some(&Unmatched { sold: 0, ordered: 1 }));
}

#[test]
fn an_empty_journal_is_quiescent() {
    assert!(Ledger::default().finish().is_quiescent());
}
