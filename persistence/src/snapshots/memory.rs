//! Snapshots in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Snapshot, Snapshots};
use crate::StoreError;
use crate::journal::StreamId;

/// Snapshots that live and die with the process.
#[derive(Default)]
pub struct MemorySnapshots {
    by_stream: Mutex<BTreeMap<StreamId, Snapshot>>,
}

impl MemorySnapshots {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamId, Snapshot>> {
        self.by_stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Snapshots for MemorySnapshots {
    async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError> {
        let by_stream = self.lock();
        Ok(streams.iter().filter_map(|stream| by_stream.get(stream)).cloned().collect())
    }

    async fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let by_stream = self.lock();
        Ok(by_stream.values().map(|kept| (kept.stream.to_string(), kept.version)).collect())
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let mut by_stream = self.lock();
        let newer = by_stream.get(&snapshot.stream).is_some_and(|s| snapshot.version < s.version);
        if !newer {
            by_stream.insert(snapshot.stream.clone(), snapshot.clone());
        }
        Ok(())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.lock().clear();
        Ok(())
    }
}
