//! The follower that notes which messages there are to send.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use engine::Aggregate as _;
use engine::notification::{self, Template};
use engine::order::{Order, OrderEvent, Placement};
use persistence::followers::{Notice, NoticeId, NoticeStatus};
use persistence::journal::{Record, Shard, StreamId};
use persistence::read_models::HistoryTail;
use persistence::{StoreError, codec};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tracing::{error, warn};

use super::FOLLOWER;
use crate::followers::places;
use crate::histories::Histories;
use crate::latest::Latest;
use crate::system::{OrderSystem, World};
use crate::trail::{Gained, Gathered, Trail};

/// Events of one shard that are read in one go.
const PAGE: u32 = 500;

/// Orders of which is remembered whether their customers can be reached; of others it is read.
const REACHED_MAX: usize = 16_384;

/// Events that the follower may be ahead of its stored place when none of them is told.
const UNSTORED_MAX: u64 = 2_000;

/// Lets what belongs together come together.
const GATHER: Duration = Duration::from_millis(100);

/// Longest time until it is noticed that the engine goes down.
const NOTICED_WITHIN: Duration = Duration::from_millis(500);

/// Pause after a store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// One shard: up to where it was dealt with, and what the store knows of that.
#[derive(Clone, Copy)]
struct Place {
    cursor: u64,
    stored: u64,
}

/// The follower.
pub(super) struct Booking {
    world: Arc<World>,
    histories: Histories,
    run: Mutex<Run>,
}

/// What the follower goes on with.
struct Run {
    trail: Trail,
    places: BTreeMap<Shard, Place>,
    /// Orders that came up lately, and whether their customers can be reached.
    reached: Latest<StreamId, bool>,
}

impl Run {
    fn place(&self, shard: Shard) -> u64 {
        self.places.get(&shard).map_or(0, |place| place.cursor)
    }
}

impl Booking {
    /// Finds its place. Whoever has none begins at the end: nobody wants all their mail again.
    pub(super) async fn open(system: &OrderSystem) -> Result<Self, StoreError> {
        let world = Arc::clone(&system.world);
        let (followers, journal) = (&world.stores.followers, &world.stores.journal);
        let known: BTreeMap<Shard, u64> = followers.cursors(FOLLOWER).await?.into_iter().collect();
        let heads = journal.heads().await?;
        if known.is_empty() && heads.iter().any(|head| 0 < *head) {
            error!(
                event = "notices_begin_at_the_end",
                "it is not known which messages were sent: those about the past are not sent"
            );
        }
        let mut places = BTreeMap::new();
        for (shard, head) in (0_u16..).map(Shard).zip(heads) {
            let stood = known.get(&shard).copied();
            let cursor = stood.map_or(head, |stood| places::within(stood, head));
            if stood.is_some_and(|stood| cursor < stood) {
                warn!(%shard, "messages go on at the end of a journal that is shorter than it was");
            }
            places.insert(shard, Place { cursor, stored: cursor });
        }
        let begun: Vec<(Shard, u64)> =
            places.iter().map(|(shard, place)| (*shard, place.cursor)).collect();
        followers.reset(FOLLOWER, &begun).await?;
        let histories = system.histories.clone();
        let trail = Trail::new(Arc::clone(journal), world.writer().clone(), PAGE);
        let run = Mutex::new(Run { trail, places, reached: Latest::new(REACHED_MAX) });
        Ok(Self { world, histories, run })
    }

    /// Follows until the engine goes down.
    pub(super) async fn run(self: Arc<Self>) {
        let mut run = self.run.lock().await;
        let mut commits = self.world.writer().commits();
        commits.mark_changed();
        while !self.is_ending() {
            if !matches!(timeout(NOTICED_WITHIN, commits.changed()).await, Ok(Ok(()))) {
                continue;
            }
            sleep(GATHER).await;
            commits.mark_unchanged();
            while !self.is_ending() {
                match self.round(&mut run).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        warn!(%error, "messages cannot be booked");
                        sleep(STORE_PAUSE).await;
                    }
                }
            }
        }
    }

    fn is_ending(&self) -> bool {
        self.world.is_draining() || self.world.writer().is_stopped()
    }

    /// Books what the shards have gained, a bounded number of events of each, and moves on; whether
    /// more may be waiting.
    async fn round(&self, run: &mut Run) -> Result<bool, StoreError> {
        let fresh = run.trail.fresh();
        let Gained { records, moves } = run.trail.gather(&fresh, |shard| run.place(shard)).await?;
        if records.is_empty() {
            return Ok(false);
        }
        let notices = self.notices(&mut run.reached, &records).await?;
        let is_due = |(shard, last): &(Shard, u64)| {
            let stored = run.places.get(shard).map_or(0, |place| place.stored);
            !notices.is_empty() || UNSTORED_MAX <= last.saturating_sub(stored)
        };
        let due: Vec<(Shard, u64)> = moves.iter().filter(|moved| is_due(moved)).copied().collect();
        if !due.is_empty() {
            self.world.stores.followers.advance(FOLLOWER, &due, &notices).await?;
        }
        for (shard, cursor) in moves {
            let stored = run.places.get(&shard).map_or(0, |place| place.stored);
            let stored = if due.contains(&(shard, cursor)) { cursor } else { stored };
            run.places.insert(shard, Place { cursor, stored });
        }
        Ok(0 < run.trail.lag(|shard| run.place(shard)))
    }

    /// The messages that these events give to customers who can be reached.
    async fn notices(
        &self,
        reached: &mut Latest<StreamId, bool>,
        gained: &[Gathered<'_>],
    ) -> Result<Vec<Notice>, StoreError> {
        let orders: Vec<&Record> = gained
            .iter()
            .map(Gathered::record)
            .filter(|record| record.stream.kind() == Order::KIND)
            .collect();
        // Of this round: what is remembered may be fewer orders than one round brings.
        let mut known: BTreeMap<&StreamId, bool> = BTreeMap::new();
        let mut unknown: BTreeSet<&StreamId> = BTreeSet::new();
        for record in &orders {
            // An order begins with its placement.
            if record.version == 1 {
                known.insert(&record.stream, can_be_reached(&*placed(record)?));
            } else if !known.contains_key(&record.stream) {
                match reached.get(&record.stream) {
                    Some(is_reached) => drop(known.insert(&record.stream, *is_reached)),
                    None => drop(unknown.insert(&record.stream)),
                }
            }
        }
        let tail = |stream: &StreamId| HistoryTail { stream: stream.clone(), after: 0 };
        let tails: Vec<HistoryTail> = unknown.into_iter().map(tail).collect();
        let read =
            if tails.is_empty() { BTreeMap::new() } else { self.histories.read(&tails).await? };
        for (stream, history) in &read {
            known.insert(stream, can_be_reached(&*placement_of(history)?));
        }
        let mut notices = Vec::new();
        for record in orders.into_iter().filter(|record| known.get(&record.stream) == Some(&true)) {
            let template = notification::about(&codec::decode::<Order>(record)?);
            notices.extend(template.map(|template| notice(record, template)));
        }
        for (stream, is_reached) in known {
            reached.keep(stream.clone(), is_reached);
        }
        Ok(notices)
    }
}

/// What was placed, from an order's first event.
pub(super) fn placement_of(history: &[Record]) -> Result<Arc<Placement>, StoreError> {
    placed(history.first().ok_or_else(without_placement)?)
}

fn placed(first: &Record) -> Result<Arc<Placement>, StoreError> {
    match codec::decode::<Order>(first)? {
        OrderEvent::Placed(placement) => Ok(placement),
        _ => Err(without_placement()),
    }
}

fn without_placement() -> StoreError {
    StoreError::Corrupt("an order without a placement".to_owned())
}

fn can_be_reached(placement: &Placement) -> bool {
    placement.personal.email.is_some()
}

fn notice(record: &Record, template: Template) -> Notice {
    Notice {
        id: NoticeId {
            written_at: record.at,
            shard: record.shard,
            position: record.position,
            template: template.as_str().to_owned(),
        },
        stream: record.stream.clone(),
        status: NoticeStatus::Waiting,
        tries: 0,
        due_at: Some(record.at),
        settled_at: None,
        trouble: None,
    }
}
