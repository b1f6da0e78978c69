//! The journal on PostgreSQL: one writer connection, and a small pool for readers.

mod acquire;
mod append;
#[cfg(test)]
mod plans;
mod read;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::Mutex;

use self::writer::Writer;
use super::fence::{COUNTED, are_complete};
use super::{
    AppendError, Batch, Claim, FORMAT, Fence, Journal, Record, Shard, StoredFrame, StreamId,
    Tenure, pages,
};
use crate::StoreError;
use crate::database::postgres::trouble;
use crate::tasks::{detached, owned};

/// The journal in a PostgreSQL database: the production store.
pub(crate) struct PostgresJournal {
    shards: u16,
    /// Locked by detached tasks only, so that a cancelled caller never leaves work half-done.
    writer: Arc<Mutex<Writer>>,
    readers: PgPool,
}

impl PostgresJournal {
    /// The journal behind `readers`, whose tables exist. `shards` counts only for a new one.
    pub(crate) async fn open(
        options: &PgConnectOptions,
        readers: PgPool,
        shards: u16,
    ) -> Result<Self, StoreError> {
        let shards = settle_shards(&readers, shards).await?;
        let writer = Arc::new(Mutex::new(Writer::new(options.clone())));
        Ok(Self { shards, writer, readers })
    }
}

/// Writes the shard count of a new journal, or reads that of an old one.
async fn settle_shards(pool: &PgPool, wanted: u16) -> Result<u16, StoreError> {
    sqlx::query(
        "INSERT INTO journal_info (only_row, format_version, shards) VALUES (1, $1, $2) \
         ON CONFLICT DO NOTHING",
    )
    .bind(FORMAT)
    .bind(i32::from(wanted))
    .execute(pool)
    .await
    .map_err(trouble)?;
    let (format, shards): (i64, i32) =
        sqlx::query_as("SELECT format_version, shards FROM journal_info")
            .fetch_one(pool)
            .await
            .map_err(trouble)?;
    if format != FORMAT {
        let known = format!("this build knows {FORMAT}");
        return Err(StoreError::Unsafe(format!("the journal has format {format}, {known}")));
    }
    let known: (i64, i64) = sqlx::query_as(COUNTED).fetch_one(pool).await.map_err(trouble)?;
    if known.0 == 0 {
        make_fences(pool, shards).await?;
    } else {
        are_complete(i64::from(shards), known)?;
    }
    u16::try_from(shards).map_err(|_| StoreError::Corrupt(format!("{shards} shards")))
}

async fn make_fences(pool: &PgPool, shards: i32) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO shard_fence (shard, epoch, next_position, owner) \
         SELECT shard, 0, 1, '' FROM generate_series(0, $1 - 1) AS shard ON CONFLICT DO NOTHING",
    )
    .bind(shards)
    .execute(pool)
    .await
    .map_err(trouble)?;
    Ok(())
}

#[async_trait]
impl Journal for PostgresJournal {
    fn shards(&self) -> u16 {
        self.shards
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        let (writer, owner) = (Arc::clone(&self.writer), owner.to_owned());
        let tenure = owned(async move {
            acquire::acquire(&mut *writer.lock().await, &owner, Claim::Any).await
        });
        tenure.await?.ok_or_else(|| StoreError::Unavailable("nobody took the journal".into()))
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        let (writer, owner) = (Arc::clone(&self.writer), owner.to_owned());
        owned(async move { acquire::acquire(&mut *writer.lock().await, &owner, Claim::Own).await })
            .await
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        if batch.records.is_empty() {
            return Ok(());
        }
        let epoch = batch.epoch;
        let arguments = append::arguments(batch).map_err(AppendError::Unavailable)?;
        let writer = Arc::clone(&self.writer);
        detached(async move { append::append(&mut *writer.lock().await, epoch, arguments).await })
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
