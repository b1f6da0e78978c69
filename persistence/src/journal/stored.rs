//! A frame as it lies in a store, and the events in it where they lie: nothing is copied per event.

use std::borrow::Cow;

use engine::values::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::chain::Digest;
use super::record::{Record, Shard, Slot};
use crate::StoreError;

/// Consecutive events of one shard that became durable together, as they were read. The columns
/// stand in the order in which every statement names them.
#[derive(Clone, Debug)]
#[cfg_attr(any(feature = "sqlite", feature = "postgres"), derive(sqlx::FromRow))]
pub struct StoredFrame {
    pub(super) shard: i64,
    pub(super) last_position: i64,
    pub(super) epoch: i64,
    pub(super) last_hash: Vec<u8>,
    pub(super) checksum: i64,
    pub(super) events: Vec<u8>,
}

/// One stored event where it lies; a [`Record`] owns the same.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// Where it lies.
    pub shard: Shard,
    /// Its place in the shard, contiguous from 1.
    pub position: u64,
    /// The writer's epoch.
    pub epoch: u64,
    /// Hash slot of the key.
    pub slot: Slot,
    /// Whose history: `kind/key`.
    pub stream: Cow<'a, str>,
    /// Its place in that history, contiguous from 1.
    pub version: u64,
    /// Stable over retries of the same batch.
    pub event_id: Uuid,
    /// The event's wire name.
    pub name: Cow<'a, str>,
    /// Version of the payload's shape.
    pub schema: u16,
    /// When it was decided.
    pub at: Moment,
    /// Cause, idempotency key, fingerprint and principal as JSON; empty when unknown.
    pub meta: &'a str,
    /// The event as JSON.
    pub payload: &'a str,
    /// CRC-32 of everything above.
    pub checksum: u32,
    /// SHA-256 over the hash before it in the shard and everything above.
    pub hash: Digest,
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

impl StoredFrame {
    /// The position of its last event.
    pub const fn last_position(&self) -> u64 {
        self.last_position.cast_unsigned()
    }

    /// All its events, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a byte of it differs from what was written, or when it was written
    /// wrongly. Checksums and hashes of the single events are not looked at.
    pub fn events(&self) -> Result<Vec<Stored<'_>>, StoreError> {
        let mut events = Vec::new();
        self.pick(
            |_, _| true,
            |event| {
                events.push(event);
                Ok(())
            },
        )?;
        if events.last().is_none_or(|last| last.hash.as_slice() != self.last_hash) {
            return Err(self.damaged("last hash"));
        }
        Ok(events)
    }

    /// Gives the events that are wanted, told by stream and position, and returns the position of
    /// the first that lies here. Fails when a byte of the frame differs.
    pub(super) fn pick<'a>(
        &'a self,
        wanted: impl Fn(&str, u64) -> bool,
        mut give: impl FnMut(Stored<'a>) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let Self { shard, last_position, epoch, last_hash, checksum: stored, events } = self;
        let found = checksum(*shard, *last_position, *epoch, last_hash, events);
        if i64::from(found) != *stored {
            return Err(self.damaged("checksum differs"));
        }
        // Once for all texts in it, which is faster than each by itself.
        let events = str::from_utf8(events).map_err(|error| self.damaged(&error.to_string()))?;
        let framed: Vec<Framed<'_>> =
            serde_json::from_str(events).map_err(|error| self.damaged(&error.to_string()))?;
        let end = u64::try_from(*last_position).ok().and_then(|last| last.checked_add(1));
        let first = end.and_then(|end| end.checked_sub(framed.len() as u64));
        let first = first.ok_or_else(|| self.damaged("position"))?;
        let shard = Shard(u16::try_from(*shard).map_err(|_| self.damaged("shard"))?);
        let epoch = u64::try_from(*epoch).map_err(|_| self.damaged("epoch"))?;
        for (position, event) in (first..).zip(framed) {
            if event.0 != position {
                return Err(self.damaged("position"));
            }
            if wanted(&event.1, position) {
                give(event.stored(shard, epoch).ok_or_else(|| self.damaged("hash"))?)?;
            }
        }
        Ok(first)
    }

    fn damaged(&self, what: &str) -> StoreError {
        let Self { shard, last_position, .. } = self;
        StoreError::Corrupt(format!("{what} in shard {shard} up to position {last_position}"))
    }
}

/// A hash from its text. Every event has one, so this does without a branch for each digit.
fn digest(text: &str) -> Option<Digest> {
    let digit = |byte: u8| (byte & 0x0f).wrapping_add((byte >> 6).wrapping_mul(9));
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut digest = Digest::default();
    let is_whole = pairs.len() == digest.len() && rest.is_empty();
    if !is_whole || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = (digit(*high) << 4) | digit(*low);
    }
    Some(digest)
}

impl<'a> Framed<'a> {
    fn stored(self, shard: Shard, epoch: u64) -> Option<Stored<'a>> {
        let Self(position, stream, version, name, schema, at, slot, event_id, checksum, hex, ..) =
            self;
        let (meta, payload) = (self.10.map_or("", RawValue::get), self.11.get());
        let (slot, at) = (Slot(slot), Moment::from_unix_micros(at));
        let hash = digest(&hex)?;
        Some(Stored {
            shard,
            position,
            epoch,
            slot,
            stream,
            version,
            event_id,
            name,
            schema,
            at,
            meta,
            payload,
            checksum,
            hash,
        })
    }
}

impl Stored<'_> {
    /// The part of the stream's name before the first `/`.
    pub fn kind(&self) -> &str {
        self.stream.split_once('/').map_or(&*self.stream, |(kind, _)| kind)
    }

    /// The part of the stream's name after the first `/`.
    pub fn key(&self) -> &str {
        self.stream.split_once('/').map_or("", |(_, key)| key)
    }

    /// The same, owned; `None` when the stream's name is none.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn to_record(&self) -> Option<Record> {
        Some(Record {
            shard: self.shard,
            position: self.position,
            epoch: self.epoch,
            slot: self.slot,
            stream: super::StreamId::parse(&self.stream)?,
            version: self.version,
            event_id: self.event_id,
            name: Cow::Owned(self.name.clone().into_owned()),
            schema: self.schema,
            at: self.at,
            meta: self.meta.to_owned(),
            payload: self.payload.to_owned(),
            checksum: self.checksum,
            hash: self.hash,
        })
    }
}

impl Record {
    /// The same, borrowed.
    pub fn as_stored(&self) -> Stored<'_> {
        Stored {
            shard: self.shard,
            position: self.position,
            epoch: self.epoch,
            slot: self.slot,
            stream: Cow::Borrowed(self.stream.as_str()),
            version: self.version,
            event_id: self.event_id,
            name: Cow::Borrowed(&self.name),
            schema: self.schema,
            at: self.at,
            meta: &self.meta,
            payload: &self.payload,
            checksum: self.checksum,
            hash: self.hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_was_written() {
        let hash: Digest = std::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap());
        let text = hex::encode(hash);
        assert_eq!(digest(&text), Some(hash));
        assert_eq!(digest(&text.to_uppercase()), Some(hash));
        for bad in ["", &text[1..], &text[2..], &format!("{text}00"), &text.replace('a', "g")] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
