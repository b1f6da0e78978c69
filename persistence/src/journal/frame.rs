//! Frames: what a batch adds to a shard lies in few rows, as JSON that people can read too.
//!
//! A row per event cost more than everything else about an append: see ADR 0013. A frame says of
//! each event, in this order: position, stream, version, name, schema, microseconds since the Unix
//! epoch, slot, event id, checksum, hash, meta and payload.

use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// A frame as it is read: the columns in the order in which every statement names them.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) shard: i64,
    pub(super) last_position: i64,
    pub(super) epoch: i64,
    pub(super) last_hash: Vec<u8>,
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

    fn closed(mut self) -> Self {
        self.events.push(']');
        debug_assert!(serde_json::from_str::<&RawValue>(&self.events).is_ok());
        self
    }
}

impl Row {
    /// The events that are wanted, told by stream and position, if their checksums are right.
    fn unpack(
        &self,
        wanted: impl Fn(&str, u64) -> bool,
        records: &mut Vec<Record>,
    ) -> Result<(), StoreError> {
        let place = format!("shard {} up to position {}", self.shard, self.last_position);
        let damaged = |what: &str| StoreError::Corrupt(format!("{what} in {place}"));
        let shard = Shard(u16::try_from(self.shard).map_err(|_| damaged("shard"))?);
        let epoch = u64::try_from(self.epoch).map_err(|_| damaged("epoch"))?;
        let framed: Vec<Framed<'_>> =
            serde_json::from_slice(&self.events).map_err(|error| damaged(&error.to_string()))?;
        let last = framed.last().ok_or_else(|| damaged("no event"))?;
        if last.0.cast_signed() != self.last_position {
            return Err(damaged("position"));
        }
        if digest(&last.9).is_none_or(|hash| hash.as_slice() != self.last_hash) {
            return Err(damaged("hash"));
        }
        for event in framed {
            if !wanted(&event.1, event.0) {
                continue;
            }
            let record = Record {
                shard,
                position: event.0,
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
        Ok(())
    }
}

fn digest(hex: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    hex::decode_to_slice(hex, &mut digest).ok()?;
    Some(digest)
}

/// The events after a position, at most `limit` of them, or the first damage.
pub(super) fn after(rows: &[Row], after: u64, limit: u32) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    for row in rows {
        row.unpack(|_, position| after < position, &mut records)?;
    }
    records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(records)
}

/// The events of some streams after a position, or the first damage.
pub(super) fn of_streams(
    rows: &[Row],
    after: u64,
    streams: &[StreamId],
) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    let names: std::collections::BTreeSet<&str> = streams.iter().map(StreamId::as_str).collect();
    for row in rows {
        row.unpack(|name, position| after < position && names.contains(name), &mut records)?;
    }
    Ok(records)
}

/// The events at some places, or the first damage.
pub(super) fn at(rows: &[Row], places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
    let places: std::collections::BTreeSet<(i64, u64)> =
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
