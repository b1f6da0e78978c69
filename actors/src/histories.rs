//! Reads the events of streams.
//!
//! The journal has no index by stream. Where a stream's events lie is a view, as good as its cursors;
//! what lies behind them is looked for in the journal itself. So nothing is ever missed, and views
//! that lag cost time.

use std::collections::BTreeMap;
use std::sync::Arc;

use persistence::journal::{Journal, Record, Shard, StreamId};
use persistence::read_models::{HistoryRow, HistoryTail, ReadModels};
use persistence::{StoreError, Stores};

use crate::projector::Cursors;

/// Events fetched by their places in one query.
const PLACES_MAX: usize = 2_000;

/// Events by stream and version.
type Found = BTreeMap<StreamId, BTreeMap<u64, Record>>;

/// The way to the events of streams.
#[derive(Clone)]
pub(crate) struct Histories {
    journal: Arc<dyn Journal>,
    read_models: Arc<dyn ReadModels>,
    cursors: Cursors,
}

impl Histories {
    /// Reads from `stores`, whose views have passed `cursors`.
    pub(crate) fn new(stores: &Stores, cursors: Cursors) -> Self {
        let (journal, read_models) = (Arc::clone(&stores.journal), Arc::clone(&stores.read_models));
        Self { journal, read_models, cursors }
    }

    /// The events of each stream after a version, in order, to the very last. A stream that is asked
    /// for twice is read once, from the lower version on.
    pub(crate) async fn read(
        &self,
        tails: &[HistoryTail],
    ) -> Result<BTreeMap<StreamId, Vec<Record>>, StoreError> {
        let tails = &each_once(tails);
        // Looked at first: what the views gain meanwhile is found twice, never missed.
        let mut behind: BTreeMap<Shard, (u64, Vec<StreamId>)> = BTreeMap::new();
        for tail in tails {
            let shard = self.shard(&tail.stream);
            let (_, streams) =
                behind.entry(shard).or_insert_with(|| (self.cursors.at(shard), Vec::new()));
            streams.push(tail.stream.clone());
        }
        let mut found = self.read_places(tails).await?;
        for (shard, (after, streams)) in behind {
            take(&mut found, tails, self.journal.read_tail(shard, after, &streams).await?);
        }
        Ok(in_order(found))
    }

    /// The events of each stream as far as the views know them.
    pub(crate) async fn read_folded(
        &self,
        streams: impl Iterator<Item = StreamId>,
    ) -> Result<BTreeMap<StreamId, Vec<Record>>, StoreError> {
        let tails: Vec<HistoryTail> =
            streams.map(|stream| HistoryTail { stream, after: 0 }).collect();
        Ok(in_order(self.read_places(&tails).await?))
    }

    /// The latest events of a stream before a version, the newest first, as far as the views know them.
    pub(crate) async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        // Versions have no gaps, so a page reaches no further back than its length.
        let length = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let after = before.map_or(0, |before| before.saturating_sub(length));
        let tail = HistoryTail { stream: stream.clone(), after };
        let rows = self.read_models.histories(std::slice::from_ref(&tail)).await?;
        // Rows may overlap, so a version counts once.
        let places: BTreeMap<u64, u64> = rows.iter().flat_map(HistoryRow::places).collect();
        let shard = self.shard(stream);
        let wanted = places.range(..before.unwrap_or(u64::MAX)).rev().take(limit);
        let wanted: Vec<(Shard, u64)> = wanted.map(|(_, position)| (shard, *position)).collect();
        let mut records = self.journal.read_places(&wanted).await?;
        // Two streams may share a digest.
        records.retain(|record| record.stream == *stream);
        records.sort_by_key(|record| std::cmp::Reverse(record.version));
        Ok(records)
    }

    async fn read_places(&self, tails: &[HistoryTail]) -> Result<Found, StoreError> {
        let mut found = Found::new();
        if tails.is_empty() {
            return Ok(found);
        }
        let rows = self.read_models.histories(tails).await?;
        let places = rows.iter().flat_map(|row| {
            let shard = self.shard(&row.stream);
            row.places().map(move |(_, position)| (shard, position))
        });
        let places: Vec<(Shard, u64)> = places.collect();
        for places in places.chunks(PLACES_MAX) {
            let records = self.journal.read_places(places).await?;
            // A stock without one of its holds would sell the unit twice.
            if records.len() < places.len() {
                let missing = places.len().saturating_sub(records.len());
                return Err(StoreError::Corrupt(format!(
                    "{missing} events that the views know are not in the journal"
                )));
            }
            take(&mut found, tails, records);
        }
        Ok(found)
    }

    fn shard(&self, stream: &StreamId) -> Shard {
        stream.slot().shard(self.journal.shards())
    }
}

/// Whoever found an event twice would miss another one.
fn each_once(tails: &[HistoryTail]) -> Vec<HistoryTail> {
    let mut lowest: BTreeMap<&StreamId, u64> = BTreeMap::new();
    for tail in tails {
        let after = lowest.entry(&tail.stream).or_insert(tail.after);
        *after = tail.after.min(*after);
    }
    let tail = |(stream, after): (&StreamId, u64)| HistoryTail { stream: stream.clone(), after };
    lowest.into_iter().map(tail).collect()
}

/// Keeps what is wanted: rows of the views reach further back, and two streams may share a digest.
fn take(found: &mut Found, tails: &[HistoryTail], records: Vec<Record>) {
    let wanted: BTreeMap<&StreamId, u64> =
        tails.iter().map(|tail| (&tail.stream, tail.after)).collect();
    for record in records {
        if wanted.get(&record.stream).is_some_and(|after| *after < record.version) {
            let history = found.entry(record.stream.clone()).or_default();
            history.insert(record.version, record);
        }
    }
}

fn in_order(found: Found) -> BTreeMap<StreamId, Vec<Record>> {
    let in_order =
        |(stream, records): (_, BTreeMap<u64, Record>)| (stream, records.into_values().collect());
    found.into_iter().map(in_order).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_asked_for_twice_is_read_once_from_the_lower_version_on() {
        let tail = |key: &str, after| HistoryTail { stream: StreamId::new("order", key), after };
        let asked = [tail("b", 4), tail("a", 0), tail("b", 2), tail("b", 3)];
        assert_eq!(each_once(&asked), [tail("a", 0), tail("b", 2)]);
    }
}
