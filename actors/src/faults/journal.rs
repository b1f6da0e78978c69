//! A journal that can be made to take its time. What it writes, it writes as ever.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::drill::{Fault, FaultName};
use persistence::StoreError;
use persistence::journal::{
    AppendError, Batch, Fence, Journal, Record, Shard, StoredFrame, StreamId, Tenure,
};

use super::Faults;

/// The decorator.
pub(super) struct FaultyJournal {
    pub(super) inner: Arc<dyn Journal>,
    pub(super) faults: Arc<Faults>,
}

#[async_trait]
impl Journal for FaultyJournal {
    fn shards(&self) -> u16 {
        self.inner.shards()
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        self.inner.acquire(owner).await
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        self.inner.reacquire(owner).await
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        if let Some(fault @ Fault::JournalStall { millis }) =
            self.faults.find(FaultName::JournalStall)
        {
            let at_most = millis.map(|millis| Duration::from_millis(millis.into()));
            self.faults.suffer(fault, at_most).await;
        }
        self.inner.append(batch).await
    }

    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        self.inner.contains(batch).await
    }

    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
        self.inner.read_places(places).await
    }

    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError> {
        self.inner.read_tail(shard, after, streams).await
    }

    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        self.inner.read_shard(shard, after, limit).await
    }

    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        self.inner.read_frames(shard, after, limit).await
    }

    async fn fences(&self) -> Result<Vec<Fence>, StoreError> {
        self.inner.fences().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}
