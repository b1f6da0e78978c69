//! Between a stored row and a snapshot: the same columns in both databases.

use super::Snapshot;
use crate::journal::StreamId;

/// The columns of a snapshot.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    stream: String,
    version: i64,
    body: String,
    checksum: i64,
}

impl Row {
    /// The snapshot, if it is what was saved.
    pub(super) fn into_snapshot(self) -> Option<Snapshot> {
        let version = u64::try_from(self.version).ok()?;
        if checksum(&self.stream, version, &self.body) != self.checksum {
            tracing::warn!(stream = self.stream, "a snapshot fails its checksum; it is ignored");
            return None;
        }
        Some(Snapshot { stream: StreamId::parse(&self.stream)?, version, body: self.body })
    }
}

/// CRC-32 of all columns.
pub(super) fn checksum(stream: &str, version: u64, body: &str) -> i64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(stream.len() as u64).to_be_bytes());
    hasher.update(stream.as_bytes());
    hasher.update(&version.to_be_bytes());
    hasher.update(body.as_bytes());
    i64::from(hasher.finalize())
}
