//! R1, R5 and R12 in the history of a promo code, of its uses and of the orders that have one.

use super::*;
use crate::ledger::Unmatched;
use crate::promo::{NewPromo, PromoUse, Rebate, USES_UNLIMITED};
use crate::values::{Currency, Money, PromoCode};

const USES: &str = "inventory/promo/SPRING";

fn code(text: &str) -> PromoCode {
    PromoCode::parse(text).unwrap()
}

fn made(text: &str) -> PromoEvent {
    PromoEvent::Created(Box::new(NewPromo {
        code: code(text),
        rebate: Rebate::PercentBps(1_000),
        minimum: None,
        starts_at: None,
        ends_at: None,
        uses_max: Some(1),
        uses_per_customer: None,
    }))
}

/// The sample order with so much taken off, of which the code takes `off`.
fn placed_under(off: Money, discount: i64) -> OrderEvent {
    let mut placement = placement();
    placement.amounts.discount = usd(discount);
    placement.amounts.total = placement.amounts.total.checked_sub(usd(discount)).unwrap();
    placement.promo = Some(PromoUse { code: code("SPRING"), amount: off });
    placed_as(placement)
}

/// What the first use that is wrong is told as.
fn wrong_uses(history: &[InventoryEvent]) -> Violation {
    let mut journal = Journal::default();
    let (last, before) = history.split_last().unwrap();
    for event in before {
        journal.book_in(USES, &event.clone().into()).unwrap();
    }
    journal.book_in(USES, &last.clone().into()).unwrap_err()
}

/// Two laptops were sold by an order, under the code or not, and so many uses were.
fn sold(order: OrderEvent, uses: &[InventoryEvent]) -> BTreeMap<String, Unmatched> {
    let mut journal = Journal { now: seconds(60), ..Journal::default() };
    let commit = |count| InventoryEvent::Committed { hold: ORDER.hold(), quantity: units(count) };
    journal.sound([received(5), taken(ORDER.hold(), 2), commit(2)]);
    journal.sound([made("SPRING")]);
    for event in uses {
        journal.book_in(USES, &event.clone().into()).unwrap();
    }
    journal.sound([order, captured(), OrderEvent::StockCommitted]);
    let open = journal.ledger.finish().units.into_iter();
    open.map(|(product, units)| (product.to_string(), units)).collect()
}

fn one_use() -> [InventoryEvent; 3] {
    let committed = InventoryEvent::Committed { hold: ORDER.hold(), quantity: units(1) };
    [received(1), taken(ORDER.hold(), 1), committed]
}

#[test]
fn a_code_is_made_once_under_its_own_name_and_ended_once() {
    Journal::default().sound([made("SPRING"), PromoEvent::Ended]);
    breaks(&[made("SPRING"), made("SPRING")], "R12", "made twice");
    breaks(&[made("SUMMER")], "R12", "SUMMER was made here");
    breaks(&[PromoEvent::Ended], "R12", "not open");
    breaks(&[made("SPRING"), PromoEvent::Ended, PromoEvent::Ended], "R12", "not open");
}

#[test]
fn the_uses_of_a_code_come_in_once() {
    let again = wrong_uses(&[received(1), adjusted(2, 1)]);
    assert_eq!(again.promise, "R1");
    assert!(again.sentence.contains("a second time"), "{again}");
    for count in [0, -1, i64::from(USES_UNLIMITED) + 1] {
        let found = wrong_uses(&[received(count)]);
        assert!(found.sentence.contains(&format!("has {count} uses")), "{found}");
    }
}

#[test]
fn a_code_is_used_no_more_often_than_it_may_be() {
    let found = wrong_uses(&[received(1), taken(hold(1), 1), taken(hold(2), 1)]);
    assert_eq!((found.promise, found.version), ("R1", 3));
}

#[test]
fn a_use_belongs_to_an_order_that_stands() {
    let uses = code("SPRING").uses().to_string();
    assert_eq!(sold(placed_under(usd(0), 0), &one_use()), BTreeMap::new());
    let unsold = Unmatched { sold: 0, ordered: 1, returned: 0 };
    assert_eq!(sold(placed_under(usd(0), 0), &[]), BTreeMap::from([(uses.clone(), unsold)]));
    let unowned = Unmatched { sold: 1, ordered: 0, returned: 0 };
    assert_eq!(sold(placed(), &one_use()), BTreeMap::from([(uses, unowned)]));
}

#[test]
fn a_code_takes_no_more_off_than_the_whole_discount() {
    Journal::default().sound([placed_under(usd(100), 100)]);
    for off in [usd(101), usd(-1), Money::new(100, Currency::EUR)] {
        breaks(&[placed_under(off, 100)], "R5", "SPRING takes");
    }
}
