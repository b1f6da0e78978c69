//! Appending on PostgreSQL: one autocommit statement moves the fences and inserts the frames.

use std::time::Duration;

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use tokio::time::timeout;

use super::writer::Writer;
use crate::BoxError;
use crate::database::postgres::sqlstate;
use crate::journal::frame::pack;
use crate::journal::{AppendError, Batch};

/// How long an append may take before its outcome counts as unknown.
const APPEND_MAX: Duration = Duration::from_secs(10);

/// The guard raises `MRF01` unless every fence row was ours to move; then nothing is inserted.
pub(super) const APPEND: &str = "WITH moved AS ( \
    UPDATE shard_fence f SET next_position = wanted.next \
    FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS wanted (shard, expected, next) \
    WHERE f.shard = wanted.shard AND f.epoch = $1 AND f.next_position = wanted.expected \
    RETURNING 1), \
guard AS (SELECT journal_fences_held((SELECT count(*) FROM moved), cardinality($2)) AS held) \
INSERT INTO journal (shard, last_position, epoch, last_hash, checksum, events) \
SELECT frame.shard, frame.last_position, $1, frame.last_hash, frame.checksum, frame.events \
FROM guard, unnest($5::int4[], $6::int8[], $7::bytea[], $8::int8[], $9::bytea[]) \
    AS frame (shard, last_position, last_hash, checksum, events) WHERE guard.held";

/// The arguments of the statement, encoded by the caller so that the writer only runs it.
pub(super) fn arguments(batch: &Batch) -> Result<PgArguments, BoxError> {
    let (moves, frames) = (&batch.moves, pack(batch)?);
    let mut arguments = PgArguments::default();
    arguments.add(batch.epoch.cast_signed())?;
    arguments.add(column(moves, |m| i32::from(m.shard.0)))?;
    arguments.add(column(moves, |m| m.expected.cast_signed()))?;
    arguments.add(column(moves, |m| m.next.cast_signed()))?;
    arguments.add(column(&frames, |frame| i32::from(frame.shard.0)))?;
    arguments.add(column(&frames, |frame| frame.last_position.cast_signed()))?;
    arguments.add(column(&frames, |frame| frame.last_hash.as_slice()))?;
    arguments.add(column(&frames, |frame| i64::from(frame.checksum())))?;
    arguments.add(column(&frames, |frame| frame.events.as_bytes()))?;
    Ok(arguments)
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Runs the statement. A connection whose last statement has no known end is given up.
pub(super) async fn append(
    writer: &mut Writer,
    epoch: u64,
    arguments: PgArguments,
) -> Result<(), AppendError> {
    let connection = writer.take(epoch).await;
    // Nothing was sent yet.
    let mut connection = connection.map_err(|error| AppendError::Unavailable(error.into()))?;
    let statement = sqlx::query_with(APPEND, arguments).execute(&mut connection);
    let outcome = match timeout(APPEND_MAX, statement).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(sorted(error)),
        Err(elapsed) => Err(AppendError::Unknown(elapsed.into())),
    };
    if !matches!(outcome, Err(AppendError::Unknown(_))) {
        writer.put_back(connection);
    }
    outcome
}

/// Sorts an error by the only question that matters: was anything written?
///
/// Unknown unless the server says that the statement was refused. A wrong "not written" sells a
/// unit twice; a wrong "unknown" costs one fencing.
fn sorted(error: sqlx::Error) -> AppendError {
    match sqlstate(&error).as_deref() {
        // Ours, and unique_violation.
        Some("MRF01" | "23505") => AppendError::Fenced,
        // serialization_failure, deadlock_detected, lock_not_available
        Some("40001" | "40P01" | "55P03") => AppendError::Unavailable(error.into()),
        _ => AppendError::Unknown(error.into()),
    }
}
