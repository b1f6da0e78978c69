//! Freshly committed batches on their way to those who follow, so that they need not read them back.
//!
//! Bounded and allowed to lose: positions are contiguous, so a follower sees a gap and reads the
//! missing events from the journal ([`Trail`](crate::trail::Trail)).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use persistence::journal::Batch;

/// Events that may wait; when more come, all that wait are let go and will be read back instead.
const EVENTS_MAX: usize = 65_536;

#[derive(Default)]
struct Waiting {
    /// The batches, oldest first.
    batches: Vec<Arc<Batch>>,
    events: usize,
}

/// The way from the writer to one follower.
#[derive(Default)]
pub(crate) struct Feed {
    waiting: Mutex<Waiting>,
}

impl Feed {
    /// Hands a durable batch over. Never waits.
    fn offer(&self, batch: &Arc<Batch>) {
        let mut waiting = self.waiting();
        if EVENTS_MAX < waiting.events {
            *waiting = Waiting::default();
        }
        waiting.events = waiting.events.saturating_add(batch.records.len());
        waiting.batches.push(Arc::clone(batch));
    }

    /// The batches that wait, oldest first.
    pub(crate) fn take(&self) -> Vec<Arc<Batch>> {
        std::mem::take(&mut *self.waiting()).batches
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everybody to whom durable batches are handed.
#[derive(Default)]
pub(crate) struct Feeds(Mutex<Vec<Arc<Feed>>>);

impl Feeds {
    /// Another one, who hears of every batch from now on.
    pub(crate) fn join(&self) -> Arc<Feed> {
        let feed = Arc::new(Feed::default());
        self.all().push(Arc::clone(&feed));
        feed
    }

    /// Hands a durable batch to all of them. Never waits.
    pub(crate) fn offer(&self, batch: &Arc<Batch>) {
        for feed in self.all().iter() {
            feed.offer(batch);
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Feed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use persistence::journal::{GENESIS, Record, Shard, StreamId};

    use super::*;

    fn batch(events: usize) -> Arc<Batch> {
        let stream = StreamId::new("cart", "a");
        let record = Record {
            shard: Shard(0),
            position: 1,
            epoch: 1,
            slot: stream.slot(),
            stream,
            version: 1,
            event_id: uuid::Uuid::nil(),
            name: "cart.cleared".into(),
            schema: 1,
            at: engine::values::Moment::default(),
            meta: String::new(),
            payload: String::new(),
            checksum: 0,
            hash: GENESIS,
        };
        Arc::new(Batch { epoch: 1, moves: Vec::new(), records: vec![record; events] })
    }

    fn events(batches: &[Arc<Batch>]) -> Vec<usize> {
        batches.iter().map(|batch| batch.records.len()).collect()
    }

    #[test]
    fn what_was_offered_is_taken_once_and_in_order_by_each() {
        let feeds = Feeds::default();
        let first = feeds.join();
        feeds.offer(&batch(1));
        let second = feeds.join();
        feeds.offer(&batch(2));
        assert_eq!(events(&first.take()), [1, 2]);
        assert!(first.take().is_empty());
        assert_eq!(events(&second.take()), [2]);
    }

    #[test]
    fn a_follower_that_sleeps_costs_bounded_memory() {
        let feed = Feed::default();
        for _ in 0..200 {
            feed.offer(&batch(1_000));
        }
        let waiting: usize = events(&feed.take()).into_iter().sum();
        assert!(waiting <= EVENTS_MAX + 1_000, "{waiting}");
    }
}
