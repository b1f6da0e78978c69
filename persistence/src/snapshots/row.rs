//! Between a stored row and a snapshot: the same columns in both databases.

use std::collections::BTreeMap;

use super::Snapshot;
use crate::StoreError;
use crate::journal::{Journal, Shard, StreamId};

/// Which snapshots there are.
pub(super) const LIST: &str = "SELECT stream, version FROM snapshots";

/// The rows of [`LIST`] as the port gives them.
pub(super) fn listed(rows: Vec<(String, i64)>) -> Vec<(String, u64)> {
    rows.into_iter().map(|(stream, version)| (stream, version.cast_unsigned())).collect()
}

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

/// Drops snapshots that the journal does not reach: it was put back from an older copy, while the
/// snapshots were not.
pub(super) async fn of_this_journal(
    journal: &dyn Journal,
    found: Vec<Snapshot>,
) -> Result<Vec<Snapshot>, StoreError> {
    if found.is_empty() {
        return Ok(found);
    }
    let places: Vec<(Shard, u64)> = found.iter().map(|snapshot| snapshot.place).collect();
    let there = journal.read_places(&places).await?.into_iter();
    let there: BTreeMap<(Shard, u64), (StreamId, u64)> =
        there.map(|r| ((r.shard, r.position), (r.stream, r.version))).collect();
    let is_known = |snapshot: &Snapshot| {
        there.get(&snapshot.place).is_some_and(|(stream, version)| {
            *stream == snapshot.stream && snapshot.version <= *version
        })
    };
    Ok(found.into_iter().filter(is_known).collect())
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
