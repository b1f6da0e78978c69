//! Opening a journal file: migrate, assert, and learn how many shards it has.

use std::path::Path;
use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnection, SqliteSynchronous};
use tokio::sync::Mutex;

use super::{Fatal, SqliteJournal};
use crate::StoreError;
use crate::database::sqlite::{self as database, trouble};
use crate::journal::FORMAT;
use crate::journal::fence::{COUNTED, are_complete};

/// A checkpoint is a pause of all answers, so it is to be short. The journal grows at its end: pages
/// that wait for longer are not written less often.
const CHECKPOINT_PAGES: &str = "1000";

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

impl SqliteJournal {
    /// Opens or creates a journal. `shards` counts only for a new one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] when the file, the library or a setting cannot keep what we promise.
    pub async fn open(path: &Path, shards: u16, fatal: Fatal) -> Result<Self, StoreError> {
        let mut writer =
            database::open_writer(path, SqliteSynchronous::Full, CHECKPOINT_PAGES).await?;
        database::assert_durable(&mut writer).await?;
        database::truncate_log(&mut writer).await?;
        database::prepare(&mut writer, &MIGRATIONS).await?;
        let shards = settle_shards(&mut writer, shards).await?;
        let readers = database::open_readers(path).await?;
        Ok(Self { shards, writer: Arc::new(Mutex::new(writer)), readers, fatal })
    }
}

/// Writes the shard count of a new journal, or reads that of an old one.
async fn settle_shards(writer: &mut SqliteConnection, wanted: u16) -> Result<u16, StoreError> {
    sqlx::query(
        "INSERT OR IGNORE INTO journal_info (only_row, format_version, shards) VALUES (1, $1, $2)",
    )
    .bind(FORMAT)
    .bind(wanted)
    .execute(&mut *writer)
    .await
    .map_err(trouble)?;
    let (format, shards): (i64, u16) =
        sqlx::query_as("SELECT format_version, shards FROM journal_info")
            .fetch_one(&mut *writer)
            .await
            .map_err(trouble)?;
    if format != FORMAT {
        let known = format!("this build knows {FORMAT}");
        return Err(StoreError::Unsafe(format!("the journal has format {format}, {known}")));
    }
    let known: (i64, i64) =
        sqlx::query_as(COUNTED).fetch_one(&mut *writer).await.map_err(trouble)?;
    if 0 < known.0 {
        are_complete(i64::from(shards), known)?;
        return Ok(shards);
    }
    sqlx::query(
        "WITH RECURSIVE number (shard) AS ( \
             SELECT 0 UNION ALL SELECT shard + 1 FROM number WHERE shard + 1 < $1) \
         INSERT OR IGNORE INTO shard_fence (shard, epoch, next_position, owner) \
         SELECT shard, 0, 1, '' FROM number",
    )
    .bind(shards)
    .execute(writer)
    .await
    .map_err(trouble)?;
    Ok(shards)
}
