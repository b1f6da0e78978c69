//! R14: what orders quote is what listings had.

use super::*;
use crate::ledger::close;
use crate::order::Line;

const LISTING: &str = "product/laptop";

fn published(minor: i64) -> ProductEvent {
    let (product, name) = (product("laptop"), "Laptop".to_owned());
    ProductEvent::Published { product, name, price: usd(minor) }
}

fn repriced(minor: i64) -> ProductEvent {
    ProductEvent::Repriced { price: usd(minor) }
}

fn renamed() -> ProductEvent {
    ProductEvent::Renamed { name: "Notebook".to_owned() }
}

/// Two laptops at the listed price of a version, or at another one.
fn quoting(version: u64, listed: i64, asked: Option<i64>) -> OrderEvent {
    let unit = asked.unwrap_or(listed);
    let mut placement = placement_of(None, &[("laptop", 2, unit)]);
    let quote = |line: Line| Line {
        listing_version: version,
        listed_price: asked.map(|_| usd(listed)).filter(|listed| *listed != line.unit_price),
        ..line
    };
    placement.lines = placement.lines.into_iter().map(quote).collect();
    placed_as(placement)
}

fn mispriced(listing: &[ProductEvent], order: OrderEvent) -> Vec<Violation> {
    let (mut listings, mut orders) = (Journal::default(), Journal::default());
    listings.sound(listing.iter().cloned());
    orders.sound([order]);
    let apart = close([&orders.ledger, &listings.ledger]).mispriced;
    assert_eq!(close([&listings.ledger, &orders.ledger]).mispriced, apart);
    apart
}

#[test]
fn a_line_costs_what_its_listing_did_at_the_version_that_it_names() {
    let listing = [published(500), renamed(), repriced(400), renamed()];
    for (version, price) in [(1, 500), (2, 500), (3, 400), (4, 400)] {
        assert_eq!(mispriced(&listing, quoting(version, price, None)), []);
        let found = mispriced(&listing, quoting(version, price - 1, None));
        assert_eq!((found.len(), found[0].promise, found[0].version), (1, "R14", 1));
        assert_eq!((found[0].stream.as_str(), found[0].place.position), (&*order_stream(), 1));
        assert!(found[0].sentence.contains(&format!("says {}", usd(price))), "{}", found[0]);
    }
}

#[test]
fn a_version_that_the_listing_never_had_is_told() {
    for (listing, version) in [(&[][..], 1), (&[published(500)][..], 2), (&[published(500)], 0)] {
        let found = mispriced(listing, quoting(version, 500, None));
        assert_eq!(found.len(), 1);
        assert!(found[0].sentence.contains("which is not there"), "{}", found[0]);
    }
}

#[test]
fn a_price_of_ones_own_leaves_the_listed_one_to_be_judged() {
    assert_eq!(mispriced(&[published(500)], quoting(1, 500, Some(1))), []);
    assert_eq!(mispriced(&[published(500)], quoting(1, 499, Some(1))).len(), 1);
}

#[test]
fn a_listing_with_a_broken_history_judges_nobody() {
    let mut journal = Journal::default();
    journal.sound([published(500)]);
    journal.book(published(500)).unwrap_err();
    journal.sound([repriced(1)]);
    journal.sound([quoting(3, 77, None)]);
    assert_eq!(journal.ledger.finish().mispriced, []);
}

#[test]
fn the_same_wrong_price_in_two_parts_is_told_where_it_lies_lowest() {
    let (mut low, mut high) = (Journal::default(), Journal { position: 7, ..Journal::default() });
    low.sound([quoting(1, 499, None)]);
    high.sound([quoting(1, 499, None)]);
    for parts in [[&low, &high], [&high, &low]] {
        let found = close(parts.map(|part| &part.ledger)).mispriced;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Place { shard: 3, position: 1 });
    }
}

#[test]
fn nothing_is_judged_of_a_listing_that_cannot_be_read() {
    let mut journal = Journal::default();
    journal.ledger.give_up(LISTING);
    journal.versions.insert(LISTING.to_owned(), 1);
    journal.sound([repriced(1)]);
    journal.sound([quoting(3, 77, None)]);
    let closing = journal.ledger.finish();
    assert_eq!((closing.mispriced.len(), closing.broken_streams, closing.events), (0, 1, 3));
}

#[test]
fn the_same_wrong_price_is_told_once_where_it_was_quoted_first() {
    let mut journal = Journal::default();
    journal.book_in(LISTING, &published(500).into()).unwrap();
    for number in 1..=3 {
        let OrderEvent::Placed(placement) = quoting(1, 499, None) else { unreachable!() };
        let order = crate::values::OrderId::new(uuid::Uuid::from_u128(number));
        let placement = Placement { order, ..Placement::clone(&placement) };
        journal.book_in(&format!("order/{order}"), &placed_as(placement).into()).unwrap();
    }
    let found = journal.ledger.finish().mispriced;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, Place { shard: 3, position: 2 });
}
