//! One shard from its first frame to its fence.

use std::sync::Arc;
use std::time::Duration;

use actors::runtime::spawn_light;
use engine::buyer::Buyer;
use engine::cart::Cart;
use engine::catalog::Product;
use engine::drill::Drill;
use engine::endpoint::Endpoints;
use engine::import::Import;
use engine::inventory::Inventory;
use engine::job::Job;
use engine::ledger::{Entry, Ledger, LedgerEvent, Place};
use engine::order::Order;
use engine::partner::Partners;
use engine::promo::Promo;
use engine::reviews::Reviews;
use engine::rma::Return;
use engine::toggle::Switchboard;
use engine::{Aggregate, EventName as _};
use persistence::codec::decode_stored;
use persistence::journal::{
    Chain, Fence, GENESIS, Journal, Shard, Slot, Stored, StoredFrame, event_id,
};
use persistence::{StoreError, Stores};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::findings::Told;
use super::snapshots::Refolds;

/// Events that are read at once: few enough that what was read is still in the cache when it is
/// booked.
const PAGE: u32 = 1_024;

/// Where the time of the threads went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Waiting for pages.
    pub(super) reading: Duration,
    /// Taking frames apart; checksums and hashes.
    pub(super) bytes: Duration,
    /// Decoding events and booking them.
    pub(super) books: Duration,
}

impl Spent {
    pub(super) fn add(&mut self, other: &Self) {
        self.reading = self.reading.saturating_add(other.reading);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.books = self.books.saturating_add(other.books);
    }
}

/// What was found in one shard.
#[derive(Debug)]
pub(super) struct Audit {
    pub(super) ledger: Ledger,
    pub(super) told: Told,
    pub(super) spent: Spent,
    /// Snapshots that were compared with their histories.
    pub(super) snapshots: u64,
    /// Whether every event was read. What follows a damaged frame hangs on it.
    pub(super) is_whole: bool,
}

/// How far the shard was read.
struct Reader<'a> {
    audit: Audit,
    fence: &'a Fence,
    shards: u16,
    position: u64,
    epoch: u64,
    chain: Chain,
    refolds: Refolds<Inventory>,
}

/// Reads and checks the shard of a fence.
pub(super) async fn audit(
    stores: &Stores,
    fence: &Fence,
    snapshots: &[(String, u64)],
) -> Result<Audit, StoreError> {
    let shards = stores.journal.shards();
    let mut reader = Reader {
        audit: Audit {
            ledger: Ledger::default(),
            told: Told::default(),
            spent: Spent::default(),
            snapshots: 0,
            is_whole: true,
        },
        fence,
        shards,
        position: 0,
        epoch: 0,
        chain: Chain::after(GENESIS),
        refolds: Refolds::of(snapshots, fence.shard, shards),
    };
    match reader.read(&stores.journal).await {
        Ok(()) => {}
        Err(error @ StoreError::Corrupt(_)) => {
            reader.broken("R16", reader.position.saturating_add(1), &error.to_string());
            reader.audit.is_whole = false;
            return Ok(reader.audit);
        }
        Err(error) => return Err(error),
    }
    let Reader { mut audit, refolds, .. } = reader;
    audit.snapshots = refolds.compare(&*stores.snapshots, &mut audit.told).await?;
    Ok(audit)
}

/// A page that is on its way while the one before it is checked.
struct Page(JoinHandle<Result<Vec<StoredFrame>, StoreError>>);

impl Page {
    fn after(position: u64, journal: &Arc<dyn Journal>, shard: Shard) -> Self {
        let journal = Arc::clone(journal);
        Self(spawn_light(async move { journal.read_frames(shard, position, PAGE).await }))
    }

    async fn landed(self) -> Result<Vec<StoredFrame>, StoreError> {
        self.0.await.map_err(|error| StoreError::Unavailable(error.into()))?
    }
}

impl Reader<'_> {
    /// Reads up to the fence. What is damaged ends it: what follows hangs on it.
    async fn read(&mut self, journal: &Arc<dyn Journal>) -> Result<(), StoreError> {
        let (shard, head) = (self.fence.shard, self.fence.next_position.saturating_sub(1));
        let mut page = Some(Page::after(0, journal, shard));
        while let Some(awaited) = page.take() {
            let began = Instant::now();
            let landed = awaited.landed().await;
            self.audit.spent.reading = self.audit.spent.reading.saturating_add(began.elapsed());
            let mut frames = landed?;
            let last = frames.last().map(StoredFrame::last_position).filter(|last| *last < head);
            page = last.map(|last| Page::after(last, journal, shard));
            // Frames become durable whole and with their fence: a running server adds more.
            frames.retain(|frame| frame.last_position() <= head);
            self.check(&frames)?;
        }
        if self.position < head {
            let missing = head.saturating_sub(self.position);
            let words = format!("{missing} events are missing at the end of the shard");
            self.broken("R16", self.position.saturating_add(1), &words);
            self.audit.is_whole = false;
        }
        self.nothing_lies_behind(journal).await
    }

    /// R16: no event lies where the fence does not know of it.
    async fn nothing_lies_behind(&mut self, journal: &Arc<dyn Journal>) -> Result<(), StoreError> {
        let shard = self.fence.shard;
        let head = self.fence.next_position.saturating_sub(1);
        let behind = journal.read_frames(shard, head, PAGE).await?;
        let Some(position) = behind.last().map(StoredFrame::last_position) else {
            return Ok(());
        };
        // Looked at afterwards: an event is there no earlier than its fence.
        let fences = journal.fences().await?;
        if fences.iter().any(|fence| fence.shard == shard && fence.next_position <= position) {
            self.broken("R16", position, &format!("the fence of the shard is at {head}"));
        }
        Ok(())
    }

    fn check(&mut self, frames: &[StoredFrame]) -> Result<(), StoreError> {
        let began = Instant::now();
        let mut events = Vec::with_capacity(frames.len());
        let mut damaged = Ok(());
        for frame in frames {
            match frame.events() {
                Ok(frame) => {
                    for event in &frame {
                        self.place(event);
                    }
                    events.push(frame);
                }
                Err(error) => {
                    damaged = Err(error);
                    break;
                }
            }
        }
        let opened = Instant::now();
        for event in events.iter().flatten() {
            self.book(event);
        }
        let spent = &mut self.audit.spent;
        spent.bytes = spent.bytes.saturating_add(opened.duration_since(began));
        spent.books = spent.books.saturating_add(opened.elapsed());
        damaged
    }

    /// R9 and R16: the event's place, owner and bytes.
    fn place(&mut self, event: &Stored<'_>) {
        let Stored { shard, position, epoch, event_id: id, .. } = *event;
        if self.position.checked_add(1) != Some(position) {
            self.broken("R16", position, &format!("it follows position {}", self.position));
            self.audit.is_whole = false;
        }
        if epoch < self.epoch {
            self.broken("R9", position, &format!("epoch {epoch} follows epoch {}", self.epoch));
        }
        if self.fence.epoch < epoch {
            let words = format!("epoch {epoch} is beyond that of the fence, {}", self.fence.epoch);
            self.broken("R9", position, &words);
        }
        // An epoch has one owner, which uses a place once; a retry keeps the id of its first try.
        let minted_in = u64::try_from(id.as_u128() >> 80).unwrap_or_default();
        let is_own = (1..=epoch).contains(&minted_in);
        if !is_own || event_id(minted_in, shard, position) != id {
            self.broken(
                "R9",
                position,
                &format!("no owner up to epoch {epoch} gave it the id {id}"),
            );
        }
        if let Err(error) = self.chain.follow(event) {
            self.broken("R16", position, &error.to_string());
        }
        let slot = Slot::of_key(event.key());
        if event.slot != slot || slot.shard(self.shards) != self.fence.shard {
            self.broken("R16", position, &format!("{} lies elsewhere", event.stream));
        }
        (self.position, self.epoch) = (position, epoch);
    }

    fn book(&mut self, event: &Stored<'_>) {
        match event.kind() {
            Product::KIND => {
                self.enter::<Product>(event, |e| LedgerEvent::Product(e));
            }
            Inventory::KIND => {
                if let Some(changed) = self.enter::<Inventory>(event, |e| LedgerEvent::Inventory(e))
                {
                    self.refolds.follow(&event.stream, event.position, &changed, event.at);
                }
            }
            Cart::KIND => {
                self.enter::<Cart>(event, |e| LedgerEvent::Cart(e));
            }
            Order::KIND => {
                self.enter::<Order>(event, |e| LedgerEvent::Order(e));
            }
            Buyer::KIND => {
                self.enter::<Buyer>(event, |e| LedgerEvent::Buyer(e));
            }
            Reviews::KIND => {
                self.enter::<Reviews>(event, |e| LedgerEvent::Reviews(e));
            }
            Return::KIND => {
                self.enter::<Return>(event, |e| LedgerEvent::Return(e));
            }
            Drill::KIND => {
                self.enter::<Drill>(event, |e| LedgerEvent::Drill(e));
            }
            Endpoints::KIND => {
                self.enter::<Endpoints>(event, |e| LedgerEvent::Endpoint(e));
            }
            Import::KIND => {
                self.enter::<Import>(event, |e| LedgerEvent::Import(e));
            }
            Partners::KIND => {
                self.enter::<Partners>(event, |e| LedgerEvent::Partner(e));
            }
            Switchboard::KIND => {
                self.enter::<Switchboard>(event, |e| LedgerEvent::Toggle(e));
            }
            Promo::KIND => {
                self.enter::<Promo>(event, |e| LedgerEvent::Promo(e));
            }
            Job::KIND => {
                self.enter::<Job>(event, |e| LedgerEvent::Job(e));
            }
            _ => self.unreadable(event, "it is of a kind that this build does not know"),
        }
    }

    /// Decodes an event and books it; gives it back when it breaks nothing.
    fn enter<A: Aggregate>(
        &mut self,
        stored: &Stored<'_>,
        of: impl for<'e> Fn(&'e A::Event) -> LedgerEvent<'e>,
    ) -> Option<A::Event> {
        let event = match decode_stored::<A>(stored) {
            Ok(event) if event.name() == stored.name => event,
            Ok(event) => {
                self.unreadable(stored, &format!("{} calls itself {}", event.name(), stored.name));
                return None;
            }
            Err(error) => {
                self.unreadable(stored, &error.to_string());
                return None;
            }
        };
        let entry = Entry {
            place: Place { shard: stored.shard.0, position: stored.position },
            stream: &stored.stream,
            version: stored.version,
            at: stored.at,
            event: of(&event),
        };
        if let Err(violation) = self.audit.ledger.book(&entry) {
            self.audit.told.violation(&violation);
            self.refolds.forget(&stored.stream);
            return None;
        }
        Some(event)
    }

    fn unreadable(&mut self, event: &Stored<'_>, words: &str) {
        self.refolds.forget(&event.stream);
        self.audit.ledger.give_up(&event.stream);
        self.broken("R17", event.position, &format!("{}: {words}", event.stream));
    }

    fn broken(&mut self, promise: &str, position: u64, words: &str) {
        let place = Place { shard: self.fence.shard.0, position };
        self.audit.told.broken(promise, place, words);
    }
}
