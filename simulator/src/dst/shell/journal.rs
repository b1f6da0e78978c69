//! The journal as one process reaches it: the memory journal behind a connection that is slow, breaks,
//! and does not always say what came of an append.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use persistence::StoreError;
use persistence::journal::{
    AppendError, Batch, Fence, Journal, MemoryJournal, Record, Shard, StoredFrame, StreamId, Tenure,
};
use tokio::sync::oneshot;

use super::super::outside::{Appended, Outside};
use super::super::sights::Sight;
use super::super::store::at_once;
use super::super::writing::send_append;
use super::ground::{Ground, Inside};

/// The connection of one process.
pub(super) struct Connection {
    ground: Arc<Ground>,
    process: u32,
    shards: u16,
    flights: AtomicU64,
}

impl Connection {
    /// Of a process.
    pub(super) fn of(process: u32, ground: &Arc<Ground>) -> Self {
        let shards = ground.with(|inside| inside.outside.options.shards);
        Self { ground: Arc::clone(ground), process, shards, flights: AtomicU64::new(0) }
    }

    /// Reads once the store is reached.
    async fn read<T>(
        &self,
        read: impl FnOnce(&MemoryJournal) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.ground.reach(self.process).await?;
        self.ground.with(|inside| read(inside.outside.store.journal()))
    }

    fn owns(&self, tenure: &Tenure, outside: &mut Outside) {
        let acquired = outside.books.acquired(tenure.epoch, self.process);
        outside.judge(acquired);
    }
}

#[async_trait]
impl Journal for Connection {
    fn shards(&self) -> u16 {
        self.shards
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        self.ground.reach(self.process).await?;
        self.ground.with(|Inside { outside, .. }| {
            let tenure = outside.store.acquire(owner)?;
            self.owns(&tenure, outside);
            if tenure.holdings.iter().any(|holding| 1 < holding.next_position) {
                outside.see(Sight::StartedAgain);
            }
            Ok(tenure)
        })
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        let reached = self.ground.reach(self.process).await;
        if !self.ground.is_alive(self.process) {
            return Ok(None);
        }
        reached?;
        self.ground.with(|Inside { outside, .. }| {
            if outside.strikes(|faults| faults.append_unknown) {
                return Err(StoreError::Unavailable("simulated".into()));
            }
            let tenure = outside.store.reacquire(owner)?;
            match &tenure {
                Some(tenure) => {
                    self.owns(tenure, outside);
                    outside.see(Sight::Reacquired);
                }
                None => outside.see(Sight::TakenOver),
            }
            Ok(tenure)
        })
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        let (process, batch) = (self.process, Arc::new(batch.clone()));
        let flight = self.flights.fetch_add(1, Ordering::Relaxed);
        let (tells, outcome) = oneshot::channel();
        self.ground.with(|Inside { outside, alive, flights, .. }| {
            if alive.contains(&process) {
                flights.insert((process, flight), tells);
                send_append(process, flight, batch, outside);
            }
        });
        // Who has died is to come to its end, whatever came of the append.
        outcome.await.map_or(Err(AppendError::Fenced), Appended::told)
    }

    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        self.ground.reach(self.process).await?;
        self.ground.with(|Inside { outside, .. }| {
            let present = outside.store.contains(batch)?;
            outside.see(if present { Sight::ResolvedPresent } else { Sight::ResolvedAbsent });
            Ok(present)
        })
    }

    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
        self.read(|journal| at_once(journal.read_places(places))).await
    }

    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError> {
        self.read(|journal| at_once(journal.read_tail(shard, after, streams))).await
    }

    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        self.read(|journal| at_once(journal.read_shard(shard, after, limit))).await
    }

    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        self.read(|journal| at_once(journal.read_frames(shard, after, limit))).await
    }

    async fn fences(&self) -> Result<Vec<Fence>, StoreError> {
        self.read(|journal| at_once(journal.fences())).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.ground.reach(self.process).await
    }
}
