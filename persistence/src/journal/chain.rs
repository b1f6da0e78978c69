//! Checksum and hash chain: a changed byte, a lost row and a swapped row are all noticed.

use engine::planted::{Bug, planted};
use sha2::{Digest as _, Sha256};

use super::record::Record;
use super::stored::Stored;
use crate::StoreError;

/// A SHA-256 hash.
pub type Digest = [u8; 32];

/// The hash before the first event of a shard.
pub const GENESIS: Digest = [0; 32];

/// Puts every stored field but checksum and hash in one unambiguous row of bytes: fixed-width numbers
/// and length-prefixed texts.
fn write_canonical(event: &Stored<'_>, bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.extend_from_slice(&event.shard.0.to_be_bytes());
    bytes.extend_from_slice(&event.position.to_be_bytes());
    bytes.extend_from_slice(&event.epoch.to_be_bytes());
    bytes.extend_from_slice(&event.slot.0.to_be_bytes());
    bytes.extend_from_slice(&event.version.to_be_bytes());
    bytes.extend_from_slice(event.event_id.as_bytes());
    bytes.extend_from_slice(&event.schema.to_be_bytes());
    bytes.extend_from_slice(&event.at.as_unix_micros().to_be_bytes());
    for text in [&*event.stream, &*event.name, event.meta, event.payload] {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
}

fn canonical(event: &Stored<'_>) -> Vec<u8> {
    let texts = [event.stream.len(), event.name.len(), event.meta.len(), event.payload.len()];
    let length = texts.iter().fold(128_usize, |sum, text| sum.saturating_add(*text));
    let mut bytes = Vec::with_capacity(length);
    write_canonical(event, &mut bytes);
    bytes
}

fn chained(before: &Digest, bytes: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(bytes);
    hasher.finalize().into()
}

fn checked(event: &Stored<'_>, bytes: &[u8]) -> Result<(), StoreError> {
    if crc32fast::hash(bytes) == event.checksum {
        return Ok(());
    }
    Err(differs("checksum differs", event))
}

fn differs(what: &str, event: &Stored<'_>) -> StoreError {
    StoreError::Corrupt(format!("{what} at shard {} position {}", event.shard, event.position))
}

/// Fills in checksum and hash of a record that follows `before` in its shard.
pub fn seal(before: &Digest, record: &mut Record) {
    let bytes = canonical(&record.as_stored());
    record.checksum = crc32fast::hash(&bytes);
    record.hash = chained(before, &bytes);
}

/// Checks the bytes of one event by themselves.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn check(event: &Stored<'_>) -> Result<(), StoreError> {
    checked(event, &canonical(event))
}

/// The chain of one shard, followed event by event.
#[derive(Debug)]
pub struct Chain {
    before: Digest,
    /// Used again for each event.
    bytes: Vec<u8>,
}

impl Chain {
    /// The chain behind an event with this hash; behind [`GENESIS`] is the first event.
    pub const fn after(before: Digest) -> Self {
        Self { before, bytes: Vec::new() }
    }

    /// Checks the bytes of the next event and its link to the one before. Whatever comes of it, the
    /// chain goes on behind it, so that one fault is told once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`], naming the place.
    pub fn follow(&mut self, event: &Stored<'_>) -> Result<(), StoreError> {
        let before = std::mem::replace(&mut self.before, event.hash);
        write_canonical(event, &mut self.bytes);
        checked(event, &self.bytes)?;
        if chained(&before, &self.bytes) == event.hash || planted(Bug::SkipsChain) {
            return Ok(());
        }
        Err(differs("hash chain broken", event))
    }
}
