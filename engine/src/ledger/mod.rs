//! The promises of the journal as one fold, written without the aggregates that they check.
//!
//! Each stream's events are booked in the order of their versions; streams may come in any
//! order, because no check of [`Ledger::book`] looks at two of them. What only the whole history
//! can tell is in the [`Closing`].
//!
//! - R1: stock is conserved at every position and never negative.
//! - R3: one placement per order, first of all its events and under its own name.
//! - R4: money is captured at most once per order.
//! - R5: the amounts of a placement add up; captures and refunds are in its currency.
//! - R6: each taking of a hold ends exactly once, and lapses only when its time has run out.
//! - R12: states follow the published edges; versions are contiguous.
//! - R13: not more is refunded than was captured, and nothing goes back twice.
//!
//! Memory grows with the streams and with the holds that were sold and could still go back;
//! holds that were released are forgotten, and so are the lines of orders that are over.

mod closing;
mod drills;
mod listings;
mod orders;
mod stocks;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::BTreeMap;

use crate::cart::CartEvent;
use crate::catalog::ProductEvent;
use crate::drill::DrillEvent;
use crate::inventory::InventoryEvent;
use crate::order::OrderEvent;
use crate::values::Moment;

pub use closing::{Closing, OpenCapture, OpenHold, Takings, Unmatched};
use drills::DrillBook;
use listings::{CartBook, ListingBook};
use orders::OrderBook;
use stocks::StockBook;
pub use violation::Violation;
use violation::{Found, broken};

/// One stored event of any kind.
#[derive(Clone, Copy, Debug)]
pub enum LedgerEvent<'a> {
    /// Of a listing.
    Product(&'a ProductEvent),
    /// Of a stock.
    Inventory(&'a InventoryEvent),
    /// Of a cart.
    Cart(&'a CartEvent),
    /// Of an order.
    Order(&'a OrderEvent),
    /// Of the log of drills.
    Drill(&'a DrillEvent),
}

/// What is known of one stream.
#[derive(Debug)]
enum Book {
    Listing(ListingBook),
    Stock(StockBook),
    Cart(CartBook),
    Order(OrderBook),
    Drill(DrillBook),
    /// A promise was broken here. What follows is not judged, so that one fault is told once.
    Broken,
}

/// The books of a whole journal.
#[derive(Debug, Default)]
pub struct Ledger {
    streams: BTreeMap<String, (u64, Book)>,
    events: u64,
}

impl Ledger {
    /// Books the event at `version` of `stream` (`kind/key`), decided at `at`.
    ///
    /// After a violation the rest of its stream is counted but not judged; other streams are.
    ///
    /// # Errors
    ///
    /// The first promise that the event breaks.
    pub fn book(
        &mut self,
        stream: &str,
        version: u64,
        at: Moment,
        event: LedgerEvent<'_>,
    ) -> Result<(), Violation> {
        self.events = self.events.saturating_add(1);
        let key = stream.split_once('/').map_or(stream, |(_, key)| key);
        let known = self.streams.get_mut(stream);
        // A name is copied once per stream, not once per event.
        let (last, book) = if let Some((last, book)) = known {
            (last, book)
        } else {
            let fresh = (0, Book::new(event));
            let (last, book) = self.streams.entry(stream.to_owned()).or_insert(fresh);
            (last, book)
        };
        let before = std::mem::replace(last, version);
        let found = if matches!(book, Book::Broken) {
            Ok(())
        } else if before.checked_add(1) == Some(version) {
            book.enter(key, version, at, event)
        } else {
            broken("R12", format!("version {version} follows version {before}"))
        };
        found.map_err(|found| {
            *book = Book::Broken;
            found.at(stream, version)
        })
    }

    /// What is open at the end. Once all work is done there must be nothing.
    pub fn finish(&self) -> Closing {
        let mut closing = Closing { events: self.events, ..Closing::default() };
        for (stream, (_, book)) in &self.streams {
            closing.streams = closing.streams.saturating_add(1);
            let key = stream.split_once('/').map_or(stream.as_str(), |(_, key)| key);
            match book {
                Book::Stock(stock) => stock.close(key, &mut closing),
                Book::Order(order) => order.close(&mut closing),
                Book::Broken => closing.broken_streams = closing.broken_streams.saturating_add(1),
                Book::Listing(_) | Book::Cart(_) | Book::Drill(_) => {}
            }
        }
        closing.units.retain(|_, units| units.sold != units.ordered);
        closing
    }
}

impl Book {
    fn new(event: LedgerEvent<'_>) -> Self {
        match event {
            LedgerEvent::Product(_) => Self::Listing(ListingBook::default()),
            LedgerEvent::Inventory(_) => Self::Stock(StockBook::default()),
            LedgerEvent::Cart(_) => Self::Cart(CartBook::default()),
            LedgerEvent::Order(_) => Self::Order(OrderBook::default()),
            LedgerEvent::Drill(_) => Self::Drill(DrillBook::default()),
        }
    }

    fn enter(
        &mut self,
        key: &str,
        version: u64,
        at: Moment,
        event: LedgerEvent<'_>,
    ) -> Result<(), Found> {
        match (self, event) {
            (Self::Listing(book), LedgerEvent::Product(event)) => book.enter(version, event),
            (Self::Stock(book), LedgerEvent::Inventory(event)) => book.enter(at, event),
            (Self::Cart(book), LedgerEvent::Cart(event)) => book.enter(version, event),
            (Self::Order(book), LedgerEvent::Order(event)) => book.enter(key, event),
            (Self::Drill(book), LedgerEvent::Drill(event)) => book.enter(event),
            (
                Self::Listing(_)
                | Self::Stock(_)
                | Self::Cart(_)
                | Self::Order(_)
                | Self::Drill(_)
                | Self::Broken,
                LedgerEvent::Product(_)
                | LedgerEvent::Inventory(_)
                | LedgerEvent::Cart(_)
                | LedgerEvent::Order(_)
                | LedgerEvent::Drill(_),
            ) => broken("R12", "an event of another kind stands in the stream".to_owned()),
        }
    }
}
