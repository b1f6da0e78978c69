//! The follower that notes which messages there are to send.

use std::collections::BTreeMap;
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
use crate::outcome::Position;
use crate::system::{OrderSystem, World};

/// Events of one look at a shard.
const PAGE: u32 = 500;

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
    places: Mutex<BTreeMap<Shard, Place>>,
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
        Ok(Self { world, histories, places: Mutex::new(places) })
    }

    /// Follows until the engine goes down.
    pub(super) async fn run(self: Arc<Self>) {
        let mut places = self.places.lock().await;
        let mut commits = self.world.writer().commits();
        commits.mark_changed();
        while !self.world.is_draining() && !self.world.writer().is_stopped() {
            if !matches!(timeout(NOTICED_WITHIN, commits.changed()).await, Ok(Ok(()))) {
                continue;
            }
            sleep(GATHER).await;
            commits.mark_unchanged();
            for (shard, place) in places.iter_mut() {
                while self.has_more(*shard, place.cursor) {
                    if let Err(error) = self.look(*shard, place).await {
                        warn!(%error, "messages cannot be booked");
                        commits.mark_changed();
                        sleep(STORE_PAUSE).await;
                        break;
                    }
                }
            }
        }
    }

    fn has_more(&self, shard: Shard, cursor: u64) -> bool {
        let next = Position { shard, position: cursor.saturating_add(1) };
        self.world.writer().has_reached(next)
    }

    /// Books what a page of a shard gives, and moves on.
    async fn look(&self, shard: Shard, place: &mut Place) -> Result<(), StoreError> {
        let page = self.world.stores.journal.read_shard(shard, place.cursor, PAGE).await?;
        // What is known to be durable and is not there yet comes with the next look.
        let Some(last) = page.last().map(|record| record.position) else {
            sleep(GATHER).await;
            return Ok(());
        };
        let notices = self.notices(&page).await?;
        if !notices.is_empty() || UNSTORED_MAX <= last.saturating_sub(place.stored) {
            self.world.stores.followers.advance(FOLLOWER, &[(shard, last)], &notices).await?;
            place.stored = last;
        }
        place.cursor = last;
        Ok(())
    }

    /// The messages that these events give to customers who can be reached.
    async fn notices(&self, page: &[Record]) -> Result<Vec<Notice>, StoreError> {
        let mut reached: BTreeMap<&StreamId, bool> = BTreeMap::new();
        let mut given: Vec<(&Record, Template)> = Vec::new();
        for record in page.iter().filter(|record| record.stream.kind() == Order::KIND) {
            let event = codec::decode::<Order>(record)?;
            if let OrderEvent::Placed(placement) = &event {
                reached.insert(&record.stream, can_be_reached(placement));
            }
            given.extend(notification::about(&event).map(|template| (record, template)));
        }
        let unknown = given.iter().map(|(record, _)| &record.stream);
        let tails: Vec<HistoryTail> = unknown
            .filter(|stream| !reached.contains_key(stream))
            .map(|stream| HistoryTail { stream: stream.clone(), after: 0 })
            .collect();
        let histories =
            if tails.is_empty() { BTreeMap::new() } else { self.histories.read(&tails).await? };
        let mut notices = Vec::new();
        for (record, template) in given {
            let is_reached = match reached.get(&record.stream) {
                Some(known) => *known,
                None => histories
                    .get(&record.stream)
                    .is_some_and(|history| placement_of(history).is_ok_and(|p| can_be_reached(&p))),
            };
            if is_reached {
                notices.push(notice(record, template));
            }
        }
        Ok(notices)
    }
}

/// What was placed, from an order's first event.
pub(super) fn placement_of(history: &[Record]) -> Result<Arc<Placement>, StoreError> {
    let missing = || StoreError::Corrupt("an order without a placement".to_owned());
    match codec::decode::<Order>(history.first().ok_or_else(missing)?)? {
        OrderEvent::Placed(placement) => Ok(placement),
        _ => Err(missing()),
    }
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
