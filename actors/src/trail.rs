//! What the journal has gained since a follower's places: handed over fresh, or else read back.

use std::collections::BTreeMap;
use std::sync::Arc;

use persistence::StoreError;
use persistence::journal::{Batch, Journal, Record, Shard};

use crate::feed::Feed;
use crate::writer::Writer;

/// The way of one follower through the journal.
pub(crate) struct Trail {
    journal: Arc<dyn Journal>,
    writer: Writer,
    feed: Arc<Feed>,
    /// The last place of each shard when the latest batches were taken.
    heads: Vec<u64>,
    /// Events that are read of one shard in one go.
    page: u32,
}

/// Durable events, of one shard in their order, and up to where that goes in each that has gained.
pub(crate) struct Gained<'a> {
    pub(crate) records: Vec<Gathered<'a>>,
    pub(crate) moves: Vec<(Shard, u64)>,
}

/// An event on its way to a follower.
pub(crate) enum Gathered<'a> {
    Fed(&'a Record),
    Read(Record),
}

impl Gathered<'_> {
    pub(crate) const fn record(&self) -> &Record {
        match self {
            Self::Fed(record) => record,
            Self::Read(record) => record,
        }
    }
}

impl Trail {
    /// Follows what `writer` writes; what it missed is read in pages.
    pub(crate) fn new(journal: Arc<dyn Journal>, writer: Writer, page: u32) -> Self {
        let (feed, heads) = (writer.feed(), Vec::new());
        Self { journal, writer, feed, heads, page }
    }

    /// What was handed over since the last time. Whatever becomes of it, nothing is missed: what a
    /// follower did not get past is read from the journal next time.
    pub(crate) fn fresh(&mut self) -> Vec<Arc<Batch>> {
        // Looked at first: up to here all of it was handed over. Of what comes meanwhile the next
        // time is soon enough, so that what belongs together is not torn apart.
        self.heads =
            (0..self.journal.shards()).map(|shard| self.writer.head(Shard(shard))).collect();
        self.feed.take()
    }

    /// What each shard has gained after a place: from `fresh` where it joins on, else from the
    /// journal, as far as that went when `fresh` was taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the journal cannot be read.
    pub(crate) async fn gather<'a>(
        &self,
        fresh: &'a [Arc<Batch>],
        place: impl Fn(Shard) -> u64 + Send,
    ) -> Result<Gained<'a>, StoreError> {
        let mut by_shard: BTreeMap<Shard, Vec<&'a Record>> = BTreeMap::new();
        for record in fresh.iter().flat_map(|batch| &batch.records) {
            by_shard.entry(record.shard).or_default().push(record);
        }
        let mut gained = Gained { records: Vec::new(), moves: Vec::new() };
        for (shard, head) in (0..).map(Shard).zip(&self.heads) {
            let after = place(shard);
            let fresh = by_shard.remove(&shard).unwrap_or_default();
            let joins = fresh.first().is_some_and(|first| first.position <= after + 1);
            let last = if joins {
                // Only as far as they join on: what is missing in between is read next time.
                let mut last = after;
                for record in fresh.into_iter().skip_while(|record| record.position <= after) {
                    if record.position != last.saturating_add(1) {
                        break;
                    }
                    last = record.position;
                    gained.records.push(Gathered::Fed(record));
                }
                last
            } else if after < *head {
                let read = self.journal.read_shard(shard, after, self.page).await?;
                let last = read.last().map_or(after, |last| last.position);
                gained.records.extend(read.into_iter().map(Gathered::Read));
                last
            } else {
                after
            };
            if after < last {
                gained.moves.push((shard, last));
            }
        }
        Ok(gained)
    }

    /// Events that the journal had when the latest batches were taken, and a follower at these places
    /// has not.
    pub(crate) fn lag(&self, place: impl Fn(Shard) -> u64) -> u64 {
        let behind = |(shard, head): (Shard, &u64)| head.saturating_sub(place(shard));
        (0..).map(Shard).zip(&self.heads).map(behind).sum()
    }
}
