//! Freshly committed batches on their way to the projector, so that it need not read them back.
//!
//! Bounded and allowed to lose: positions are contiguous, so the projector sees a gap and reads
//! the missing events from the journal.

use std::sync::{Arc, Mutex, PoisonError};

use persistence::journal::Batch;

/// Events that may wait; when more come, all that wait are let go and will be read back instead.
const EVENTS_MAX: usize = 65_536;

#[derive(Default)]
pub(crate) struct Waiting {
    /// The batches, oldest first.
    pub(crate) batches: Vec<Arc<Batch>>,
    /// Whether older ones were let go.
    pub(crate) has_gap: bool,
    events: usize,
}

/// The way from the writer to the projector.
#[derive(Default)]
pub(crate) struct Feed {
    waiting: Mutex<Waiting>,
}

impl Feed {
    /// Hands a durable batch over. Never waits.
    pub(crate) fn offer(&self, batch: &Arc<Batch>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if EVENTS_MAX < waiting.events {
            *waiting = Waiting { has_gap: true, ..Waiting::default() };
        }
        waiting.events = waiting.events.saturating_add(batch.records.len());
        waiting.batches.push(Arc::clone(batch));
    }

    /// Something may have become durable that is not handed over.
    pub(crate) fn lose(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).has_gap = true;
    }

    /// Everything that waits.
    pub(crate) fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
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

    #[test]
    fn what_was_offered_is_taken_once_and_in_order() {
        let feed = Feed::default();
        feed.offer(&batch(1));
        feed.offer(&batch(2));
        let taken: Vec<usize> =
            feed.take().batches.iter().map(|batch| batch.records.len()).collect();
        assert_eq!(taken, [1, 2]);
        assert!(feed.take().batches.is_empty());
    }

    #[test]
    fn a_projector_that_sleeps_costs_bounded_memory() {
        let feed = Feed::default();
        for _ in 0..200 {
            feed.offer(&batch(1_000));
        }
        let waiting = feed.take();
        let events: usize = waiting.batches.iter().map(|batch| batch.records.len()).sum();
        assert!(events <= EVENTS_MAX + 1_000, "{events}");
        assert!(waiting.has_gap, "who takes must know that something is missing");
    }
}
