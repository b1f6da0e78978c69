//! The journal in memory: for tests and simulation; nothing survives the process.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::planted::{Bug, planted};

use super::frame::{Frame, pack};
use super::{
    AppendError, Batch, Fence, GENESIS, Holding, Journal, Record, Shard, StoredFrame, StreamId,
    Tenure,
};
use crate::StoreError;

#[derive(Default)]
struct Contents {
    epoch: u64,
    owner: String,
    shards: Vec<Vec<Record>>,
    ids: BTreeSet<uuid::Uuid>,
}

/// A journal that lives and dies with the process.
pub struct MemoryJournal {
    shards: u16,
    contents: Mutex<Contents>,
}

impl MemoryJournal {
    /// An empty journal with that many shards.
    pub fn new(shards: u16) -> Self {
        let contents =
            Contents { shards: vec![Vec::new(); usize::from(shards)], ..Contents::default() };
        Self { shards, contents: Mutex::new(contents) }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Nothing is left half-done under this lock, so a panic elsewhere does not spoil it.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn take(&mut self, owner: &str) -> Tenure {
        let fences = self.owner != owner || !planted(Bug::LooksUnfenced);
        self.epoch = self.epoch.saturating_add(u64::from(fences));
        owner.clone_into(&mut self.owner);
        let holdings = (0_u16..).map(Shard).zip(&self.shards).map(|(shard, rows)| Holding {
            shard,
            next_position: self.next_position(shard),
            last_hash: rows.last().map_or(GENESIS, |record| record.hash),
            last_at: rows.last().map(|record| record.at),
        });
        Tenure { epoch: self.epoch, holdings: holdings.collect() }
    }

    fn next_position(&self, shard: Shard) -> u64 {
        let rows = self.shards.get(usize::from(shard.0)).map_or(0, Vec::len);
        (rows as u64).saturating_add(1)
    }

    fn accepts(&self, batch: &Batch) -> bool {
        (batch.epoch == self.epoch || planted(Bug::TakesOldEpoch))
            && batch.moves.iter().all(|m| self.next_position(m.shard) == m.expected)
    }

    /// The events of a shard after a position. Positions are contiguous from 1, so a place in the
    /// list is known without looking.
    fn after(&self, shard: Shard, position: u64) -> impl Iterator<Item = &Record> {
        let skip = usize::try_from(position).unwrap_or(usize::MAX);
        self.shards.get(usize::from(shard.0)).into_iter().flatten().skip(skip)
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    fn shards(&self) -> u16 {
        self.shards
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        Ok(self.lock().take(owner))
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        let mut contents = self.lock();
        Ok((contents.owner == owner).then(|| contents.take(owner)))
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        let mut contents = self.lock();
        if !contents.accepts(batch) {
            return Err(AppendError::Fenced);
        }
        for record in &batch.records {
            if planted(Bug::TearsBatch) && batch.records.last() == Some(record) {
                break;
            }
            let shard = usize::from(record.shard.0);
            let Some(rows) = contents.shards.get_mut(shard) else {
                return Err(AppendError::Fenced);
            };
            rows.push(record.clone());
            contents.ids.insert(record.event_id);
        }
        Ok(())
    }

    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        let contents = self.lock();
        let is_there = batch.records.iter().all(|record| contents.ids.contains(&record.event_id));
        Ok(is_there && !planted(Bug::FindsNothing))
    }

    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
        let contents = self.lock();
        let at = |&(shard, position): &(Shard, u64)| {
            contents.after(shard, position.checked_sub(1)?).next().cloned()
        };
        Ok(places.iter().filter_map(at).collect())
    }

    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError> {
        let contents = self.lock();
        let tail = contents.after(shard, after).filter(|record| streams.contains(&record.stream));
        Ok(tail.cloned().collect())
    }

    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let contents = self.lock();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(contents.after(shard, after).take(limit).cloned().collect())
    }

    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        let records = self.read_shard(shard, after, limit).await?;
        let mut frames = Vec::new();
        for records in records.chunk_by(|one, next| one.epoch == next.epoch) {
            let epoch = records.first().map_or(0, |record| record.epoch);
            let batch = Batch { epoch, moves: Vec::new(), records: records.to_vec() };
            frames.extend(pack(&batch).map_err(StoreError::Unavailable)?);
        }
        Ok(frames.into_iter().map(Frame::stored).collect())
    }

    async fn fences(&self) -> Result<Vec<Fence>, StoreError> {
        let contents = self.lock();
        let fence = |shard| Fence {
            shard,
            epoch: contents.epoch,
            next_position: contents.next_position(shard),
            owner: contents.owner.clone(),
        };
        Ok((0..self.shards).map(Shard).map(fence).collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
