//! Appending on PostgreSQL: one autocommit statement moves the fences and inserts the events.

use std::time::Duration;

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use tokio::time::timeout;

use super::writer::Writer;
use crate::BoxError;
use crate::database::postgres::sqlstate;
use crate::journal::{AppendError, Batch, Record};

/// How long an append may take before its outcome counts as unknown.
const APPEND_MAX: Duration = Duration::from_secs(10);

/// The guard raises `MRF01` unless every fence row was ours to move; then nothing is inserted.
pub(super) const APPEND: &str = "WITH moved AS ( \
    UPDATE shard_fence f SET next_position = wanted.next \
    FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS wanted (shard, expected, next) \
    WHERE f.shard = wanted.shard AND f.epoch = $1 AND f.next_position = wanted.expected \
    RETURNING 1), \
guard AS (SELECT journal_fences_held((SELECT count(*) FROM moved), cardinality($2)) AS held) \
INSERT INTO journal (shard, position, epoch, slot, stream, version, event_id, event_name, \
    schema_version, recorded_at, meta, payload, checksum, hash) \
SELECT event.* FROM guard, unnest($5::int4[], $6::int8[], $7::int8[], $8::int4[], $9::text[], \
    $10::int8[], $11::uuid[], $12::text[], $13::int4[], $14::int8[], $15::bytea[], $16::bytea[], \
    $17::int8[], $18::bytea[]) AS event WHERE guard.held";

/// The arguments of the statement, encoded by the caller so that the writer only runs it.
pub(super) fn arguments(batch: &Batch) -> Result<PgArguments, BoxError> {
    let (moves, records) = (&batch.moves, &batch.records);
    let mut arguments = PgArguments::default();
    arguments.add(batch.epoch.cast_signed())?;
    arguments.add(moves.iter().map(|m| i32::from(m.shard.0)).collect::<Vec<_>>())?;
    arguments.add(moves.iter().map(|m| m.expected.cast_signed()).collect::<Vec<_>>())?;
    arguments.add(moves.iter().map(|m| m.next.cast_signed()).collect::<Vec<_>>())?;
    arguments.add(column(records, |r| i32::from(r.shard.0)))?;
    arguments.add(column(records, |r| r.position.cast_signed()))?;
    arguments.add(column(records, |r| r.epoch.cast_signed()))?;
    arguments.add(column(records, |r| i32::from(r.slot.0)))?;
    arguments.add(column(records, |r| r.stream.as_str()))?;
    arguments.add(column(records, |r| r.version.cast_signed()))?;
    arguments.add(column(records, |r| r.event_id))?;
    arguments.add(column(records, |r| r.name.as_ref()))?;
    arguments.add(column(records, |r| i32::from(r.schema)))?;
    arguments.add(column(records, |r| r.at.as_unix_micros()))?;
    arguments.add(column(records, |r| r.meta.as_bytes()))?;
    arguments.add(column(records, |r| r.payload.as_bytes()))?;
    arguments.add(column(records, |r| i64::from(r.checksum)))?;
    arguments.add(column(records, |r| r.hash.as_slice()))?;
    Ok(arguments)
}

fn column<'a, T>(records: &'a [Record], value: impl Fn(&'a Record) -> T) -> Vec<T> {
    records.iter().map(value).collect()
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
