//! Reading on SQLite.

use sqlx::sqlite::SqlitePool;
use uuid::Uuid;

use crate::StoreError;
use crate::database::sqlite::trouble;
use crate::journal::row::{Row, into_records};
use crate::journal::{Batch, Record, Shard, ShardMove, StreamId};

pub(super) const IDS: &str = "SELECT event_id FROM journal \
    WHERE shard = $1 AND position >= $2 AND position < $3 ORDER BY position";

pub(super) const PLACES: &str = "SELECT j.shard, j.position, j.epoch, j.slot, j.stream, \
    j.version, j.event_id, j.event_name, j.schema_version, j.recorded_at, j.meta, j.payload, \
    j.checksum, j.hash \
    FROM json_each($1) AS wanted CROSS JOIN journal j \
    ON j.shard = wanted.value ->> 0 AND j.position = wanted.value ->> 1";

pub(super) const TAIL: &str = "SELECT shard, position, epoch, slot, stream, version, event_id, \
    event_name, schema_version, recorded_at, meta, payload, checksum, hash \
    FROM journal WHERE shard = $1 AND position > $2 \
    AND stream IN (SELECT value FROM json_each($3)) ORDER BY position";

pub(super) const SHARD: &str = "SELECT shard, position, epoch, slot, stream, version, event_id, \
    event_name, schema_version, recorded_at, meta, payload, checksum, hash \
    FROM journal WHERE shard = $1 AND position > $2 ORDER BY position LIMIT $3";

const HEADS: &str = "SELECT next_position - 1 FROM shard_fence ORDER BY shard";

/// The event ids of a batch that lie in `shard`, in order.
pub(super) fn ids_of(batch: &Batch, shard: Shard) -> Vec<Uuid> {
    let there = batch.records.iter().filter(|record| record.shard == shard);
    there.map(|record| record.event_id).collect()
}

/// Whether the ids lie where the batch would have put them. It can be nowhere else: had somebody
/// moved the fence before, the batch would have been refused as a whole.
pub(super) async fn contains(
    readers: &SqlitePool,
    batch: Vec<(ShardMove, Vec<Uuid>)>,
) -> Result<bool, StoreError> {
    for (m, wanted) in batch {
        let found: Vec<Uuid> = sqlx::query_scalar(IDS)
            .bind(m.shard.0)
            .bind(m.expected.cast_signed())
            .bind(m.next.cast_signed())
            .fetch_all(readers)
            .await
            .map_err(trouble)?;
        if found != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What [`places`] takes.
pub(super) fn places_as_json(places: &[(Shard, u64)]) -> String {
    let wanted = places.iter().map(|(shard, position)| serde_json::json!([shard.0, position]));
    wanted.collect::<serde_json::Value>().to_string()
}

pub(super) async fn places(
    readers: &SqlitePool,
    wanted: String,
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<Row> =
        sqlx::query_as(PLACES).bind(wanted).fetch_all(readers).await.map_err(trouble)?;
    into_records(rows)
}

/// What [`tail`] takes.
pub(super) fn names_as_json(streams: &[StreamId]) -> String {
    streams.iter().map(StreamId::as_str).collect::<serde_json::Value>().to_string()
}

pub(super) async fn tail(
    readers: &SqlitePool,
    shard: Shard,
    after: u64,
    names: String,
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(TAIL)
        .bind(shard.0)
        .bind(after.cast_signed())
        .bind(names)
        .fetch_all(readers)
        .await
        .map_err(trouble)?;
    into_records(rows)
}

pub(super) async fn shard(
    readers: &SqlitePool,
    shard: Shard,
    after: u64,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(SHARD)
        .bind(shard.0)
        .bind(after.cast_signed())
        .bind(limit)
        .fetch_all(readers)
        .await
        .map_err(trouble)?;
    into_records(rows)
}

pub(super) async fn heads(readers: &SqlitePool) -> Result<Vec<u64>, StoreError> {
    let heads: Vec<i64> = sqlx::query_scalar(HEADS).fetch_all(readers).await.map_err(trouble)?;
    Ok(heads.into_iter().map(i64::cast_unsigned).collect())
}

pub(super) async fn ping(readers: &SqlitePool) -> Result<(), StoreError> {
    sqlx::query("SELECT 1").execute(readers).await.map_err(trouble)?;
    Ok(())
}
