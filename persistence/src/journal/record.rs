//! What the journal stores: streams, shards, records and the batches in which they arrive.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use engine::values::Moment;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::chain::Digest;

/// Number of hash slots of a key. Stored with each row, so that shards can be split later.
pub const SLOTS: u16 = 1_024;

/// One of [`SLOTS`] parts of the key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// One independently ordered part of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u16);

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Slot {
    /// The slot of an entity key. All kinds with the same key share a slot.
    pub fn of_key(key: &str) -> Self {
        // The remainder of a division by 1,024 fits in 16 bits.
        Self(u16::try_from(crc32fast::hash(key.as_bytes()) % u32::from(SLOTS)).unwrap_or_default())
    }

    /// The shard that this slot lies in, where there are `shards` of them.
    pub const fn shard(self, shards: u16) -> Shard {
        Shard(self.0 % shards)
    }
}

/// The name of one history: `kind/key`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    name: Arc<str>,
    kind_length: usize,
}

impl StreamId {
    /// The stream of the entity `key` of kind `kind`. Neither may be empty; `kind` has no `/`.
    pub fn new(kind: &str, key: &str) -> Self {
        Self { name: format!("{kind}/{key}").into(), kind_length: kind.len() }
    }

    /// Reads a stored name back; `None` when it has no `/`.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, _) = name.split_once('/')?;
        Some(Self { kind_length: kind.len(), name: name.into() })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The part before the first `/`.
    pub fn kind(&self) -> &str {
        self.name.get(..self.kind_length).unwrap_or_default()
    }

    /// The part after the first `/`.
    pub fn key(&self) -> &str {
        self.name.get(self.kind_length.saturating_add(1)..).unwrap_or_default()
    }

    /// The first 16 bytes of the SHA-256 of the name: a short name for views that are rebuilt.
    pub fn digest(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(Sha256::digest(&*self.name)).for_each(|(to, from)| *to = from);
        Uuid::from_bytes(bytes)
    }

    /// The slot of the key.
    pub fn slot(&self) -> Slot {
        Slot::of_key(self.key())
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// An event on its way to the journal, before it has a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Whose history.
    pub stream: StreamId,
    /// Its place in that history, from 1.
    pub version: u64,
    /// The event's wire name.
    pub name: &'static str,
    /// Version of the payload's shape.
    pub schema: u16,
    /// When it was decided.
    pub at: Moment,
    /// Cause, idempotency key, fingerprint and principal as JSON; empty when unknown.
    pub meta: String,
    /// The event as JSON.
    pub payload: String,
}

/// One stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it lies.
    pub shard: Shard,
    /// Its place in the shard, contiguous from 1.
    pub position: u64,
    /// The writer's epoch.
    pub epoch: u64,
    /// Hash slot of the key.
    pub slot: Slot,
    /// Whose history.
    pub stream: StreamId,
    /// Its place in that history, contiguous from 1.
    pub version: u64,
    /// Stable over retries of the same batch.
    pub event_id: Uuid,
    /// The event's wire name.
    pub name: Cow<'static, str>,
    /// Version of the payload's shape.
    pub schema: u16,
    /// When it was decided.
    pub at: Moment,
    /// Cause, idempotency key, fingerprint and principal as JSON; empty when unknown.
    pub meta: String,
    /// The event as JSON.
    pub payload: String,
    /// CRC-32 of everything above.
    pub checksum: u32,
    /// SHA-256 over the hash before it in the shard and everything above.
    pub hash: Digest,
}

/// The id of the event that writer `epoch` first put at `position` of `shard`.
///
/// Unique without randomness: an epoch has one owner, which uses a position once. A batch that
/// is retried under a later epoch keeps its ids, so that it can be found again.
pub const fn event_id(epoch: u64, shard: Shard, position: u64) -> Uuid {
    let high = ((epoch as u128) << 16) | shard.0 as u128;
    let raw = (high << 64) | position as u128;
    uuid::Builder::from_custom_bytes(raw.to_be_bytes()).into_uuid()
}

/// What a batch does to one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardMove {
    /// Which shard.
    pub shard: Shard,
    /// The position that the first of its events gets.
    pub expected: u64,
    /// The position after its last event.
    pub next: u64,
}

/// Events that become durable together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The writer's epoch.
    pub epoch: u64,
    /// One entry per shard in the batch, ascending.
    pub moves: Vec<ShardMove>,
    /// The events; per shard contiguous and ascending.
    pub records: Vec<Record>,
}
