//! The read models as one process reaches them. They outlive every process, as the journal does.

use std::sync::Arc;

use async_trait::async_trait;
use engine::values::{Moment, ProductId};
use persistence::StoreError;
use persistence::read_models::{
    Changes, EntryPage, EntryQuery, HistoryRow, HistoryTail, MemoryReadModels, OrderPage,
    OrderQuery, ProductRow, ReadModels, Wakeup,
};

use super::ground::Ground;

/// The connection of one process.
pub(super) struct Views {
    /// Which.
    pub(super) process: u32,
    /// Where it stands.
    pub(super) ground: Arc<Ground>,
    /// What all of them share.
    pub(super) kept: Arc<MemoryReadModels>,
}

impl Views {
    async fn reach(&self) -> Result<&MemoryReadModels, StoreError> {
        self.ground.reach(self.process).await?;
        Ok(&self.kept)
    }
}

#[async_trait]
impl ReadModels for Views {
    async fn cursors(&self, shards: u16) -> Result<Vec<u64>, StoreError> {
        self.reach().await?.cursors(shards).await
    }

    async fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let reached = self.reach().await;
        if !self.ground.is_alive(self.process) {
            // It would try for ever, and nobody would hear of it.
            return std::future::pending().await;
        }
        reached?.apply(changes).await
    }

    async fn histories(&self, tails: &[HistoryTail]) -> Result<Vec<HistoryRow>, StoreError> {
        self.reach().await?.histories(tails).await
    }

    async fn list_orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        self.reach().await?.list_orders(query).await
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<ProductRow>, StoreError> {
        self.reach().await?.products(products).await
    }

    async fn list_products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError> {
        self.reach().await?.list_products(after, limit).await
    }

    async fn list_entries(&self, query: &EntryQuery) -> Result<EntryPage, StoreError> {
        self.reach().await?.list_entries(query).await
    }

    async fn due_wakeups(&self, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError> {
        self.reach().await?.due_wakeups(now, limit).await
    }

    async fn set_wakeups(&self, wakeups: &[Wakeup]) -> Result<(), StoreError> {
        self.reach().await?.set_wakeups(wakeups).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.reach().await?.clear().await
    }
}
