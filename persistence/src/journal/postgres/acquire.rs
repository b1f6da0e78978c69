//! Taking over on PostgreSQL: wait for the append in flight, or end the process that hangs in it.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::time::timeout;

use super::writer::{NOTE_PROCESS, Writer};
use crate::StoreError;
use crate::crash_points::{CrashPoint, crash_point};
use crate::database::postgres::{sqlstate, trouble};
use crate::journal::fence::{FENCES, FOREIGN, FenceRow, tenure};
use crate::journal::{Claim, StoredFrame, Tenure};

/// How often the fence is tried; after each failure the old writer's process is ended.
const TRIES_MAX: u32 = 3;

/// How long one try may take. It waits for locks no longer than the writer's lock time-out.
const TRY_MAX: Duration = Duration::from_secs(10);

/// Every append updates the table, so this waits for those in flight and holds back new ones.
const LOCK: &str = "BEGIN; LOCK TABLE shard_fence IN SHARE ROW EXCLUSIVE MODE";

const TAKE: &str = "UPDATE shard_fence SET owner = $1, \
    epoch = (SELECT max(epoch) + 1 FROM shard_fence) RETURNING epoch";

/// The last frame of each shard, wherever the fence says that it is.
pub(super) const LAST_FRAMES: &str = "SELECT j.shard::int8, j.last_position, j.epoch, j.last_hash, \
    j.checksum, j.events FROM shard_fence f JOIN journal j ON j.shard = f.shard \
    AND j.last_position = (SELECT max(last_position) FROM journal WHERE shard = f.shard)";

const END_WRITERS: &str = "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a \
    WHERE a.pid <> pg_backend_pid() AND EXISTS (SELECT FROM shard_fence f \
    WHERE f.writer_pid = a.pid AND f.writer_started = a.backend_start)";

/// Raises the epoch and reads what the new owner finds; `None` for shards that cannot be claimed.
/// What cannot be true is not claimed.
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
                return tenure;
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

/// One try. Only the database's own errors say whether another one is worth it.
async fn take(
    connection: &mut PgConnection,
    owner: &str,
    claim: Claim,
) -> sqlx::Result<Result<Option<Tenure>, StoreError>> {
    connection.execute(LOCK).await?;
    if claim == Claim::Own {
        let foreign: i64 =
            sqlx::query_scalar(FOREIGN).bind(owner).fetch_one(&mut *connection).await?;
        if 0 < foreign {
            connection.execute("ROLLBACK").await?;
            return Ok(Ok(None));
        }
    }
    let epochs: Vec<i64> = sqlx::query_scalar(TAKE).bind(owner).fetch_all(&mut *connection).await?;
    let epoch = epochs.first().copied().unwrap_or_default();
    sqlx::query(NOTE_PROCESS).bind(epoch).execute(&mut *connection).await?;
    let fences: Vec<FenceRow> = sqlx::query_as(FENCES).fetch_all(&mut *connection).await?;
    let frames: Vec<StoredFrame> = sqlx::query_as(LAST_FRAMES).fetch_all(&mut *connection).await?;
    let tenure = tenure(fences, &frames);
    if tenure.is_ok() {
        crash_point(CrashPoint::JournalAcquiring);
    }
    connection.execute(if tenure.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    Ok(tenure.map(Some))
}
