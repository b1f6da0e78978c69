//! Wake-ups on SQLite.

use engine::values::Moment;
use serde_json::json;
use sqlx::Executor as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::super::Wakeup;
use super::super::row::wakeup;
use super::apply::array;
use crate::StoreError;
use crate::database::sqlite::{roll_back, trouble};

pub(super) const DUE: &str = "SELECT stream, due, version FROM read_wakeups \
    WHERE due <= $1 ORDER BY due, stream LIMIT $2";

pub(super) const DROP: &str = "DELETE FROM read_wakeups \
    WHERE stream IN (SELECT value ->> 0 FROM json_each($1) WHERE value ->> 1 IS NULL)";

const PUT: &str = "INSERT INTO read_wakeups (stream, due, version) \
    SELECT value ->> 0, value ->> 1, value ->> 2 \
    FROM json_each($1) WHERE value ->> 1 IS NOT NULL \
    ON CONFLICT (stream) DO UPDATE SET due = excluded.due, version = excluded.version";

const BRING_FORWARD: &str = "INSERT INTO read_wakeups (stream, due, version) \
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1) WHERE true \
    ON CONFLICT (stream) DO UPDATE \
    SET due = min(due, excluded.due), version = max(version, excluded.version)";

pub(super) const DROP_IF_OLD: &str = "DELETE FROM read_wakeups WHERE stream IN ( \
    SELECT w.stream FROM json_each($1) AS wanted CROSS JOIN read_wakeups w \
    ON w.stream = wanted.value ->> 0 \
    WHERE wanted.value ->> 1 IS NULL AND w.version <= wanted.value ->> 2)";

const PUT_IF_OLD: &str = "INSERT INTO read_wakeups (stream, due, version) \
    SELECT value ->> 0, value ->> 1, value ->> 2 \
    FROM json_each($1) WHERE value ->> 1 IS NOT NULL \
    ON CONFLICT (stream) DO UPDATE SET due = excluded.due, version = excluded.version \
    WHERE version <= excluded.version";

/// Wake-ups as the statements here take them; none for none.
pub(super) fn encode(wakeups: &[Wakeup]) -> Option<String> {
    array(wakeups.iter().map(|wakeup| {
        json!([wakeup.stream.as_str(), wakeup.due.map(Moment::as_unix_micros), wakeup.version])
    }))
}

/// Makes rows exactly this, within a transaction.
pub(super) async fn put(writer: &mut SqliteConnection, wakeups: &str) -> sqlx::Result<()> {
    sqlx::query(DROP).bind(wakeups).execute(&mut *writer).await?;
    sqlx::query(PUT).bind(wakeups).execute(&mut *writer).await?;
    Ok(())
}

/// Makes rows earlier, within a transaction.
pub(super) async fn bring_forward(
    writer: &mut SqliteConnection,
    wakeups: String,
) -> sqlx::Result<()> {
    sqlx::query(BRING_FORWARD).bind(wakeups).execute(writer).await?;
    Ok(())
}

/// Makes rows this, but for those that know more.
pub(super) async fn set(
    writer: &mut SqliteConnection,
    wakeups: Option<String>,
) -> Result<(), StoreError> {
    let Some(wakeups) = wakeups else { return Ok(()) };
    let done = set_in_transaction(writer, &wakeups).await;
    if done.is_err() {
        roll_back(writer).await;
    }
    done.map_err(trouble)
}

async fn set_in_transaction(writer: &mut SqliteConnection, wakeups: &str) -> sqlx::Result<()> {
    writer.execute("BEGIN IMMEDIATE").await?;
    sqlx::query(DROP_IF_OLD).bind(wakeups).execute(&mut *writer).await?;
    sqlx::query(PUT_IF_OLD).bind(wakeups).execute(&mut *writer).await?;
    writer.execute("COMMIT").await?;
    Ok(())
}

/// Wake-ups due at `now`, the earliest first.
pub(super) async fn due(
    readers: &SqlitePool,
    now: Moment,
    limit: u32,
) -> Result<Vec<Wakeup>, StoreError> {
    let due: Vec<(String, i64, i64)> = sqlx::query_as(DUE)
        .bind(now.as_unix_micros())
        .bind(limit)
        .fetch_all(readers)
        .await
        .map_err(trouble)?;
    due.into_iter().map(wakeup).collect()
}
