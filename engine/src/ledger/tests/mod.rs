//! A sound journal passes; each kind of broken promise is found, where it is.

mod closing;
mod credit;
mod entities;
mod feeds;
mod orders;
mod prices;
mod promos;
mod returns;
mod stocks;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Entry, Ledger, LedgerEvent, Place, Violation};
use crate::cart::CartEvent;
use crate::catalog::ProductEvent;
use crate::drill::DrillEvent;
use crate::import::ImportEvent;
use crate::inventory::InventoryEvent;
use crate::order::{CancelReason, OrderEvent, OrderStatus, Placement, Wish};
use crate::partner::PartnerEvent;
use crate::promo::PromoEvent;
use crate::rma::ReturnEvent;
use crate::samples::{
    ORDER, adjustment, cart, customer, hold, placement, placement_of, product, seconds, units, usd,
};
use crate::toggle::ToggleEvent;
use crate::values::{HoldId, Moment, PaymentMethod};

const STOCK: &str = "inventory/laptop";

fn order_stream() -> String {
    format!("order/{ORDER}")
}

/// One event of the sample streams.
#[derive(Clone, Debug)]
enum Event {
    Product(ProductEvent),
    Stock(InventoryEvent),
    Cart(CartEvent),
    Order(OrderEvent),
    Return(ReturnEvent),
    Drill(DrillEvent),
    Import(ImportEvent),
    Partner(PartnerEvent),
    Toggle(ToggleEvent),
    Promo(PromoEvent),
}

impl Event {
    fn stream(&self) -> String {
        match self {
            Self::Product(_) => "product/laptop".to_owned(),
            Self::Stock(_) => STOCK.to_owned(),
            Self::Cart(_) => "cart/1".to_owned(),
            Self::Order(_) => order_stream(),
            Self::Return(_) => "return/1".to_owned(),
            Self::Drill(_) => "drill/faults".to_owned(),
            Self::Import(_) => "import/1".to_owned(),
            Self::Partner(_) => "partner/register".to_owned(),
            Self::Toggle(_) => "toggle/switches".to_owned(),
            Self::Promo(_) => "promo/SPRING".to_owned(),
        }
    }

    fn as_event(&self) -> LedgerEvent<'_> {
        match self {
            Self::Product(event) => LedgerEvent::Product(event),
            Self::Stock(event) => LedgerEvent::Inventory(event),
            Self::Cart(event) => LedgerEvent::Cart(event),
            Self::Order(event) => LedgerEvent::Order(event),
            Self::Return(event) => LedgerEvent::Return(event),
            Self::Drill(event) => LedgerEvent::Drill(event),
            Self::Import(event) => LedgerEvent::Import(event),
            Self::Partner(event) => LedgerEvent::Partner(event),
            Self::Toggle(event) => LedgerEvent::Toggle(event),
            Self::Promo(event) => LedgerEvent::Promo(event),
        }
    }
}

impl From<ProductEvent> for Event {
    fn from(event: ProductEvent) -> Self {
        Self::Product(event)
    }
}

impl From<InventoryEvent> for Event {
    fn from(event: InventoryEvent) -> Self {
        Self::Stock(event)
    }
}

impl From<CartEvent> for Event {
    fn from(event: CartEvent) -> Self {
        Self::Cart(event)
    }
}

impl From<OrderEvent> for Event {
    fn from(event: OrderEvent) -> Self {
        Self::Order(event)
    }
}

impl From<ReturnEvent> for Event {
    fn from(event: ReturnEvent) -> Self {
        Self::Return(event)
    }
}

impl From<DrillEvent> for Event {
    fn from(event: DrillEvent) -> Self {
        Self::Drill(event)
    }
}

impl From<ImportEvent> for Event {
    fn from(event: ImportEvent) -> Self {
        Self::Import(event)
    }
}

impl From<PartnerEvent> for Event {
    fn from(event: PartnerEvent) -> Self {
        Self::Partner(event)
    }
}

impl From<ToggleEvent> for Event {
    fn from(event: ToggleEvent) -> Self {
        Self::Toggle(event)
    }
}

impl From<PromoEvent> for Event {
    fn from(event: PromoEvent) -> Self {
        Self::Promo(event)
    }
}

/// A journal that numbers what is written to it.
#[derive(Default)]
struct Journal {
    ledger: Ledger,
    versions: BTreeMap<String, u64>,
    position: u64,
    now: Moment,
}

impl Journal {
    fn book(&mut self, event: impl Into<Event>) -> Result<(), Violation> {
        let event = event.into();
        self.book_in(&event.stream(), &event)
    }

    fn book_in(&mut self, stream: &str, event: &Event) -> Result<(), Violation> {
        let version = self.versions.entry(stream.to_owned()).or_default();
        *version = version.checked_add(1).unwrap();
        self.position = self.position.checked_add(1).unwrap();
        let (version, at) = (*version, self.now);
        let place = Place { shard: 3, position: self.position };
        self.ledger.book(&Entry { place, stream, version, at, event: event.as_event() })
    }

    /// Books what must be sound.
    fn sound<E: Into<Event>>(&mut self, events: impl IntoIterator<Item = E>) {
        for event in events {
            self.book(event).unwrap();
        }
    }
}

/// `history` is sound up to its last event, which breaks `promise` with these words.
fn breaks<E: Into<Event> + Clone>(history: &[E], promise: &str, words: &str) {
    let (last, before) = history.split_last().unwrap();
    let mut journal = Journal { now: seconds(60), ..Journal::default() };
    journal.sound(before.iter().cloned());
    let last: Event = last.clone().into();
    let (stream, version) = (last.stream(), u64::try_from(history.len()).unwrap());
    let violation = journal.book(last).unwrap_err();
    assert_eq!(violation.promise, promise, "{violation}");
    assert_eq!((violation.stream, violation.version), (stream, version));
    assert_eq!(violation.place, Place { shard: 3, position: version });
    assert!(violation.sentence.contains(words), "{:?} lacks {words:?}", violation.sentence);
}

fn received(count: i64) -> InventoryEvent {
    adjusted(1, count)
}

fn adjusted(number: u128, delta: i64) -> InventoryEvent {
    let reason = "delivery".to_owned();
    InventoryEvent::Adjusted { adjustment: adjustment(number), delta, reason }
}

fn taken(by: HoldId, count: u32) -> InventoryEvent {
    let expires_at = seconds(60);
    InventoryEvent::Held {
        hold: by,
        quantity: units(count),
        customer: customer("alice"),
        expires_at,
    }
}

fn held(count: u32) -> InventoryEvent {
    taken(hold(1), count)
}

fn committed(count: u32) -> InventoryEvent {
    InventoryEvent::Committed { hold: hold(1), quantity: units(count) }
}

fn committed_late(count: u32) -> InventoryEvent {
    InventoryEvent::CommittedLate { hold: hold(1), quantity: units(count) }
}

fn released(count: u32) -> InventoryEvent {
    InventoryEvent::Released { hold: hold(1), quantity: units(count) }
}

fn expired(count: u32) -> InventoryEvent {
    InventoryEvent::Expired { hold: hold(1), quantity: units(count) }
}

fn restocked(count: u32) -> InventoryEvent {
    InventoryEvent::Restocked { hold: hold(1), quantity: units(count) }
}

fn extended() -> InventoryEvent {
    InventoryEvent::Extended { hold: hold(1), expires_at: seconds(900) }
}

fn placed() -> OrderEvent {
    placed_as(placement())
}

fn placed_as(placement: Placement) -> OrderEvent {
    OrderEvent::Placed(Arc::new(placement))
}

fn captured() -> OrderEvent {
    OrderEvent::PaymentCaptured { attempt: 1, amount: usd(199_998), reference: "ch_1".to_owned() }
}

fn refunded(minor: i64) -> OrderEvent {
    OrderEvent::PaymentRefunded { amount: usd(minor) }
}

fn cancelled() -> OrderEvent {
    OrderEvent::Cancelled {
        by: "alice".into(),
        reason: CancelReason::Asked(None),
        reconcile_until: None,
    }
}

fn moved_to(status: OrderStatus) -> OrderEvent {
    OrderEvent::StatusChanged { status, by: "ops-1".into() }
}
