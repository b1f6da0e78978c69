//! The checker inside a simulated world: books every event that becomes durable and every answer
//! that leaves, and says which promise is broken first.
//!
//! The engine's own ledger judges the events; it is written without the aggregates that it checks.
//! What needs both an answer and the journal is judged here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use engine::Aggregate as _;
use engine::buyer::{Buyer, BuyerEvent};
use engine::cart::{Cart, CartEvent};
use engine::catalog::{Product, ProductEvent};
use engine::drill::{Drill, DrillEvent};
use engine::inventory::{Inventory, InventoryEvent};
use engine::ledger::{Entry, Ledger, LedgerEvent, Place};
use engine::order::{Order, OrderEvent, PaymentStatus};
use engine::reviews::{Reviews, ReviewsEvent};
use persistence::codec;
use persistence::journal::{Chain, Digest, GENESIS, Record, Shard};
use uuid::Uuid;

use super::deals::{self, Deals};
use super::names::{self, Names, Who};
use super::provider::Provider;
use super::store::Store;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// Which, for example `R1`.
    pub(super) promise: &'static str,
    /// What was seen, for people.
    pub(super) sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.sentence)
    }
}

impl Violation {
    pub(super) const fn new(promise: &'static str, sentence: String) -> Self {
        Self { promise, sentence }
    }
}

/// Whether a promise was kept.
pub(super) type Verdict = Result<(), Violation>;

/// `Ok` when it was; the sentence is for people.
pub(super) fn holds(
    promise: &'static str,
    kept: bool,
    sentence: impl FnOnce() -> String,
) -> Verdict {
    if kept { Ok(()) } else { Err(Violation::new(promise, sentence())) }
}

/// A durable event, decoded once for everybody who follows.
pub(super) enum Happened {
    Product(ProductEvent),
    Stock(InventoryEvent),
    Cart(CartEvent),
    Order(OrderEvent),
    Buyer(BuyerEvent),
    Reviews(ReviewsEvent),
    Drill(DrillEvent),
}

impl Happened {
    fn of(record: &Record) -> Result<Self, Violation> {
        let decoded = match record.stream.kind() {
            Product::KIND => codec::decode::<Product>(record).map(Self::Product),
            Inventory::KIND => codec::decode::<Inventory>(record).map(Self::Stock),
            Cart::KIND => codec::decode::<Cart>(record).map(Self::Cart),
            Buyer::KIND => codec::decode::<Buyer>(record).map(Self::Buyer),
            Reviews::KIND => codec::decode::<Reviews>(record).map(Self::Reviews),
            Drill::KIND => codec::decode::<Drill>(record).map(Self::Drill),
            _ => codec::decode::<Order>(record).map(Self::Order),
        };
        decoded.map_err(|error| Violation::new("R17", error.to_string()))
    }

    const fn entry(&self) -> LedgerEvent<'_> {
        match self {
            Self::Product(event) => LedgerEvent::Product(event),
            Self::Stock(event) => LedgerEvent::Inventory(event),
            Self::Cart(event) => LedgerEvent::Cart(event),
            Self::Order(event) => LedgerEvent::Order(event),
            Self::Buyer(event) => LedgerEvent::Buyer(event),
            Self::Reviews(event) => LedgerEvent::Reviews(event),
            Self::Drill(event) => LedgerEvent::Drill(event),
        }
    }
}

/// What is known of everything that was written and said.
#[derive(Default)]
pub(super) struct Books {
    pub(super) deals: Deals,
    ledger: Ledger,
    /// Per shard: the next position and the last epoch.
    tails: BTreeMap<Shard, (u64, u64)>,
    owners: BTreeMap<u64, u32>,
    ids: BTreeSet<Uuid>,
    /// Requests that left an event, and requests that were told that nothing happened.
    written_for: BTreeSet<Uuid>,
    rejected: BTreeSet<Uuid>,
    /// By order: the version that was promised last, and what it costs.
    promised: BTreeMap<usize, (u64, engine::values::Money)>,
    /// By order: the latest version that its client has read.
    read: BTreeMap<usize, u64>,
}

impl Books {
    /// A process has become the owner under that epoch.
    pub(super) fn acquired(&mut self, epoch: u64, process: u32) -> Verdict {
        let before = self.owners.insert(epoch, process);
        holds("R9", before.is_none_or(|before| before == process), || {
            format!("epoch {epoch} has two owners: processes {before:?} and {process}")
        })
    }

    /// An event has become durable.
    pub(super) fn landed(
        &mut self,
        who: Option<Who>,
        record: &Record,
    ) -> Result<Happened, Violation> {
        let (next, epoch) = self.tails.get(&record.shard).copied().unwrap_or((1, 0));
        let place = || format!("shard {} position {}", record.shard, record.position);
        holds("R16", record.position == next, || format!("{} follows {next}", place()))?;
        holds("R9", epoch <= record.epoch, || format!("{}: epoch fell from {epoch}", place()))?;
        self.tails.insert(record.shard, (next.saturating_add(1), record.epoch));
        holds("R3", self.ids.insert(record.event_id), || format!("{}: id seen before", place()))?;
        if let Some(cause) = cause(record) {
            self.written_for.insert(cause);
            holds("R19", !self.rejected.contains(&cause), || {
                format!("{}: {} was told that nothing happened", place(), cause.as_u128())
            })?;
        }
        let happened = Happened::of(record)?;
        let entry = Entry {
            place: Place { shard: record.shard.0, position: record.position },
            stream: record.stream.as_str(),
            version: record.version,
            at: record.at,
            event: happened.entry(),
        };
        let booked = self.ledger.book(&entry);
        booked.map_err(|found| Violation::new(found.promise, found.to_string()))?;
        if let Some(who) = who {
            self.deals.book(who, record, &happened)?;
        }
        Ok(happened)
    }

    /// A client is told that nothing happened.
    pub(super) fn rejected(&mut self, request: Uuid) -> Verdict {
        self.rejected.insert(request);
        holds("R19", !self.written_for.contains(&request), || {
            format!("request {} was told that nothing happened", request.as_u128())
        })
    }

    /// A client is told that something was changed for it.
    pub(super) fn changed(&self, request: Uuid) -> Verdict {
        holds("R19", self.written_for.contains(&request), || {
            format!("request {} was told of a change that is not durable", request.as_u128())
        })
    }

    /// A client is told of its order.
    pub(super) fn told(&mut self, index: usize, version: u64, order: &Order) -> Verdict {
        holds("R3", order.placement.order == names::order(index), || {
            format!("order {index}: told of {}", order.placement.order)
        })?;
        let total = order.placement.amounts.total;
        let (promised, before) = self.promised.get(&index).copied().unwrap_or((0, total));
        self.promised.insert(index, (promised.max(version), before));
        holds("R3", before == total, || {
            format!("order {index}: told that it costs {before:?} and then {total:?}")
        })
    }

    /// A client has read its order.
    pub(super) fn read(&mut self, index: usize, version: u64) -> Verdict {
        let seen = self.promised.get(&index).map_or(0, |(version, _)| *version);
        let before = self.read.insert(index, version).unwrap_or_default().max(seen);
        holds("R7", before <= version, || {
            format!("order {index}: read version {version} after {before}")
        })
    }

    /// Everything is at rest: nothing may be open, and every book must say the same.
    pub(super) fn close(&self, names: &Names, store: &Store, provider: &Provider) -> Verdict {
        let closing = self.ledger.finish();
        holds("R6", closing.open_holds.is_empty(), || {
            format!("holds without an end: {:?}", closing.open_holds)
        })?;
        holds("R4", closing.open_captures.is_empty(), || {
            format!("captures without an end: {:?}", closing.open_captures)
        })?;
        holds("R1", closing.units.is_empty(), || {
            format!("stock and orders disagree: {:?}", closing.units)
        })?;
        holds("R14", closing.mispriced.is_empty(), || {
            format!("quotes that no listing gave: {:?}", closing.mispriced)
        })?;
        holds("R13", closing.missing_credit.is_empty(), || {
            format!("store credit that did not arrive: {:?}", closing.missing_credit)
        })?;
        for (index, (version, _)) in &self.promised {
            let who = Who::new(names::Kind::Order, *index);
            let durable = names.stream(who).map_or(0, |stream| store.version(stream));
            holds("R2", *version <= durable, || {
                format!("order {index}: {version} promised, {durable} kept")
            })?;
        }
        chain(store, names)?;
        join(store, provider)
    }
}

/// A client is told that something is done, up to that version of the entity.
pub(super) fn done(who: Who, version: u64, names: &Names, store: &Store) -> Verdict {
    let durable = names.stream(who).map_or(0, |stream| store.version(stream));
    holds("R2", version <= durable, || {
        format!("{who:?}: told of version {version}, of which {durable} are durable")
    })
}

/// Everybody was answered, and every place in a mailbox is free again.
pub(super) fn nothing_owed(answers: usize) -> Verdict {
    holds("R20", answers == 0, || format!("{answers} answers are owed still"))
}

/// The request that caused an event, where one did.
fn cause(record: &Record) -> Option<Uuid> {
    // The journal's meta starts with it; see `Cause`.
    let id = record.meta.strip_prefix("{\"id\":\"")?.get(..36)?;
    Uuid::try_parse(id).ok()
}

/// Checksums and hash chain of every shard.
fn chain(store: &Store, names: &Names) -> Verdict {
    for shard in 0..names.shards() {
        let records =
            store.shard(shard).map_err(|error| Violation::new("R16", error.to_string()))?;
        let mut chain = Chain::after(GENESIS);
        for record in &records {
            chain
                .follow(&record.as_stored())
                .map_err(|error| Violation::new("R16", error.to_string()))?;
        }
        if let [.., before, last] = records.as_slice() {
            spoilt(before.hash, last)?;
        }
    }
    Ok(())
}

/// A changed byte and a broken chain would be noticed, wherever they are.
fn spoilt(before: Digest, record: &Record) -> Verdict {
    let mut changed = record.clone();
    changed.payload.push(' ');
    holds("R16", Chain::after(before).follow(&changed.as_stored()).is_err(), || {
        "a changed byte is not noticed".to_owned()
    })?;
    holds("R16", Chain::after(record.hash).follow(&record.as_stored()).is_err(), || {
        "a broken chain is not noticed".to_owned()
    })
}

/// The provider's books beside ours, both ways.
fn join(store: &Store, provider: &Provider) -> Verdict {
    let mut orders: BTreeMap<_, Arc<Order>> = BTreeMap::new();
    for (stream, records) in store.histories().filter(|(stream, _)| stream.kind() == Order::KIND) {
        let loaded = actors::entity::fold::<Order>(actors::entity::Loaded::default(), records)
            .map_err(|error| Violation::new("R16", format!("{stream}: {error}")))?;
        orders.extend(loaded.state.0.map(|order| (order.placement.order, order)));
    }
    let mut captured = BTreeSet::new();
    for (key, amount, refunded) in provider.captures() {
        holds("R4", captured.insert(key.order), || format!("{}: charged twice", key.order))?;
        let order = orders.get(&key.order);
        let known = order.and_then(|order| order.payment.captured);
        holds("R4", known == Some(amount), || {
            format!("{key}: the provider took {amount:?}, the order knows {known:?}")
        })?;
        let known = order.and_then(|order| order.payment.refunded);
        holds("R13", known == refunded, || {
            format!("{key}: the provider gave back {refunded:?}, the order knows {known:?}")
        })?;
    }
    for (id, order) in &orders {
        deals::in_place(order)?;
        let ours = order.payment.captured.is_some();
        holds("R4", ours == captured.contains(id), || {
            format!("{id}: captured by us {ours}, by the provider {}", captured.contains(id))
        })?;
        let open =
            matches!(order.payment.status, PaymentStatus::Queued | PaymentStatus::Authorised);
        holds("R20", !open, || format!("{id}: its payment is open still"))?;
    }
    Ok(())
}
