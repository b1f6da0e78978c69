//! Taking over on PostgreSQL: wait for the append in flight, or end the process that hangs in it.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::time::timeout;

use super::writer::{NOTE_PROCESS, Writer};
use crate::StoreError;
use crate::database::postgres::{sqlstate, trouble};
use crate::drill::{CrashPoint, crash_point};
use crate::journal::{Claim, FOREIGN, GENESIS, Holding, Shard, Tenure};

/// How often the fence is tried; after each failure the old writer's process is ended.
const TRIES_MAX: u32 = 3;

/// How long one try may take. It waits for locks no longer than the writer's lock time-out.
const TRY_MAX: Duration = Duration::from_secs(10);

/// Every append updates the table, so this waits for those in flight and holds back new ones.
const LOCK: &str = "BEGIN; LOCK TABLE shard_fence IN SHARE ROW EXCLUSIVE MODE";

const TAKE: &str = "UPDATE shard_fence SET owner = $1, \
    epoch = (SELECT max(epoch) + 1 FROM shard_fence) RETURNING epoch";

const HOLDINGS: &str = "SELECT f.shard, f.next_position, j.last_hash FROM shard_fence f \
    LEFT JOIN journal j ON j.shard = f.shard AND j.last_position = f.next_position - 1 \
    ORDER BY f.shard";

const END_WRITERS: &str = "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a \
    WHERE a.pid <> pg_backend_pid() AND EXISTS (SELECT FROM shard_fence f \
    WHERE f.writer_pid = a.pid AND f.writer_started = a.backend_start)";

/// Raises the epoch and reads what the new owner finds; `None` for shards that cannot be claimed.
pub(super) async fn acquire(
    writer: &mut Writer,
    owner: &str,
    claim: Claim,
) -> Result<Option<Tenure>, StoreError> {
    // A connection of its own: the old one may be the reason for taking over.
    let mut connection = writer.renew().await.map_err(trouble)?;
    for _ in 0..TRIES_MAX {
        match timeout(TRY_MAX, take(&mut connection, owner, claim)).await {
            Ok(Ok(tenure)) => {
                writer.put_back(connection);
                return Ok(tenure);
            }
            Ok(Err(error)) if is_locked(&error) => end_writers(&mut connection).await?,
            Ok(Err(error)) => return Err(trouble(error)),
            Err(elapsed) => return Err(StoreError::Unavailable(elapsed.into())),
        }
    }
    Err(StoreError::Unavailable("another writer holds the fence and cannot be ended".into()))
}

/// `lock_not_available`, `deadlock_detected`
fn is_locked(error: &sqlx::Error) -> bool {
    matches!(sqlstate(error).as_deref(), Some("55P03" | "40P01"))
}

async fn end_writers(connection: &mut PgConnection) -> Result<(), StoreError> {
    connection.execute("ROLLBACK").await.map_err(trouble)?;
    let ended = connection.fetch_all(END_WRITERS).await.map_err(trouble)?.len();
    tracing::warn!(ended, "a writer held the fence for too long; {ended} processes were ended");
    Ok(())
}

async fn take(
    connection: &mut PgConnection,
    owner: &str,
    claim: Claim,
) -> sqlx::Result<Option<Tenure>> {
    connection.execute(LOCK).await?;
    if claim == Claim::Own {
        let foreign: i64 =
            sqlx::query_scalar(FOREIGN).bind(owner).fetch_one(&mut *connection).await?;
        if 0 < foreign {
            connection.execute("ROLLBACK").await?;
            return Ok(None);
        }
    }
    let epochs: Vec<i64> = sqlx::query_scalar(TAKE).bind(owner).fetch_all(&mut *connection).await?;
    let epoch = epochs.first().copied().unwrap_or_default();
    sqlx::query(NOTE_PROCESS).bind(epoch).execute(&mut *connection).await?;
    let rows: Vec<(i32, i64, Option<Vec<u8>>)> =
        sqlx::query_as(HOLDINGS).fetch_all(&mut *connection).await?;
    let holdings = rows.into_iter().map(holding).collect::<sqlx::Result<_>>()?;
    crash_point(CrashPoint::JournalAcquiring);
    connection.execute("COMMIT").await?;
    Ok(Some(Tenure { epoch: epoch.cast_unsigned(), holdings }))
}

fn holding((shard, next_position, hash): (i32, i64, Option<Vec<u8>>)) -> sqlx::Result<Holding> {
    let damaged = |what: &str| sqlx::Error::Decode(format!("{what} of shard {shard}").into());
    let last_hash = match hash {
        None if next_position == 1 => GENESIS,
        None => return Err(damaged("last event")),
        Some(hash) => hash.try_into().map_err(|_| damaged("last hash"))?,
    };
    let number = u16::try_from(shard).map_err(|_| damaged("number"))?;
    Ok(Holding { shard: Shard(number), next_position: next_position.cast_unsigned(), last_hash })
}
