//! What is open at the end of a journal.

use super::*;
use crate::ledger::Account::{self, Captured, Receivable, Refunded, Sales, Shipping, Tax};
use crate::ledger::{Closing, OpenCapture, OpenHold, Unmatched, close};
use crate::values::Currency;

fn balances(closing: &Closing) -> Vec<(Account, i128)> {
    let in_dollars = |((currency, account), balance): (&(Currency, Account), &i128)| {
        assert_eq!(*currency, Currency::USD);
        (*account, *balance)
    };
    closing.balances.iter().map(in_dollars).collect()
}

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
    assert_eq!(balances(&closing), [(Captured, 199_998), (Sales, -199_998)]);
}

#[test]
fn a_sale_that_was_undone_leaves_nothing_open() {
    let mut journal = sold();
    journal.sound([cancelled(), refunded(199_998), OrderEvent::StockReturned]);
    journal.sound([InventoryEvent::Restocked { hold: ORDER.hold(), quantity: units(2) }]);
    let closing = journal.ledger.finish();
    assert!(closing.is_quiescent(), "{closing:?}");
    assert_eq!(balances(&closing), [(Captured, 199_998), (Refunded, -199_998)]);
}

#[test]
fn what_a_standing_order_is_made_of_is_booked_and_cancels_out() {
    let mut taxed = placement();
    taxed.amounts.shipping = usd(500);
    taxed.amounts.tax = usd(100);
    taxed.amounts.total = usd(200_598);
    let mut journal = Journal::default();
    journal.sound([placed_as(taxed)]);
    let open = balances(&journal.ledger.finish());
    let expected = [(Receivable, 200_598), (Sales, -199_998), (Shipping, -500), (Tax, -100)];
    assert_eq!(open, expected);
    assert_eq!(open.iter().map(|(_, balance)| balance).sum::<i128>(), 0);
    journal.sound([cancelled()]);
    assert_eq!(balances(&journal.ledger.finish()), []);
}

#[test]
fn money_that_is_owed_to_the_customer_stays_on_their_account() {
    let mut journal = sold();
    journal.sound([cancelled()]);
    let open = balances(&journal.ledger.finish());
    assert_eq!(open, [(Receivable, -199_998), (Captured, 199_998)]);
}

#[test]
fn parts_of_a_journal_that_were_booked_apart_close_together() {
    let (mut stock, mut orders) = (Journal::default(), Journal::default());
    stock.sound([received(5), taken(ORDER.hold(), 2)]);
    stock.sound([InventoryEvent::Committed { hold: ORDER.hold(), quantity: units(2) }]);
    orders.sound([placed(), captured(), OrderEvent::StockCommitted]);
    assert!(!stock.ledger.finish().is_quiescent());
    assert!(!orders.ledger.finish().is_quiescent());
    let together = close([&stock.ledger, &orders.ledger]);
    assert!(together.is_quiescent(), "{together:?}");
    assert_eq!((together.events, together.streams, together.orders), (6, 2, 1));
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
    assert_eq!(
        closing.units.get(&product("laptop")),
        Some(&Unmatched { sold: 2, ordered: 0, returned: 0 })
    );
}

#[test]
fn orders_whose_units_no_stock_has_sold_are_told() {
    let cash = Wish { method: PaymentMethod::Cash, token: None };
    let two = [("laptop", 2, 99_999), ("mouse", 1, 2_550)];
    let mut journal = Journal::default();
    journal.sound([placed_as(placement_of(Some(cash), &two)), OrderEvent::StockCommitted]);
    let closing = journal.ledger.finish();
    assert_eq!(
        closing.units.get(&product("laptop")),
        Some(&Unmatched { sold: 0, ordered: 2, returned: 0 })
    );
    assert_eq!(
        closing.units.get(&product("mouse")),
        Some(&Unmatched { sold: 0, ordered: 1, returned: 0 })
    );
}

#[test]
fn an_empty_journal_is_quiescent() {
    assert!(Ledger::default().finish().is_quiescent());
}
