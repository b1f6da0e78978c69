//! Frames: what a batch adds to a shard lies in few rows, as JSON that people can read too.
//!
//! A row per event cost more than everything else about an append: see ADR 0013. A frame says of
//! each event, in this order: position, stream, version, name, schema, microseconds since the Unix
//! epoch, slot, event id, checksum, hash, meta and payload.

use std::collections::BTreeMap;

use super::chain::Digest;
use super::record::{Batch, Record, Shard};
use super::stored::{StoredFrame, checksum};
use crate::BoxError;

/// Most events of one frame. Whoever wants one event reads its whole frame.
pub(super) const FRAME_EVENTS_MAX: u64 = 32;

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

    /// As it will be read.
    pub(super) fn stored(self) -> StoredFrame {
        StoredFrame {
            shard: self.shard.0.into(),
            last_position: self.last_position.cast_signed(),
            epoch: self.epoch.cast_signed(),
            last_hash: self.last_hash.to_vec(),
            checksum: self.checksum().into(),
            events: self.events.into_bytes(),
        }
    }

    fn closed(mut self) -> Self {
        self.events.push(']');
        debug_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&self.events).is_ok());
        self
    }
}
