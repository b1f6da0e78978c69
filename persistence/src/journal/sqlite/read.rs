//! Reading on SQLite.

use std::collections::BTreeSet;

use sqlx::sqlite::SqlitePool;

use crate::StoreError;
use crate::database::sqlite::trouble;
use crate::journal::fence::{FENCES, FenceRow};
use crate::journal::pages::{self, TAIL_PAGE, end_of_page};
use crate::journal::{Fence, Record, Shard, StoredFrame, StreamId};

/// Each frame that one of the places lies in, once.
pub(super) const PLACES: &str = "SELECT j.shard, j.last_position, j.epoch, j.last_hash, j.checksum, j.events \
    FROM (SELECT DISTINCT wanted.value ->> 0 AS shard, \
        (SELECT min(last_position) FROM journal WHERE shard = wanted.value ->> 0 \
            AND last_position >= wanted.value ->> 1) AS last_position \
        FROM json_each($1) AS wanted) AS found \
    CROSS JOIN journal j ON j.shard = found.shard AND j.last_position = found.last_position";

/// Up to a position, but the next frame always, so that a lost row does not look like the end.
pub(super) const SHARD: &str = "SELECT shard, last_position, epoch, last_hash, checksum, events \
    FROM journal WHERE shard = $1 AND last_position > $2 AND last_position <= max($3, \
        (SELECT min(last_position) FROM journal WHERE shard = $1 AND last_position > $2)) \
    ORDER BY last_position";

fn places_as_json(places: &[(Shard, u64)]) -> String {
    let wanted = places.iter().map(|(shard, position)| serde_json::json!([shard.0, position]));
    wanted.collect::<serde_json::Value>().to_string()
}

pub(super) async fn places(
    readers: &SqlitePool,
    places: &[(Shard, u64)],
) -> Result<Vec<Record>, StoreError> {
    let wanted = places_as_json(places);
    let rows: Vec<StoredFrame> =
        sqlx::query_as(PLACES).bind(wanted).fetch_all(readers).await.map_err(trouble)?;
    pages::at(&rows, places)
}

pub(super) async fn frames(
    readers: &SqlitePool,
    shard: Shard,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredFrame>, StoreError> {
    sqlx::query_as(SHARD)
        .bind(shard.0)
        .bind(after.cast_signed())
        .bind(end_of_page(after, limit))
        .fetch_all(readers)
        .await
        .map_err(trouble)
}

pub(super) async fn tail(
    readers: &SqlitePool,
    shard: Shard,
    after: u64,
    streams: &[StreamId],
) -> Result<Vec<Record>, StoreError> {
    let names: BTreeSet<&str> = streams.iter().map(StreamId::as_str).collect();
    let (mut records, mut after) = (Vec::new(), after);
    loop {
        let rows = frames(readers, shard, after, TAIL_PAGE).await?;
        let page = pages::page(&rows, after, |name| names.contains(name))?;
        records.extend(page.records);
        let Some(last) = page.last else { return Ok(records) };
        after = last;
    }
}

pub(super) async fn shard(
    readers: &SqlitePool,
    shard: Shard,
    after: u64,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    let rows = frames(readers, shard, after, limit).await?;
    let mut records = pages::page(&rows, after, |_| true)?.records;
    records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(records)
}

pub(super) async fn fences(readers: &SqlitePool) -> Result<Vec<Fence>, StoreError> {
    let rows: Vec<FenceRow> = sqlx::query_as(FENCES).fetch_all(readers).await.map_err(trouble)?;
    rows.into_iter().map(Fence::try_from).collect()
}

pub(super) async fn ping(readers: &SqlitePool) -> Result<(), StoreError> {
    sqlx::query("SELECT 1").execute(readers).await.map_err(trouble)?;
    Ok(())
}
