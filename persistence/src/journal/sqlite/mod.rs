//! The journal on SQLite: one file, one writer connection, readers beside it.

mod append;
mod open;
#[cfg(test)]
mod plans;
mod read;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::{
    AppendError, Batch, Claim, Fence, Journal, Record, Shard, StoredFrame, StreamId, Tenure, pages,
};
use crate::StoreError;
pub use crate::database::sqlite::Fatal;
use crate::tasks::{detached, owned};

/// The journal in an SQLite file: the embedded default.
pub struct SqliteJournal {
    shards: u16,
    /// Locked by detached tasks only, so that a cancelled caller never leaves a transaction open.
    writer: Arc<Mutex<SqliteConnection>>,
    readers: SqlitePool,
    fatal: Fatal,
}

#[async_trait]
impl Journal for SqliteJournal {
    fn shards(&self) -> u16 {
        self.shards
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        let writer = Arc::clone(&self.writer);
        let (owner, fatal) = (owner.to_owned(), self.fatal.clone());
        let tenure = owned(async move {
            append::acquire(&mut *writer.lock().await, &owner, Claim::Any, &fatal).await
        });
        tenure.await?.ok_or_else(|| StoreError::Unavailable("nobody took the journal".into()))
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        let writer = Arc::clone(&self.writer);
        let (owner, fatal) = (owner.to_owned(), self.fatal.clone());
        owned(async move {
            append::acquire(&mut *writer.lock().await, &owner, Claim::Own, &fatal).await
        })
        .await
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        if batch.moves.iter().any(|m| self.shards <= m.shard.0) {
            return Err(AppendError::Fenced);
        }
        if batch.records.is_empty() {
            return Ok(());
        }
        let script = append::Script::of(batch).map_err(AppendError::Unavailable)?;
        let writer = Arc::clone(&self.writer);
        let fatal = self.fatal.clone();
        detached(async move { script.run(&mut *writer.lock().await, &fatal).await })
            .await
            .unwrap_or_else(|| Err(AppendError::Unknown("the storage task was stopped".into())))
    }

    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        let found = self.read_places(&pages::places_of(batch)).await?;
        Ok(pages::ids(&found) == pages::ids(&batch.records))
    }

    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
        let (readers, places) = (self.readers.clone(), places.to_vec());
        owned(async move { read::places(&readers, &places).await }).await
    }

    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError> {
        let (readers, streams) = (self.readers.clone(), streams.to_vec());
        owned(async move { read::tail(&readers, shard, after, &streams).await }).await
    }

    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let readers = self.readers.clone();
        owned(async move { read::shard(&readers, shard, after, limit).await }).await
    }

    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        let readers = self.readers.clone();
        owned(async move { read::frames(&readers, shard, after, limit).await }).await
    }

    async fn fences(&self) -> Result<Vec<Fence>, StoreError> {
        let readers = self.readers.clone();
        owned(async move { read::fences(&readers).await }).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let readers = self.readers.clone();
        owned(async move { read::ping(&readers).await }).await
    }
}
