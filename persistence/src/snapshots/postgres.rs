//! Snapshots on PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Executor as _;
use sqlx::postgres::PgPool;

use super::row::{LIST, Row, checksum, listed, of_this_journal};
use super::{Snapshot, Snapshots};
use crate::StoreError;
use crate::database::postgres::trouble;
use crate::journal::{Journal, StreamId};
use crate::tasks::owned;

const LOAD: &str = "SELECT s.stream, s.version, s.shard, s.position, s.body, s.checksum \
    FROM snapshots s WHERE s.stream = ANY ($1::text[])";

const SAVE: &str = "INSERT INTO snapshots (stream, version, shard, position, body, checksum) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (stream) DO UPDATE \
    SET version = excluded.version, shard = excluded.shard, position = excluded.position, \
    body = excluded.body, checksum = excluded.checksum \
    WHERE excluded.version >= snapshots.version";

/// Snapshots beside the journal.
pub(crate) struct PostgresSnapshots {
    pool: PgPool,
    journal: Arc<dyn Journal>,
}

impl PostgresSnapshots {
    /// Keeps snapshots behind `pool` and believes those whose last event is in `journal`.
    pub(crate) fn new(pool: PgPool, journal: Arc<dyn Journal>) -> Self {
        Self { pool, journal }
    }
}

#[async_trait]
impl Snapshots for PostgresSnapshots {
    async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError> {
        let wanted: Vec<String> = streams.iter().map(ToString::to_string).collect();
        let pool = self.pool.clone();
        let readable = owned(async move {
            let rows: Vec<Row> =
                sqlx::query_as(LOAD).bind(wanted).fetch_all(&pool).await.map_err(trouble)?;
            Ok(rows.into_iter().filter_map(Row::into_snapshot).collect())
        });
        of_this_journal(&*self.journal, readable.await?).await
    }

    async fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let readers = self.pool.clone();
        owned(async move {
            let rows = sqlx::query_as(LIST).fetch_all(&readers).await.map_err(trouble)?;
            Ok(listed(rows))
        })
        .await
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let checksum = checksum(snapshot);
        let Snapshot { stream, version, place: (shard, position), body } = snapshot.clone();
        let pool = self.pool.clone();
        owned(async move {
            sqlx::query(SAVE)
                .bind(stream.as_str())
                .bind(version.cast_signed())
                .bind(i32::from(shard.0))
                .bind(position.cast_signed())
                .bind(body)
                .bind(checksum)
                .execute(&pool)
                .await
                .map_err(trouble)?;
            Ok(())
        })
        .await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let pool = self.pool.clone();
        owned(async move {
            pool.execute("DELETE FROM snapshots").await.map_err(trouble)?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plans::{Access, assert_postgres_uses_an_index};

    #[tokio::test]
    async fn every_query_uses_an_index() {
        assert_postgres_uses_an_index(&[(LOAD, Access::Found)]).await;
    }
}
