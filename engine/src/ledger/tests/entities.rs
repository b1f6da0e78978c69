//! Versions, kinds, listings and carts.

use super::*;
use crate::catalog::ProductStatus;
use crate::drill::{Asker, Ending, Fault, FaultName};
use crate::samples::picture;
use crate::values::{Currency, Money};

fn published(price: Money) -> ProductEvent {
    ProductEvent::Published { product: product("laptop"), name: "Laptop".to_owned(), price }
}

fn repriced(price: Money) -> ProductEvent {
    ProductEvent::Repriced { price }
}

fn opened() -> CartEvent {
    CartEvent::Opened { cart: cart(1), customer: None }
}

fn line(count: u32) -> CartEvent {
    CartEvent::LineSet { product: product("laptop"), quantity: units(count) }
}

#[test]
fn versions_are_contiguous_from_one() {
    let event = received(1);
    for versions in [[2, 3], [1, 3], [1, 1], [0, 1]] {
        let mut ledger = Ledger::default();
        let mut found = Vec::new();
        for version in versions {
            let event = LedgerEvent::Inventory(&event);
            let place = Place::default();
            let entry = Entry { place, stream: STOCK, version, at: seconds(0), event };
            found.extend(ledger.book(&entry).err());
        }
        assert_eq!(found.len(), 1, "told once: {found:?}");
        assert_eq!(found[0].promise, "R12");
        assert!(found[0].sentence.contains("follows version"), "{}", found[0]);
    }
}

#[test]
fn a_stream_holds_events_of_one_kind() {
    let mut journal = Journal::default();
    journal.sound([received(1)]);
    let violation = journal.book_in(STOCK, &placed().into()).unwrap_err();
    assert_eq!((violation.promise, violation.version), ("R12", 2));
    assert!(violation.sentence.contains("another kind"));
}

#[test]
fn pictures_come_once_and_go_once() {
    let added = |digest| ProductEvent::PictureAdded { picture: picture("laptop", digest) };
    let removed = || ProductEvent::PictureRemoved { name: picture("laptop", 1).name };
    Journal::default().sound([published(usd(5)), added(1), added(2), removed(), added(1)]);
    breaks(&[published(usd(5)), added(1), added(1)], "R12", "one too many");
    breaks(&[published(usd(5)), added(1), removed(), removed()], "R12", "was not shown");
    breaks(&[added(1)], "R12", "never published");
    let full = [published(usd(5))].into_iter().chain((0..=20).map(added));
    breaks(&full.collect::<Vec<_>>(), "R12", "one too many");
}

#[test]
fn a_violation_says_where_it_is() {
    let mut journal = Journal::default();
    let violation = journal.book(held(1)).unwrap_err();
    assert_eq!(
        violation.to_string(),
        "R1 broken at 3:1 by inventory/laptop version 1: \
         -1 units available, 1 held, 0 sold: one is below zero"
    );
}

#[test]
fn after_a_violation_its_stream_is_not_judged_but_others_are() {
    let mut journal = Journal::default();
    journal.book(held(1)).unwrap_err();
    journal.sound([held(1), held(1)]);
    journal.book(captured()).unwrap_err();
    assert_eq!(journal.ledger.finish().broken_streams, 2);
}

#[test]
fn a_listing_is_published_once_and_keeps_its_currency() {
    let euros = Money::new(1, Currency::EUR);
    Journal::default().sound([
        published(usd(5)),
        repriced(usd(0)),
        ProductEvent::Renamed { name: String::new() },
        ProductEvent::StatusChanged { status: ProductStatus::Inactive },
    ]);
    breaks(&[published(usd(5)), published(usd(5))], "R12", "published again");
    breaks(&[published(usd(5)), repriced(euros)], "R5", "not in the currency");
    breaks(&[published(usd(-5))], "R5", "below zero");
    breaks(&[published(usd(5)), repriced(usd(-1))], "R5", "below zero");
    breaks(&[ProductEvent::Renamed { name: String::new() }], "R12", "never published");
    breaks(&[repriced(usd(5))], "R5", "not in the currency");
}

#[test]
fn a_cart_is_opened_once_and_does_not_change_while_it_belongs_to_an_order() {
    let checked_out = || CartEvent::CheckedOut { order: ORDER };
    let removed = || CartEvent::LineRemoved { product: product("laptop") };
    let reopened = || CartEvent::Reopened { order: ORDER };
    Journal::default().sound([opened(), line(1), removed(), CartEvent::Cleared, checked_out()]);
    Journal::default().sound([opened(), checked_out(), reopened(), line(1), checked_out()]);
    breaks(&[line(1)], "R12", "opened once");
    breaks(&[opened(), opened()], "R12", "opened once");
    breaks(&[opened(), line(0)], "R12", "no units");
    for change in [line(1), removed(), CartEvent::Cleared, checked_out()] {
        breaks(&[opened(), line(1), checked_out(), change], "R12", "while it belonged to order");
    }
    breaks(&[opened(), reopened()], "R12", "which did not have it");
    let other = CartEvent::Reopened { order: crate::values::OrderId::new(uuid::Uuid::nil()) };
    breaks(&[opened(), checked_out(), other], "R12", "which did not have it");
}

#[test]
fn a_fault_ends_only_while_it_is_injected() {
    let injected = |fault| DrillEvent::FaultInjected {
        fault,
        until: None,
        asker: Asker { by: "ops".to_owned(), request: "r-1".to_owned() },
    };
    let ended = || DrillEvent::FaultEnded { fault: FaultName::RedisCut, how: Ending::Expired };
    let cut = || injected(Fault::RedisCut);
    Journal::default().sound([cut(), cut(), ended(), cut()]);
    breaks(&[ended()], "R12", "was not injected");
    breaks(&[cut(), ended(), ended()], "R12", "was not injected");
    breaks(&[injected(Fault::PaymentLatency { millis: 0 })], "R12", "outside of what");
}

#[test]
fn a_key_is_answered_once_as_long_as_it_must_be_remembered() {
    let answered =
        |key: u128, says| CartEvent::Answered { request: crate::samples::keyed(key, says) };
    breaks(&[opened(), answered(1, 1), line(1), answered(1, 1)], "R3", "answered twice");
    breaks(&[opened(), answered(1, 1), answered(1, 2)], "R3", "to another request");
    let mut history = vec![opened()];
    history.extend((1..=65).map(|key| answered(key, 1)));
    history.push(answered(1, 2));
    Journal::default().sound(history);

    let answered = |says| ProductEvent::Answered { request: crate::samples::keyed(1, says) };
    breaks(&[published(usd(5)), answered(1), answered(2)], "R3", "to another request");
    breaks(&[answered(1)], "R12", "never published");
}
