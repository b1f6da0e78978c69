//! Wake-ups on PostgreSQL.

use engine::values::Moment;
use sqlx::Executor as _;
use sqlx::postgres::{PgConnection, PgPool};

use super::super::Wakeup;
use super::super::row::wakeup;
use crate::StoreError;
use crate::database::postgres::trouble;

pub(super) const DUE: &str = "SELECT stream, due, version FROM read_wakeups \
    WHERE due <= $1 ORDER BY due, stream LIMIT $2";

/// Drops rows that know no more than they are told.
pub(super) const DROP: &str = "DELETE FROM read_wakeups w \
    USING unnest($1::text[], $2::int8[]) AS gone (stream, version) \
    WHERE w.stream = gone.stream AND w.version <= gone.version";

const PUT: &str = "INSERT INTO read_wakeups (stream, due, version) \
    SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[]) ON CONFLICT (stream) DO UPDATE \
    SET due = excluded.due, version = excluded.version";

const PUT_IF_OLD: &str = "INSERT INTO read_wakeups (stream, due, version) \
    SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[]) ON CONFLICT (stream) DO UPDATE \
    SET due = excluded.due, version = excluded.version \
    WHERE read_wakeups.version <= excluded.version";

const BRING_FORWARD: &str = "INSERT INTO read_wakeups (stream, due, version) \
    SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[]) ON CONFLICT (stream) DO UPDATE \
    SET due = least(read_wakeups.due, excluded.due), \
    version = greatest(read_wakeups.version, excluded.version)";

/// Wake-ups as columns: those that are set, and those that go.
#[derive(Default)]
pub(super) struct Wakeups {
    streams: Vec<String>,
    dues: Vec<i64>,
    versions: Vec<i64>,
    gone: Vec<String>,
    gone_versions: Vec<i64>,
}

impl Wakeups {
    /// Encodes wake-ups, at most one per stream.
    pub(super) fn of<'a>(wakeups: impl IntoIterator<Item = &'a Wakeup>) -> Self {
        let mut columns = Self::default();
        for wakeup in wakeups {
            let (stream, version) = (wakeup.stream.to_string(), wakeup.version.cast_signed());
            if let Some(due) = wakeup.due {
                columns.streams.push(stream);
                columns.dues.push(due.as_unix_micros());
                columns.versions.push(version);
            } else {
                columns.gone.push(stream);
                columns.gone_versions.push(version);
            }
        }
        columns
    }

    /// Makes rows exactly this, within a transaction.
    pub(super) async fn put(mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        // Whatever the row knows, it goes.
        self.gone_versions.fill(i64::MAX);
        self.run(connection, PUT).await
    }

    /// Makes rows earlier, within a transaction.
    pub(super) async fn bring_forward(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        self.run(connection, BRING_FORWARD).await
    }

    /// Makes rows this, but for those that know more.
    pub(super) async fn set(self, pool: &PgPool) -> Result<(), StoreError> {
        let mut connection = pool.acquire().await.map_err(trouble)?;
        let done = self.set_in_transaction(&mut connection).await;
        if done.is_err() {
            let _ = connection.execute("ROLLBACK").await;
        }
        done.map_err(trouble)
    }

    async fn set_in_transaction(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        connection.execute("BEGIN").await?;
        self.run(connection, PUT_IF_OLD).await?;
        connection.execute("COMMIT").await?;
        Ok(())
    }

    async fn run(self, connection: &mut PgConnection, put: &'static str) -> sqlx::Result<()> {
        if !self.gone.is_empty() {
            let drop = sqlx::query(DROP).bind(self.gone).bind(self.gone_versions);
            drop.execute(&mut *connection).await?;
        }
        if !self.streams.is_empty() {
            let put = sqlx::query(put).bind(self.streams).bind(self.dues).bind(self.versions);
            put.execute(connection).await?;
        }
        Ok(())
    }
}

/// Wake-ups due at `now`, the earliest first.
pub(super) async fn due(pool: &PgPool, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError> {
    let due: Vec<(String, i64, i64)> = sqlx::query_as(DUE)
        .bind(now.as_unix_micros())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(trouble)?;
    due.into_iter().map(wakeup).collect()
}
