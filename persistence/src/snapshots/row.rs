//! Between a stored row and a snapshot: the same columns in both databases.

use super::Snapshot;
use crate::journal::{Shard, StreamId};

/// The columns of a snapshot.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    stream: String,
    version: i64,
    shard: i32,
    position: i64,
    body: String,
    checksum: i64,
}

impl Row {
    /// The snapshot, if it is what was saved.
    pub(super) fn into_snapshot(self) -> Option<Snapshot> {
        let snapshot = Snapshot {
            stream: StreamId::parse(&self.stream)?,
            version: u64::try_from(self.version).ok()?,
            place: (Shard(u16::try_from(self.shard).ok()?), u64::try_from(self.position).ok()?),
            body: self.body,
        };
        if checksum(&snapshot) != self.checksum {
            let stream = snapshot.stream.as_str();
            tracing::warn!(stream, "a snapshot fails its checksum; it is ignored");
            return None;
        }
        Some(snapshot)
    }
}

/// CRC-32 of everything.
pub(super) fn checksum(snapshot: &Snapshot) -> i64 {
    let (shard, position) = snapshot.place;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(snapshot.stream.as_str().len() as u64).to_be_bytes());
    hasher.update(snapshot.stream.as_str().as_bytes());
    hasher.update(&snapshot.version.to_be_bytes());
    hasher.update(&shard.0.to_be_bytes());
    hasher.update(&position.to_be_bytes());
    hasher.update(snapshot.body.as_bytes());
    i64::from(hasher.finalize())
}
