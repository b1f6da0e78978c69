//! The simulated store: the real journal contract in memory, behind a connection that breaks.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use persistence::StoreError;
use persistence::journal::{
    AppendError, Batch, Journal as _, MemoryJournal, Record, StreamId, Tenure,
};
use persistence::snapshots::{MemorySnapshots, Snapshot, Snapshots as _};

/// Journal and snapshots of a world. They outlive every process.
pub(super) struct Store {
    journal: MemoryJournal,
    snapshots: MemorySnapshots,
    by_stream: BTreeMap<StreamId, Vec<Record>>,
    down_until: u64,
}

/// The adapters in memory never wait.
pub(super) fn at_once<T>(
    future: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let unavailable = || Err(StoreError::Unavailable("not answered at once".into()));
    future.now_or_never().unwrap_or_else(unavailable)
}

impl Store {
    pub(super) fn new(shards: u16) -> Self {
        Self {
            journal: MemoryJournal::new(shards),
            snapshots: MemorySnapshots::default(),
            by_stream: BTreeMap::new(),
            down_until: 0,
        }
    }

    /// Nobody reaches it before that time.
    pub(super) fn fail_until(&mut self, until: u64) {
        self.down_until = self.down_until.max(until);
    }

    /// Whether it can be reached.
    pub(super) const fn is_up(&self, now: u64) -> bool {
        self.down_until <= now
    }

    /// Lets it be reached from now on.
    pub(super) const fn heal(&mut self) {
        self.down_until = 0;
    }

    /// The journal itself, to be read.
    pub(super) const fn journal(&self) -> &MemoryJournal {
        &self.journal
    }

    /// Fences every older writer.
    pub(super) fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        at_once(self.journal.acquire(owner))
    }

    /// The same for who believes to be the owner still.
    pub(super) fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        at_once(self.journal.reacquire(owner))
    }

    /// An append reaches the store: the whole batch or nothing.
    pub(super) fn append(&mut self, batch: &Batch) -> Result<(), AppendError> {
        let waited = || Err(AppendError::Unavailable("not answered at once".into()));
        self.journal.append(batch).now_or_never().unwrap_or_else(waited)?;
        for record in &batch.records {
            if let Some(history) = self.by_stream.get_mut(&record.stream) {
                history.push(record.clone());
            } else {
                self.by_stream.insert(record.stream.clone(), vec![record.clone()]);
            }
        }
        Ok(())
    }

    /// Whether a batch is there.
    pub(super) fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        at_once(self.journal.contains(batch))
    }

    /// The events of a stream after a version.
    pub(super) fn history(&self, stream: &StreamId, after: u64) -> &[Record] {
        let history = self.by_stream.get(stream).map_or(&[][..], Vec::as_slice);
        let from = history.partition_point(|record| record.version <= after);
        history.get(from..).unwrap_or_default()
    }

    /// Version of the last event of a stream; 0 for none.
    pub(super) fn version(&self, stream: &StreamId) -> u64 {
        self.by_stream.get(stream).and_then(|h| h.last()).map_or(0, |record| record.version)
    }

    /// All streams with their events.
    pub(super) fn histories(&self) -> impl Iterator<Item = (&StreamId, &[Record])> {
        self.by_stream.iter().map(|(stream, records)| (stream, records.as_slice()))
    }

    /// All events of a shard.
    pub(super) fn shard(&self, shard: u16) -> Result<Vec<Record>, StoreError> {
        at_once(self.journal.read_shard(persistence::journal::Shard(shard), 0, u32::MAX))
    }

    /// The newest snapshot of a stream.
    pub(super) fn snapshot(&self, stream: &StreamId) -> Option<Snapshot> {
        at_once(self.snapshots.load(std::slice::from_ref(stream))).ok()?.pop()
    }

    /// Keeps a snapshot.
    pub(super) fn keep(&self, snapshot: &Snapshot) {
        // It cannot fail in memory, and nothing depends on it.
        let _ = at_once(self.snapshots.save(snapshot));
    }
}
