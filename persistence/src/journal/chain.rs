//! Checksum and hash chain: a changed byte, a lost row and a swapped row are all noticed.

use sha2::{Digest as _, Sha256};

use super::record::Record;
use crate::StoreError;

/// A SHA-256 hash.
pub type Digest = [u8; 32];

/// The hash before the first event of a shard.
pub const GENESIS: Digest = [0; 32];

/// Every stored field but checksum and hash, in one unambiguous row of bytes: fixed-width numbers
/// and length-prefixed texts.
fn canonical(record: &Record) -> Vec<u8> {
    let texts = [
        record.stream.as_str(),
        record.name.as_ref(),
        record.meta.as_str(),
        record.payload.as_str(),
    ];
    let length: usize = texts.iter().map(|text| text.len().saturating_add(8)).sum();
    let mut bytes = Vec::with_capacity(length.saturating_add(64));
    bytes.extend_from_slice(&record.shard.0.to_be_bytes());
    bytes.extend_from_slice(&record.position.to_be_bytes());
    bytes.extend_from_slice(&record.epoch.to_be_bytes());
    bytes.extend_from_slice(&record.slot.0.to_be_bytes());
    bytes.extend_from_slice(&record.version.to_be_bytes());
    bytes.extend_from_slice(record.event_id.as_bytes());
    bytes.extend_from_slice(&record.schema.to_be_bytes());
    bytes.extend_from_slice(&record.at.as_unix_micros().to_be_bytes());
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

fn chained(before: &Digest, bytes: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(bytes);
    hasher.finalize().into()
}

/// Fills in checksum and hash of a record that follows `before` in its shard.
pub fn seal(before: &Digest, record: &mut Record) {
    let bytes = canonical(record);
    record.checksum = crc32fast::hash(&bytes);
    record.hash = chained(before, &bytes);
}

/// Checks one record: its own bytes always, and its link to `before` where that is known.
///
/// # Errors
///
/// [`StoreError::Corrupt`], naming the place.
pub fn verify(before: Option<&Digest>, record: &Record) -> Result<(), StoreError> {
    let bytes = canonical(record);
    let place = || format!("shard {} position {}", record.shard, record.position);
    if crc32fast::hash(&bytes) != record.checksum {
        return Err(StoreError::Corrupt(format!("checksum differs at {}", place())));
    }
    match before {
        Some(before) if chained(before, &bytes) != record.hash => {
            Err(StoreError::Corrupt(format!("hash chain broken at {}", place())))
        }
        _ => Ok(()),
    }
}
