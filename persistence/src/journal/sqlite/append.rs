//! Writing on SQLite: take over, or append a whole batch in one transaction.

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _, SqlSafeStr as _, SqlStr};

use super::Fatal;
use crate::crash_points::{CrashPoint, crash_point};
use crate::database::sqlite::{extended_code, primary_code, roll_back, trouble};
use crate::database::sqlite_rows::push_rows;
use crate::journal::fence::{FENCES, FOREIGN, FenceRow, tenure};
use crate::journal::frame::pack;
use crate::journal::{AppendError, Batch, Claim, ShardMove, StoredFrame, Tenure};
use crate::{BoxError, StoreError};

/// A fence row that does not match gets NULL for its next position, which its column refuses: so
/// one statement checks and moves all of them. Every shard has a row since the file was opened.
pub(super) const MOVE: &str = "UPDATE OR ROLLBACK shard_fence SET next_position = \
        iif(shard_fence.epoch = ? AND shard_fence.next_position = wanted.value ->> 1, \
            wanted.value ->> 2, NULL) \
    FROM json_each(?) AS wanted WHERE shard_fence.shard = wanted.value ->> 0";

/// With ROLLBACK a conflict ends the transaction, so that SQLite need not copy each page that it
/// changes in order to undo the statement alone.
const INSERT: &str =
    "INSERT OR ROLLBACK INTO journal (shard, last_position, epoch, last_hash, checksum, events) ";

const COLUMNS: usize = 6;

/// Raises every epoch at once. The greatest counts, so that a split journal stays in order.
const TAKE: &str = "UPDATE shard_fence SET owner = $1, \
    epoch = (SELECT max(epoch) + 1 FROM shard_fence)";

/// The last frame of each shard, wherever the fence says that it is.
pub(super) const LAST_FRAMES: &str = "SELECT j.shard, j.last_position, j.epoch, j.last_hash, \
    j.checksum, j.events FROM shard_fence f CROSS JOIN journal j ON j.shard = f.shard \
    AND j.last_position = (SELECT max(last_position) FROM journal WHERE shard = f.shard)";

/// Primary result codes of SQLite.
const BUSY: u32 = 5;
const FULL: u32 = 13;

/// Extended result codes: a fence that did not match, and a position that is taken.
const NOT_NULL: u32 = 1_299;
const PRIMARY_KEY: u32 = 1_555;

/// One append, encoded by the caller so that the writer only runs it.
pub(super) struct Script {
    sql: SqlStr,
    arguments: SqliteArguments,
}

impl Script {
    /// Encodes a batch. The frames travel with what comes before them.
    pub(super) fn of(batch: &Batch) -> Result<Self, BoxError> {
        let frames = pack(batch)?;
        let mut sql = format!("BEGIN IMMEDIATE; {MOVE}; {INSERT}");
        push_rows(&mut sql, COLUMNS, frames.len());
        let mut arguments = SqliteArguments::default();
        arguments.add(batch.epoch.cast_signed())?;
        arguments.add(moves_as_json(&batch.moves)?)?;
        for frame in frames {
            let checksum = frame.checksum();
            arguments.add(frame.shard.0)?;
            arguments.add(frame.last_position.cast_signed())?;
            arguments.add(frame.epoch.cast_signed())?;
            arguments.add(frame.last_hash.to_vec())?;
            arguments.add(checksum)?;
            arguments.add(frame.events)?;
        }
        // Safe: made of constants only.
        Ok(Self { sql: AssertSqlSafe(sql).into_sql_str(), arguments })
    }

    /// Runs it. On an error nothing of it is left, unless the error says that this is unknown.
    pub(super) async fn run(
        self,
        writer: &mut SqliteConnection,
        fatal: &Fatal,
    ) -> Result<(), AppendError> {
        let frames = sqlx::query_with(self.sql, self.arguments).execute(&mut *writer).await;
        if let Err(error) = frames {
            roll_back(writer).await;
            return Err(not_written(error));
        }
        crash_point(CrashPoint::JournalInserted);
        commit(writer, fatal).await
    }
}

fn moves_as_json(moves: &[ShardMove]) -> Result<String, serde_json::Error> {
    let moves = moves.iter().map(|m| (m.shard.0, m.expected, m.next));
    serde_json::to_string(&moves.collect::<Vec<_>>())
}

/// An error before COMMIT: the transaction is rolled back, so nothing was written.
fn not_written(error: sqlx::Error) -> AppendError {
    match extended_code(&error) {
        Some(NOT_NULL | PRIMARY_KEY) => AppendError::Fenced,
        _ => AppendError::Unavailable(error.into()),
    }
}

/// Makes it durable, or ends the process: see [`Fatal`].
async fn commit(writer: &mut SqliteConnection, fatal: &Fatal) -> Result<(), AppendError> {
    let Err(error) = writer.execute("COMMIT").await else { return Ok(()) };
    roll_back(writer).await;
    // The log had no room for the commit mark or was not ours to write: it is not there.
    if let Some(BUSY | FULL) = primary_code(&error) {
        return Err(AppendError::Unavailable(error.into()));
    }
    fatal.end(&error.to_string());
    Err(AppendError::Unknown(error.into()))
}

/// Raises the epoch and reads what the new owner finds; `None` for shards that cannot be claimed.
pub(super) async fn acquire(
    writer: &mut SqliteConnection,
    owner: &str,
    claim: Claim,
    fatal: &Fatal,
) -> Result<Option<Tenure>, StoreError> {
    match take(writer, owner, claim).await {
        Ok(Some(tenure)) => {
            crash_point(CrashPoint::JournalAcquiring);
            match commit(writer, fatal).await {
                Ok(()) => Ok(Some(tenure)),
                Err(error) => Err(StoreError::Unavailable(error.into())),
            }
        }
        refused => {
            roll_back(writer).await;
            refused
        }
    }
}

async fn take(
    writer: &mut SqliteConnection,
    owner: &str,
    claim: Claim,
) -> Result<Option<Tenure>, StoreError> {
    writer.execute("BEGIN IMMEDIATE").await.map_err(trouble)?;
    if claim == Claim::Own {
        let foreign = sqlx::query_scalar(FOREIGN).bind(owner).fetch_one(&mut *writer).await;
        let foreign: i64 = foreign.map_err(trouble)?;
        if 0 < foreign {
            return Ok(None);
        }
    }
    sqlx::query(TAKE).bind(owner).execute(&mut *writer).await.map_err(trouble)?;
    let fences: Vec<FenceRow> =
        sqlx::query_as(FENCES).fetch_all(&mut *writer).await.map_err(trouble)?;
    let frames: Vec<StoredFrame> =
        sqlx::query_as(LAST_FRAMES).fetch_all(writer).await.map_err(trouble)?;
    tenure(fences, &frames).map(Some)
}
