//! Reaching into a stopped server's store as an operator with a SQL client would.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::server::Launch;

/// Deletes every row of every table whose name speaks of snapshots; gives how many there were.
///
/// The server must not run. Fails when there is no such table: then nothing would be tested.
pub async fn delete_snapshots(launch: &Launch) -> Result<u64> {
    match launch.database() {
        Some(database) => {
            let mut connection = database.connect().await?;
            let tables = "SELECT tablename::text FROM pg_tables \
                          WHERE tablename LIKE '%snapshot%' AND schemaname <> 'pg_catalog'";
            let tables = sqlx::query(tables).fetch_all(&mut connection).await?;
            let mut deleted = 0;
            ensure!(!tables.is_empty(), "no table for snapshots");
            for table in tables {
                let table: String = table.try_get(0)?;
                let delete = format!(r#"DELETE FROM "{table}""#);
                let done = sqlx::query(AssertSqlSafe(delete)).execute(&mut connection).await?;
                deleted += done.rows_affected();
            }
            connection.close().await?;
            Ok(deleted)
        }
        None => delete_from_sqlite(launch).await,
    }
}

async fn delete_from_sqlite(launch: &Launch) -> Result<u64> {
    let (mut deleted, mut found) = (0, 0);
    for file in sqlite_files(launch)? {
        let mut connection = SqliteConnectOptions::new().filename(&file).connect().await?;
        let tables =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%snapshot%'";
        for table in sqlx::query(tables).fetch_all(&mut connection).await? {
            let table: String = table.try_get(0)?;
            let delete = format!(r#"DELETE FROM "{table}""#);
            let done = sqlx::query(AssertSqlSafe(delete)).execute(&mut connection).await?;
            deleted += done.rows_affected();
            found += 1;
        }
        connection.close().await?;
    }
    ensure!(found > 0, "no table for snapshots");
    Ok(deleted)
}

/// The files of the data directory that are SQLite databases.
fn sqlite_files(launch: &Launch) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(launch.data()).context("the server made no data directory")?;
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && fs::read(&path)?.starts_with(b"SQLite format 3\0") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Changes one letter of the row that holds the first event of a stream.
///
/// The server must not run.
pub async fn damage_first_event(launch: &Launch, stream: &str) -> Result<()> {
    let file = launch.data().join("millrace.db");
    let mut connection = SqliteConnectOptions::new().filename(&file).connect().await?;
    let damage = "UPDATE journal SET events = replace(events, $1, $1 || 'x') \
                  WHERE rowid = (SELECT min(journal.rowid) FROM journal, \
                  json_each(journal.events) AS event WHERE event.value ->> 1 = $1)";
    let done = sqlx::query(damage).bind(stream).execute(&mut connection).await?;
    ensure!(done.rows_affected() == 1, "{stream} has no event");
    connection.close().await?;
    Ok(())
}

/// How many events the journal of a SQLite store holds. The server may run: readers do not disturb
/// it.
pub async fn journal_events(launch: &Launch) -> Result<i64> {
    for file in sqlite_files(launch)? {
        let options = SqliteConnectOptions::new().filename(&file).read_only(true);
        let mut connection = options.connect().await?;
        let known = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'journal'";
        let known: i64 = sqlx::query(known).fetch_one(&mut connection).await?.try_get(0)?;
        if known == 1 {
            let count = "SELECT COUNT(*) FROM journal_readable";
            return Ok(sqlx::query(count).fetch_one(&mut connection).await?.try_get(0)?);
        }
    }
    anyhow::bail!("no journal in {}", launch.data().display())
}
