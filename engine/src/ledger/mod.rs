//! The promises of the journal as one fold, written without the aggregates that they check.
//!
//! Each stream's events are booked in the order of their versions; streams may come in any order,
//! and in several ledgers, because no check of [`Ledger::book`] looks at two of them. What only the
//! whole history can tell is in the [`Closing`].
//!
//! - R1: stock is conserved at every position, countable and never negative.
//! - R3: one placement per order, first of all its events and under its own name; what comes under
//!   a key of its client is done once, for as long as the entity must remember it.
//! - R4: money is captured at most once per order.
//! - R5: what moves money posts legs that cancel out; captures and refunds are in the order's
//!   currency.
//! - R6: each taking of a hold ends exactly once, and lapses only when its time has run out.
//! - R12: states follow the published edges; versions are contiguous.
//! - R13: not more is refunded than was captured, not more comes back than was bought, nothing goes
//!   back twice, what customers return is in stock only after their money is back, and what went back
//!   as store credit is there.
//! - R14: a line quotes the price that its listing had at the version that the line names.
//!
//! Memory: for each stream its name and a few counts; for each order that was not called off its lines; for each hold that lives, lapsed or was sold its units, because it may go back; for each
//! version of a listing that orders quote one price. What was released and what has ended is forgotten.

mod accounts;
mod buyers;
mod closing;
mod deposits;
mod drills;
mod endpoints;
mod entry;
mod feeds;
mod jobs;
mod listings;
mod orders;
mod prices;
mod promos;
mod recent;
mod returns;
mod reviews;
mod stocks;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::{BTreeMap, BTreeSet};

use crate::aggregate::Aggregate as _;
use crate::catalog::Product;
use crate::values::ProductId;

pub use accounts::{Account, Balances};
use buyers::BuyerBook;
pub use closing::{Closing, OpenCapture, OpenHold, Unmatched};
use deposits::{Deposits, Made};
use drills::DrillBook;
use endpoints::EndpointBook;
pub use entry::{Entry, LedgerEvent, Place};
use feeds::{ImportBook, PartnerBook, ToggleBook};
use jobs::JobBook;
use listings::{CartBook, ListingBook};
use orders::{OrderBook, Totals};
use prices::{Listed, Quotes};
use promos::PromoBook;
use returns::ReturnBook;
use reviews::ReviewsBook;
use stocks::StockBook;
pub use violation::Violation;
use violation::{Found, broken};

/// A map that is asked for one thing per event. Nobody walks it without sorting what was found.
#[expect(
    clippy::disallowed_types,
    reason = "faster than a sorted one when there are a million keys"
)]
type Lookup<K, V> = std::collections::HashMap<K, V>;

/// What is known of one stream.
#[derive(Debug)]
enum Book {
    Listing(ListingBook),
    Stock(Box<StockBook>),
    Cart(CartBook),
    Order(OrderBook),
    Buyer(BuyerBook),
    Reviews(ReviewsBook),
    Return(ReturnBook),
    Drill(DrillBook),
    Endpoint(EndpointBook),
    Import(ImportBook),
    Partner(PartnerBook),
    Toggle(ToggleBook),
    Job(JobBook),
    Promo(PromoBook),
    /// A promise was broken here. What follows is not judged, so that one fault is told once.
    Broken,
}

/// The books of a journal, or of a part of it that holds whole streams.
#[derive(Debug, Default)]
pub struct Ledger {
    streams: Lookup<Box<str>, (u64, Book)>,
    totals: Totals,
    events: u64,
}

impl Ledger {
    /// Books an event.
    ///
    /// After a violation the rest of its stream is counted but not judged; other streams are.
    ///
    /// # Errors
    ///
    /// The first promise that the event breaks.
    pub fn book(&mut self, entry: &Entry<'_>) -> Result<(), Violation> {
        self.events = self.events.saturating_add(1);
        let version = entry.version;
        let known = self.streams.get_mut(entry.stream);
        // A name is copied once per stream, not once per event.
        let (last, book) = if let Some((last, book)) = known {
            (last, book)
        } else {
            let fresh = (0, Book::new(entry.event));
            let (last, book) = self.streams.entry(entry.stream.into()).or_insert(fresh);
            (last, book)
        };
        let before = std::mem::replace(last, version);
        let found = if matches!(book, Book::Broken) {
            Ok(())
        } else if before.checked_add(1) == Some(version) {
            book.enter(entry, &mut self.totals)
        } else {
            broken("R12", format!("version {version} follows version {before}"))
        };
        found.map_err(|found| {
            *book = Book::Broken;
            found.at(entry)
        })
    }

    /// Judges no more of a stream: one of its events cannot be read. The event counts.
    pub fn give_up(&mut self, stream: &str) {
        self.events = self.events.saturating_add(1);
        let book = self.streams.entry(stream.into()).or_insert((0, Book::Broken));
        book.1 = Book::Broken;
    }

    /// What is open at the end. Once all work is done there must be nothing.
    pub fn finish(&self) -> Closing {
        close([self])
    }
}

/// What is open at the end of a journal whose parts were booked in several ledgers.
pub fn close<'a>(ledgers: impl IntoIterator<Item = &'a Ledger>) -> Closing {
    let mut closing = Closing::default();
    let (mut listed, mut quotes) = (BTreeMap::<ProductId, Listed>::new(), Quotes::default());
    let (mut deposits, mut made) = (Deposits::default(), Made::new());
    let mut broken = BTreeSet::new();
    for ledger in ledgers {
        closing.events = closing.events.saturating_add(ledger.events);
        for (stream, (_, book)) in &ledger.streams {
            closing.streams = closing.streams.saturating_add(1);
            let (kind, key) = stream.split_once('/').unwrap_or((stream, stream));
            match book {
                Book::Stock(stock) => stock.close(key, &mut closing, &mut made),
                Book::Order(order) => order.close(&mut closing),
                Book::Listing(listing) => {
                    listed.extend(ProductId::parse(key).map(|id| (id, listing.listed().clone())));
                }
                Book::Cart(_)
                | Book::Return(_)
                | Book::Buyer(_)
                | Book::Reviews(_)
                | Book::Drill(_)
                | Book::Endpoint(_)
                | Book::Import(_)
                | Book::Partner(_)
                | Book::Job(_)
                | Book::Promo(_)
                | Book::Toggle(_) => {}
                Book::Broken => {
                    closing.broken_streams = closing.broken_streams.saturating_add(1);
                    broken.extend(ProductId::parse(key).ok().filter(|_| kind == Product::KIND));
                }
            }
        }
        for (product, units) in &ledger.totals.units {
            let known = closing.units.entry(product.clone()).or_default();
            known.ordered = known.ordered.saturating_add(*units);
        }
        // The order may lie in another part than its return.
        for (product, units) in &ledger.totals.returned {
            let known = closing.units.entry(product.clone()).or_default();
            known.returned = known.returned.saturating_add(*units);
        }
        for (key, balance) in &ledger.totals.balances {
            accounts::add(&mut closing.balances, *key, *balance);
        }
        quotes.absorb(&ledger.totals.quotes);
        deposits.absorb(&ledger.totals.deposits);
    }
    closing.open_holds.sort_unstable_by(|one, other| one.name().cmp(&other.name()));
    closing.open_captures.sort_unstable_by_key(|capture| capture.order);
    closing.units.retain(|_, units| units.ordered.checked_sub(units.returned) != Some(units.sold));
    closing.balances.retain(|_, balance| *balance != 0);
    closing.missing_credit = deposits.missing(&made);
    closing.mispriced = quotes.wrong(&listed, |product| broken.contains(product));
    closing
}

impl Book {
    fn new(event: LedgerEvent<'_>) -> Self {
        match event {
            LedgerEvent::Product(_) => Self::Listing(ListingBook::default()),
            LedgerEvent::Inventory(_) => Self::Stock(Box::default()),
            LedgerEvent::Cart(_) => Self::Cart(CartBook::default()),
            LedgerEvent::Order(_) => Self::Order(OrderBook::default()),
            LedgerEvent::Buyer(_) => Self::Buyer(BuyerBook::default()),
            LedgerEvent::Reviews(_) => Self::Reviews(ReviewsBook::default()),
            LedgerEvent::Return(_) => Self::Return(ReturnBook::default()),
            LedgerEvent::Drill(_) => Self::Drill(DrillBook::default()),
            LedgerEvent::Endpoint(_) => Self::Endpoint(EndpointBook::default()),
            LedgerEvent::Import(_) => Self::Import(ImportBook::default()),
            LedgerEvent::Partner(_) => Self::Partner(PartnerBook::default()),
            LedgerEvent::Toggle(_) => Self::Toggle(ToggleBook::default()),
            LedgerEvent::Job(_) => Self::Job(JobBook),
            LedgerEvent::Promo(_) => Self::Promo(PromoBook::default()),
        }
    }

    fn enter(&mut self, entry: &Entry<'_>, totals: &mut Totals) -> Result<(), Found> {
        match (self, entry.event) {
            (Self::Listing(book), LedgerEvent::Product(event)) => book.enter(entry.version, event),
            (Self::Stock(book), LedgerEvent::Inventory(event)) => book.enter(entry, event),
            (Self::Cart(book), LedgerEvent::Cart(event)) => book.enter(entry.version, event),
            (Self::Order(book), LedgerEvent::Order(event)) => book.enter(entry, event, totals),
            (Self::Buyer(book), LedgerEvent::Buyer(event)) => book.enter(event),
            (Self::Reviews(book), LedgerEvent::Reviews(event)) => book.enter(event),
            (Self::Return(book), LedgerEvent::Return(event)) => book.enter(event, totals),
            (Self::Drill(book), LedgerEvent::Drill(event)) => book.enter(event),
            (Self::Endpoint(book), LedgerEvent::Endpoint(event)) => book.enter(event),
            (Self::Import(book), LedgerEvent::Import(event)) => book.enter(entry.version, event),
            (Self::Partner(book), LedgerEvent::Partner(event)) => book.enter(event),
            (Self::Toggle(book), LedgerEvent::Toggle(event)) => book.enter(event),
            (Self::Job(_), LedgerEvent::Job(event)) => JobBook::enter(entry.at, event),
            (Self::Promo(book), LedgerEvent::Promo(event)) => book.enter(entry.key(), event),
            (
                Self::Listing(_)
                | Self::Stock(_)
                | Self::Cart(_)
                | Self::Order(_)
                | Self::Buyer(_)
                | Self::Reviews(_)
                | Self::Return(_)
                | Self::Drill(_)
                | Self::Endpoint(_)
                | Self::Import(_)
                | Self::Partner(_)
                | Self::Toggle(_)
                | Self::Job(_)
                | Self::Promo(_)
                | Self::Broken,
                LedgerEvent::Product(_)
                | LedgerEvent::Inventory(_)
                | LedgerEvent::Cart(_)
                | LedgerEvent::Order(_)
                | LedgerEvent::Drill(_)
                | LedgerEvent::Endpoint(_)
                | LedgerEvent::Import(_)
                | LedgerEvent::Partner(_)
                | LedgerEvent::Toggle(_)
                | LedgerEvent::Buyer(_)
                | LedgerEvent::Reviews(_)
                | LedgerEvent::Return(_)
                | LedgerEvent::Job(_)
                | LedgerEvent::Promo(_),
            ) => broken("R12", "an event of another kind stands in the stream".to_owned()),
        }
    }
}
