//! Frames: what a batch adds to a shard lies in few rows, as JSON that people can read too.
//!
//! A row per event cost more than everything else about an append: see ADR 0013. A frame says of
//! each event, in this order: position, stream, version, name, schema, microseconds since the Unix
//! epoch, slot, event id, checksum, hash, meta and payload.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use engine::values::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::chain::{Digest, verify};
use super::record::{Batch, Record, Shard, Slot, StreamId};
use crate::{BoxError, StoreError};

/// Most events of one frame. Whoever wants one event reads its whole frame.
const FRAME_EVENTS_MAX: u64 = 32;

/// Consecutive events of one shard that became durable together.
pub(super) struct Frame {
    pub(super) shard: Shard,
    pub(super) last_position: u64,
    pub(super) epoch: u64,
    /// The hash of its last event.
    pub(super) last_hash: Digest,
    /// The events as JSON.
    pub(super) events: String,
}

/// CRC-32 of a whole frame: what nobody asks for must not be damaged either, else an event that is
/// wanted could look like another one.
pub(super) fn checksum(
    shard: i64,
    last_position: i64,
    epoch: i64,
    last_hash: &[u8],
    events: &[u8],
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for number in [shard, last_position, epoch] {
        hasher.update(&number.to_be_bytes());
    }
    hasher.update(last_hash);
    hasher.update(events);
    hasher.finalize()
}

/// A frame as it is read: the columns in the order in which every statement names them.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) shard: i64,
    pub(super) last_position: i64,
    pub(super) epoch: i64,
    pub(super) last_hash: Vec<u8>,
    pub(super) checksum: i64,
    pub(super) events: Vec<u8>,
}

/// An event as it lies in a frame.
#[derive(Deserialize)]
struct Framed<'a>(
    u64,
    #[serde(borrow)] Cow<'a, str>,
    u64,
    #[serde(borrow)] Cow<'a, str>,
    u16,
    i64,
    u16,
    Uuid,
    u32,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Option<&'a RawValue>,
    #[serde(borrow)] &'a RawValue,
);

/// The frames of a batch.
pub(super) fn pack(batch: &Batch) -> Result<Vec<Frame>, BoxError> {
    let mut open: BTreeMap<Shard, (u64, Frame)> = BTreeMap::new();
    let mut frames = Vec::new();
    for record in &batch.records {
        let (events, frame) = open.entry(record.shard).or_insert_with(|| {
            let (shard, last_position, last_hash) = (record.shard, record.position, record.hash);
            let events = String::new();
            (0, Frame { shard, last_position, epoch: batch.epoch, last_hash, events })
        });
        frame.push(record)?;
        *events = events.saturating_add(1);
        if FRAME_EVENTS_MAX <= *events {
            frames.extend(open.remove(&record.shard));
        }
    }
    frames.extend(open.into_values());
    Ok(frames.into_iter().map(|(_, frame)| frame.closed()).collect())
}

impl Frame {
    fn push(&mut self, record: &Record) -> Result<(), BoxError> {
        let mut hash = [0; 64];
        hex::encode_to_slice(record.hash, &mut hash)?;
        let head = serde_json::to_string(&(
            record.position,
            record.stream.as_str(),
            record.version,
            record.name.as_ref(),
            record.schema,
            record.at.as_unix_micros(),
            record.slot.0,
            record.event_id,
            record.checksum,
            str::from_utf8(&hash)?,
        ))?;
        self.events.push(if self.events.is_empty() { '[' } else { ',' });
        self.events.push_str(head.trim_end_matches(']'));
        self.events.push(',');
        self.events.push_str(if record.meta.is_empty() { "null" } else { &record.meta });
        self.events.push(',');
        // Both are JSON by contract and go in as they are: the bytes are what was sealed.
        self.events.push_str(&record.payload);
        self.events.push(']');
        self.last_position = record.position;
        self.last_hash = record.hash;
        Ok(())
    }

    /// See [`checksum`].
    pub(super) fn checksum(&self) -> u32 {
        let (position, epoch) = (self.last_position.cast_signed(), self.epoch.cast_signed());
        let events = self.events.as_bytes();
        checksum(self.shard.0.into(), position, epoch, &self.last_hash, events)
    }

    fn closed(mut self) -> Self {
        self.events.push(']');
        debug_assert!(serde_json::from_str::<&RawValue>(&self.events).is_ok());
        self
    }
}

impl Row {
    /// The events that are wanted, told by stream and position, and the position of the first that
    /// lies here. Fails when a byte of the frame differs.
    fn unpack(
        &self,
        wanted: impl Fn(&str, u64) -> bool,
        records: &mut Vec<Record>,
    ) -> Result<u64, StoreError> {
        let Self { shard, last_position, epoch, last_hash, checksum: stored, events } = self;
        let place = format!("shard {shard} up to position {last_position}");
        let damaged = |what: &str| StoreError::Corrupt(format!("{what} in {place}"));
        let found = checksum(*shard, *last_position, *epoch, last_hash, events);
        if i64::from(found) != *stored {
            return Err(damaged("checksum differs"));
        }
        let framed: Vec<Framed<'_>> =
            serde_json::from_slice(events).map_err(|error| damaged(&error.to_string()))?;
        let end = u64::try_from(*last_position).map_err(|_| damaged("position"))?.checked_add(1);
        let first = end.and_then(|end| end.checked_sub(framed.len() as u64));
        let first = first.ok_or_else(|| damaged("position"))?;
        let shard = Shard(u16::try_from(*shard).map_err(|_| damaged("shard"))?);
        let epoch = u64::try_from(*epoch).map_err(|_| damaged("epoch"))?;
        for (position, event) in (first..).zip(framed) {
            if event.0 != position {
                return Err(damaged("position"));
            }
            if !wanted(&event.1, position) {
                continue;
            }
            let record = Record {
                shard,
                position,
                epoch,
                slot: Slot(event.6),
                stream: StreamId::parse(&event.1).ok_or_else(|| damaged("stream"))?,
                version: event.2,
                event_id: event.7,
                name: Cow::Owned(event.3.into_owned()),
                schema: event.4,
                at: Moment::from_unix_micros(event.5),
                meta: event.10.map_or_else(String::new, |meta| meta.get().to_owned()),
                payload: event.11.get().to_owned(),
                checksum: event.8,
                hash: digest(&event.9).ok_or_else(|| damaged("hash"))?,
            };
            verify(None, &record)?;
            records.push(record);
        }
        Ok(first)
    }
}

fn digest(hex: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    hex::decode_to_slice(hex, &mut digest).ok()?;
    Some(digest)
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
    rows: &[Row],
    after: u64,
    wanted: impl Fn(&str) -> bool,
) -> Result<Page, StoreError> {
    let mut records = Vec::new();
    let mut last = None;
    for row in rows {
        let reached = last.unwrap_or(after);
        let first = row.unpack(|name, position| after < position && wanted(name), &mut records)?;
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
        last = Some(row.last_position.cast_unsigned());
    }
    Ok(Page { records, last })
}

/// Events that a tail reads at once.
pub(super) const TAIL_PAGE: u32 = 2_048;

/// The events at some places, or the first damage.
pub(super) fn at(rows: &[Row], places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
    let places: BTreeSet<(i64, u64)> =
        places.iter().map(|(shard, position)| (i64::from(shard.0), *position)).collect();
    let mut records = Vec::new();
    for row in rows {
        row.unpack(|_, position| places.contains(&(row.shard, position)), &mut records)?;
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
