//! Public events for whoever looks: those of one order as they come, and pages of all of them.

use engine::Aggregate as _;
use engine::order::Order;
use engine::public::PublicName;
use engine::values::{Moment, OrderId};
use persistence::journal::{Shard, StreamId};
use persistence::read_models::HistoryTail;
use tokio::sync::watch;

use super::Told;
use crate::outcome::Position;
use crate::reads::ReadError;
use crate::system::OrderSystem;

/// Events that are looked at for one page, whatever is found: a filter that nothing passes must not
/// read the whole journal for one request.
const LOOKED_AT_MAX: u32 = 5_000;

/// Which public events a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// After which place in each shard; shards that are not named are not looked at.
    pub after: Vec<Position>,
    /// Only of this name, if given.
    pub name: Option<PublicName>,
    /// At most this many.
    pub limit: usize,
}

/// A page of public events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events, by when they were decided; those of one shard in its order.
    pub events: Vec<Told>,
    /// Where the next page begins.
    pub next: Vec<Position>,
    /// Whether there may be more.
    pub more: bool,
}

impl OrderSystem {
    /// What is to be told about an order after a version, to the very last durable event; and the
    /// version of that event.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the journal cannot be read now.
    pub async fn order_events(
        &self,
        order: OrderId,
        after: u64,
    ) -> Result<(Vec<Told>, u64), ReadError> {
        let stream = StreamId::new(Order::KIND, &order.to_string());
        let tail = HistoryTail { stream: stream.clone(), after };
        let mut histories = self.histories.read(std::slice::from_ref(&tail)).await?;
        let records = histories.remove(&stream).unwrap_or_default();
        let version = records.last().map_or(after, |last| last.version);
        let mut events = Vec::new();
        for record in &records {
            events.extend(Told::of(record)?);
        }
        Ok((events, version))
    }

    /// Whether an order has durable events after a version, as far as that can be told without reading:
    /// `None` while it is asleep, for it may have been changed and have gone to sleep again.
    pub fn order_has_moved(&self, order: OrderId, version: u64) -> Option<bool> {
        let published = self.world.kinds.orders.view(&order.to_string())?;
        Some(version < published.version)
    }

    /// The last place of an order's shard: while it stays the same, nothing has happened to the order.
    pub fn order_head(&self, order: OrderId) -> u64 {
        let slot = StreamId::new(Order::KIND, &order.to_string()).slot();
        self.world.writer().head(slot.shard(self.shards()))
    }

    /// Changes with every commit.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.world.writer().commits()
    }

    /// A page of public events.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the journal cannot be read now.
    pub async fn public_events(&self, query: &EventQuery) -> Result<EventPage, ReadError> {
        let journal = &self.world.stores.journal;
        let shards = u32::try_from(query.after.len()).unwrap_or(u32::MAX).max(1);
        let each = (LOOKED_AT_MAX / shards).max(1);
        let mut page = EventPage::default();
        // How far each shard was looked at when nothing more of it is shown.
        let mut looked: Vec<Position> = query.after.clone();
        let mut found = Vec::new();
        for place in &mut looked {
            let records = journal.read_shard(place.shard, place.position, each).await?;
            page.more |= u64::from(each) <= records.len() as u64;
            // Within a shard its own order counts, also where two moments are the other way round.
            let mut latest = Moment::default();
            for record in &records {
                latest = latest.max(record.at);
                let told = Told::of(record)?;
                let wanted = |told: &Told| query.name.is_none_or(|name| told.event.name == name);
                found.extend(told.filter(wanted).map(|told| (latest, told)));
                place.position = record.position;
            }
        }
        found.sort_by_key(|(at, told)| (*at, told.position.shard, told.position.position));
        page.events = found.into_iter().map(|(_, told)| told).collect();
        page.next = looked;
        if query.limit < page.events.len() {
            page.more = true;
            for place in &mut page.next {
                // The first that is left out comes first next time.
                let left = page.events.iter().skip(query.limit);
                let first = left.filter(|told| told.position.shard == place.shard);
                let first = first.map(|told| told.position.position).min();
                if let Some(first) = first {
                    place.position = first.saturating_sub(1);
                }
            }
            page.events.truncate(query.limit);
        }
        Ok(page)
    }

    /// The beginning of every shard.
    pub fn beginnings(&self) -> Vec<Position> {
        (0..self.shards()).map(|shard| Position { shard: Shard(shard), position: 0 }).collect()
    }

    /// When the event at a place was decided; nothing where there is none.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the journal cannot be read now.
    pub async fn moment_of(&self, place: Position) -> Result<Option<Moment>, ReadError> {
        let found = self.world.stores.journal.read_places(&[(place.shard, place.position)]).await?;
        Ok(found.first().map(|record| record.at))
    }
}
