//! SQLite files: how they are opened, and what is asserted before one is trusted.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Executor as _};

use super::migrate;
use crate::StoreError;

/// Older versions can lose committed rows when a checkpoint meets a writer.
const VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

/// How long a statement waits for another process that writes.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// Connections that read beside the writer. Readers never block it, nor each other.
const READERS_MAX: u32 = 4;

/// Distinct statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 64;

/// Ends the process: what it says is true no longer.
///
/// After a failed write or sync the page cache may show what the disk does not hold, so nothing
/// that this process reads afterwards can be believed. Only a fresh process can.
#[derive(Clone)]
pub struct Fatal(Arc<dyn Fn(&str) + Send + Sync>);

impl Fatal {
    /// A hook of one's own, for tests that want to see it called.
    pub fn new(hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Calls the hook.
    pub(crate) fn end(&self, why: &str) {
        (self.0)(why);
    }
}

impl Default for Fatal {
    /// Aborts.
    fn default() -> Self {
        Self::new(|why| {
            tracing::error!(why, "the journal could not be made durable; ending the process");
            std::process::abort();
        })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_MAX)
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging()
}

/// Opens the one connection that writes; creates file and folder when they are missing.
///
/// The commit that brings the log to `checkpoint_pages` also copies them into the file.
pub(crate) async fn open_writer(
    path: &Path,
    synchronous: SqliteSynchronous,
    checkpoint_pages: &'static str,
) -> Result<SqliteConnection, StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable(error.into()))?;
    }
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        // What one transaction changes must fit, or pages are written to the log more than once. In
        // the views a round changes a page per order, whose ids are spread like digests.
        .pragma("cache_size", "-32768")
        .pragma("wal_autocheckpoint", checkpoint_pages);
    let mut writer = options.connect().await.map_err(trouble)?;
    assert_version(&mut writer).await?;
    Ok(writer)
}

/// Opens the connections that read.
pub(crate) async fn open_readers(path: &Path) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new().max_connections(READERS_MAX).min_connections(1);
    pool.connect_with(options(path).read_only(true)).await.map_err(trouble)
}

/// Opens one connection that reads.
pub(crate) async fn open_reader(path: &Path) -> Result<SqliteConnection, StoreError> {
    options(path).read_only(true).connect().await.map_err(trouble)
}

/// Whether a file holds a journal. Nothing is created or changed.
pub(crate) async fn holds_journal(path: &Path) -> Result<bool, StoreError> {
    if !path.exists() {
        return Ok(false);
    }
    let mut connection = open_reader(path).await?;
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'journal_info')")
        .fetch_one(&mut connection)
        .await
        .map_err(trouble)
}

async fn assert_version(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(trouble)?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let mut next = || parts.next().unwrap_or_default();
    if (next(), next(), next()) < VERSION_MIN {
        let (major, minor, patch) = VERSION_MIN;
        let wanted = format!("{major}.{minor}.{patch}");
        return Err(StoreError::Unsafe(format!("SQLite {version} is older than {wanted}")));
    }
    Ok(())
}

/// Runs the migrations that are missing.
pub(crate) async fn prepare(
    connection: &mut SqliteConnection,
    migrations: &Migrator,
) -> Result<(), StoreError> {
    migrate(migrations, connection, trouble).await
}

/// Reads back what makes a commit durable. A setting that was asked for is not one that is kept.
pub(crate) async fn assert_durable(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await
        .map_err(trouble)?;
    if mode != "wal" {
        return Err(StoreError::Unsafe(format!("journal_mode is {mode}, must be wal")));
    }
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await
        .map_err(trouble)?;
    // 2 is FULL, 3 is EXTRA.
    if synchronous < 2 {
        return Err(StoreError::Unsafe(format!("synchronous is {synchronous}, must be 2 (FULL)")));
    }
    Ok(())
}

/// Moves everything from the write-ahead log into the file and empties the log.
pub(crate) async fn truncate_log(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await
        .map_err(trouble)?;
    if busy != 0 {
        tracing::warn!("another process has the database open; its log was not emptied");
    }
    Ok(())
}

/// Gives up an open transaction, if there is one.
pub(crate) async fn roll_back(connection: &mut SqliteConnection) {
    // It fails when nothing is open, which is what we want.
    let _ = connection.execute("ROLLBACK").await;
}

/// The extended result code of a driver error; none when it does not come from SQLite.
pub(crate) fn extended_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The primary result code of a driver error: the low byte of the extended one.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    extended_code(error).map(|code| code & 0xff)
}

/// What trouble of the driver means while reading or preparing.
pub(crate) fn trouble(error: sqlx::Error) -> StoreError {
    // 11 is CORRUPT, 26 is NOTADB.
    match primary_code(&error) {
        Some(11 | 26) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_commits_before_it_syncs_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let mut full = open_writer(&path, SqliteSynchronous::Full, "1000").await.unwrap();
        assert_durable(&mut full).await.unwrap();
        for weak in [SqliteSynchronous::Normal, SqliteSynchronous::Off] {
            let mut connection = open_writer(&path, weak, "1000").await.unwrap();
            let refused = assert_durable(&mut connection).await;
            assert!(matches!(refused, Err(StoreError::Unsafe(_))), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_database_without_a_log_is_refused() {
        // A database in memory cannot have one, whatever it is asked for.
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let refused = assert_durable(&mut connection).await;
        assert!(matches!(refused, Err(StoreError::Unsafe(_))), "{refused:?}");
    }
}
