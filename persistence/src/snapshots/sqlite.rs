//! Snapshots on SQLite, in the views file.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Executor as _;

use super::row::{LIST, Row, checksum, listed, of_this_journal};
use super::{Snapshot, Snapshots};
use crate::StoreError;
use crate::database::sqlite::trouble;
use crate::database::sqlite_views::Views;
use crate::journal::{Journal, StreamId};
use crate::tasks::owned;

const LOAD: &str = "SELECT s.stream, s.version, s.shard, s.position, s.body, s.checksum \
    FROM json_each($1) AS wanted CROSS JOIN snapshots s ON s.stream = wanted.value";

const SAVE: &str = "INSERT INTO snapshots (stream, version, shard, position, body, checksum) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (stream) DO UPDATE \
    SET version = excluded.version, shard = excluded.shard, position = excluded.position, \
    body = excluded.body, checksum = excluded.checksum WHERE excluded.version >= version";

/// Snapshots in the file beside the journal.
pub(crate) struct SqliteSnapshots {
    views: Views,
    journal: Arc<dyn Journal>,
}

impl SqliteSnapshots {
    /// Keeps snapshots in `views` and believes those whose last event is in `journal`.
    pub(crate) fn new(views: Views, journal: Arc<dyn Journal>) -> Self {
        Self { views, journal }
    }
}

#[async_trait]
impl Snapshots for SqliteSnapshots {
    async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError> {
        let wanted: serde_json::Value = streams.iter().map(StreamId::as_str).collect();
        let views = self.views.readers.clone();
        let readable = owned(async move {
            let rows: Vec<Row> = sqlx::query_as(LOAD)
                .bind(wanted.to_string())
                .fetch_all(&views)
                .await
                .map_err(trouble)?;
            Ok(rows.into_iter().filter_map(Row::into_snapshot).collect())
        });
        of_this_journal(&*self.journal, readable.await?).await
    }

    async fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let readers = self.views.readers.clone();
        owned(async move {
            let rows = sqlx::query_as(LIST).fetch_all(&readers).await.map_err(trouble)?;
            Ok(listed(rows))
        })
        .await
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let checksum = checksum(snapshot);
        let Snapshot { stream, version, place: (shard, position), body } = snapshot.clone();
        let views = self.views.clone();
        owned(async move {
            sqlx::query(SAVE)
                .bind(stream.as_str())
                .bind(version.cast_signed())
                .bind(shard.0)
                .bind(position.cast_signed())
                .bind(body)
                .bind(checksum)
                .execute(&mut *views.writer.lock().await)
                .await
                .map_err(trouble)?;
            Ok(())
        })
        .await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let views = self.views.clone();
        owned(async move {
            let mut writer = views.writer.lock().await;
            writer.execute("DELETE FROM snapshots").await.map_err(trouble)?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plans::{Access, assert_sqlite_uses_an_index};

    #[tokio::test]
    async fn every_query_uses_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let views = Views::open(&folder.path().join("views.db")).await.unwrap();
        assert_sqlite_uses_an_index(&views.readers, &[(LOAD, Access::Found)]).await;
    }
}
