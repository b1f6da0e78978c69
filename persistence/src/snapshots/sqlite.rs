//! Snapshots on SQLite, in the views file.

use async_trait::async_trait;
use sqlx::Executor as _;
use sqlx::sqlite::SqlitePool;

use super::row::{Row, checksum};
use super::{Snapshot, Snapshots};
use crate::StoreError;
use crate::database::sqlite::trouble;
use crate::database::sqlite_views::Views;
use crate::journal::StreamId;
use crate::tasks::owned;

const LOAD: &str = "SELECT s.stream, s.version, s.shard, s.position, s.body, s.checksum \
    FROM json_each($1) AS wanted CROSS JOIN snapshots s ON s.stream = wanted.value";

/// The snapshots whose events are in the journal.
const KNOWN: &str = "SELECT wanted.key FROM json_each($1) AS wanted CROSS JOIN journal j \
    ON j.shard = wanted.value ->> 0 AND j.position = wanted.value ->> 1 \
    AND j.stream = wanted.value ->> 2 AND j.version >= wanted.value ->> 3";

const SAVE: &str = "INSERT INTO snapshots (stream, version, shard, position, body, checksum) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (stream) DO UPDATE \
    SET version = excluded.version, shard = excluded.shard, position = excluded.position, \
    body = excluded.body, checksum = excluded.checksum WHERE excluded.version >= version";

/// Snapshots in the file beside the journal.
pub(crate) struct SqliteSnapshots {
    views: Views,
    journal: SqlitePool,
}

impl SqliteSnapshots {
    /// Keeps snapshots in `views` and believes those whose last event is in `journal`.
    pub(crate) const fn new(views: Views, journal: SqlitePool) -> Self {
        Self { views, journal }
    }
}

#[async_trait]
impl Snapshots for SqliteSnapshots {
    async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError> {
        let wanted: serde_json::Value = streams.iter().map(StreamId::as_str).collect();
        let (views, journal) = (self.views.readers.clone(), self.journal.clone());
        owned(async move {
            let rows: Vec<Row> = sqlx::query_as(LOAD)
                .bind(wanted.to_string())
                .fetch_all(&views)
                .await
                .map_err(trouble)?;
            let readable = rows.into_iter().filter_map(Row::into_snapshot).collect();
            of_this_journal(&journal, readable).await
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

/// Drops snapshots that the journal does not reach: it was put back from an older copy, while the
/// views file was not.
async fn of_this_journal(
    journal: &SqlitePool,
    found: Vec<Snapshot>,
) -> Result<Vec<Snapshot>, StoreError> {
    if found.is_empty() {
        return Ok(found);
    }
    let ends = found.iter().map(|s| {
        let (shard, position) = s.place;
        serde_json::json!([shard.0, position, s.stream.as_str(), s.version])
    });
    let known: Vec<i64> = sqlx::query_scalar(KNOWN)
        .bind(ends.collect::<serde_json::Value>().to_string())
        .fetch_all(journal)
        .await
        .map_err(trouble)?;
    let numbered = (0_i64..).zip(found);
    Ok(numbered.filter(|(at, _)| known.contains(at)).map(|(_, snapshot)| snapshot).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plans::{Access, assert_sqlite_uses_an_index};
    use crate::journal::{Fatal, SqliteJournal};

    #[tokio::test]
    async fn every_query_uses_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let views = Views::open(&folder.path().join("views.db")).await.unwrap();
        assert_sqlite_uses_an_index(&views.readers, &[(LOAD, Access::Found)]).await;
        let path = folder.path().join("journal.db");
        let journal = SqliteJournal::open(&path, 4, Fatal::default()).await.unwrap();
        assert_sqlite_uses_an_index(journal.readers(), &[(KNOWN, Access::Found)]).await;
    }
}
