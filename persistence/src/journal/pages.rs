//! Records out of frames: pages of a shard, events at given places.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::chain::check;
use super::frame::FRAME_EVENTS_MAX;
use super::record::{Batch, Record, Shard};
use super::stored::StoredFrame;
use crate::StoreError;

/// The events of a frame that are wanted, and the position of the first that lies here.
fn unpack(
    frame: &StoredFrame,
    wanted: impl Fn(&str, u64) -> bool,
    records: &mut Vec<Record>,
) -> Result<u64, StoreError> {
    frame.pick(wanted, |event| {
        check(&event)?;
        let nameless = || StoreError::Corrupt(format!("stream {:?}", event.stream));
        records.push(event.to_record().ok_or_else(nameless)?);
        Ok(())
    })
}

/// A page of a shard, or the first damage.
pub(super) struct Page {
    /// The events that were wanted.
    pub(super) records: Vec<Record>,
    /// The last position that was looked at; none where there is no more.
    pub(super) last: Option<u64>,
}

/// The wanted events of frames that follow a position. A frame that is missing counts as damage.
pub(super) fn page(
    rows: &[StoredFrame],
    after: u64,
    wanted: impl Fn(&str) -> bool,
) -> Result<Page, StoreError> {
    let mut records = Vec::new();
    let mut last = None;
    for row in rows {
        let reached = last.unwrap_or(after);
        let first = unpack(row, |name, position| after < position && wanted(name), &mut records)?;
        let joins = if last.is_none() {
            first <= after.saturating_add(1)
        } else {
            first == reached.saturating_add(1)
        };
        if !joins {
            let shard = row.shard;
            return Err(StoreError::Corrupt(format!(
                "shard {shard} lacks what lies between positions {reached} and {first}"
            )));
        }
        last = Some(row.last_position());
    }
    Ok(Page { records, last })
}

/// Events that a tail reads at once.
pub(super) const TAIL_PAGE: u32 = 2_048;

/// The events at some places, or the first damage.
pub(super) fn at(rows: &[StoredFrame], places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
    let places: BTreeSet<(i64, u64)> =
        places.iter().map(|(shard, position)| (i64::from(shard.0), *position)).collect();
    let mut records = Vec::new();
    for row in rows {
        unpack(row, |_, position| places.contains(&(row.shard, position)), &mut records)?;
    }
    Ok(records)
}

/// The places of a batch. It can lie nowhere else: had somebody moved the fence before, it would
/// have been refused as a whole.
pub(super) fn places_of(batch: &Batch) -> Vec<(Shard, u64)> {
    batch.records.iter().map(|record| (record.shard, record.position)).collect()
}

/// The ids of events, to compare what was written with what lies there.
pub(super) fn ids(records: &[Record]) -> BTreeMap<(Shard, u64), Uuid> {
    records.iter().map(|record| ((record.shard, record.position), record.event_id)).collect()
}

/// The greatest last position of a frame that can hold one of the next `limit` events.
pub(super) fn end_of_page(after: u64, limit: u32) -> i64 {
    let end = after.saturating_add(u64::from(limit)).saturating_add(FRAME_EVENTS_MAX);
    i64::try_from(end).unwrap_or(i64::MAX)
}
