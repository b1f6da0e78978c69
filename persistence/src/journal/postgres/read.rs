//! Reading on PostgreSQL.

use sqlx::postgres::PgPool;
use uuid::Uuid;

use crate::StoreError;
use crate::database::postgres::trouble;
use crate::journal::row::{Row, into_records};
use crate::journal::{Batch, Record, Shard};

/// How many of the events lie where the batch would have put them.
pub(super) const PRESENT: &str = "SELECT count(*) \
    FROM unnest($1::int4[], $2::int8[], $3::uuid[]) AS wanted (shard, position, event_id) \
    JOIN journal j ON j.shard = wanted.shard AND j.position = wanted.position \
    AND j.event_id = wanted.event_id";

pub(super) const PLACES: &str = "SELECT j.shard::int8, j.position, j.epoch, j.slot::int8, \
    j.stream, j.version, j.event_id, j.event_name, j.schema_version::int8, j.recorded_at, \
    convert_from(j.meta, 'UTF8') AS meta, convert_from(j.payload, 'UTF8') AS payload, \
    j.checksum, j.hash \
    FROM unnest($1::int4[], $2::int8[]) AS wanted (shard, position) \
    JOIN journal j ON j.shard = wanted.shard AND j.position = wanted.position";

pub(super) const TAIL: &str = "SELECT shard::int8, position, epoch, slot::int8, stream, \
    version, event_id, event_name, schema_version::int8, recorded_at, \
    convert_from(meta, 'UTF8') AS meta, convert_from(payload, 'UTF8') AS payload, checksum, hash \
    FROM journal WHERE shard = $1 AND position > $2 AND stream = ANY ($3::text[]) \
    ORDER BY position";

pub(super) const SHARD: &str = "SELECT shard::int8, position, epoch, slot::int8, stream, \
    version, event_id, event_name, schema_version::int8, recorded_at, \
    convert_from(meta, 'UTF8') AS meta, convert_from(payload, 'UTF8') AS payload, checksum, hash \
    FROM journal WHERE shard = $1 AND position > $2 ORDER BY position LIMIT $3";

const HEADS: &str = "SELECT next_position - 1 FROM shard_fence ORDER BY shard";

/// Where a batch would lie. It can be nowhere else: had somebody moved the fence before, it would
/// have been refused as a whole.
pub(super) struct Places {
    shards: Vec<i32>,
    positions: Vec<i64>,
    ids: Vec<Uuid>,
}

impl Places {
    /// The places of a batch.
    pub(super) fn of(batch: &Batch) -> Self {
        let records = batch.records.iter();
        Self {
            shards: records.clone().map(|record| i32::from(record.shard.0)).collect(),
            positions: records.clone().map(|record| record.position.cast_signed()).collect(),
            ids: records.map(|record| record.event_id).collect(),
        }
    }
}

pub(super) async fn contains(readers: &PgPool, wanted: Places) -> Result<bool, StoreError> {
    let events = wanted.ids.len();
    let found: i64 = sqlx::query_scalar(PRESENT)
        .bind(wanted.shards)
        .bind(wanted.positions)
        .bind(wanted.ids)
        .fetch_one(readers)
        .await
        .map_err(trouble)?;
    Ok(usize::try_from(found) == Ok(events))
}

pub(super) async fn places(
    readers: &PgPool,
    (shards, positions): (Vec<i32>, Vec<i64>),
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(PLACES)
        .bind(shards)
        .bind(positions)
        .fetch_all(readers)
        .await
        .map_err(trouble)?;
    into_records(rows)
}

pub(super) async fn tail(
    readers: &PgPool,
    shard: Shard,
    after: u64,
    streams: Vec<String>,
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(TAIL)
        .bind(i32::from(shard.0))
        .bind(after.cast_signed())
        .bind(streams)
        .fetch_all(readers)
        .await
        .map_err(trouble)?;
    into_records(rows)
}

pub(super) async fn shard(
    readers: &PgPool,
    shard: Shard,
    after: u64,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(SHARD)
        .bind(i32::from(shard.0))
        .bind(after.cast_signed())
        .bind(i64::from(limit))
        .fetch_all(readers)
        .await
        .map_err(trouble)?;
    into_records(rows)
}

pub(super) async fn heads(readers: &PgPool) -> Result<Vec<u64>, StoreError> {
    let heads: Vec<i64> = sqlx::query_scalar(HEADS).fetch_all(readers).await.map_err(trouble)?;
    Ok(heads.into_iter().map(i64::cast_unsigned).collect())
}

pub(super) async fn ping(readers: &PgPool) -> Result<(), StoreError> {
    sqlx::query("SELECT 1").execute(readers).await.map_err(trouble)?;
    Ok(())
}
