//! Snapshots on a shelf from which some get lost and some cannot be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use persistence::StoreError;
use persistence::journal::StreamId;
use persistence::snapshots::{Snapshot, Snapshots};
use tokio::time::Instant;

use super::super::outside::Outside;
use super::super::sights::Sight;
use super::ground::{Ground, Inside};

/// The shelf of a world.
pub(super) struct Shelf {
    ground: Arc<Ground>,
    kept: Mutex<BTreeMap<StreamId, Vec<(Instant, Snapshot)>>>,
}

impl Shelf {
    /// An empty one.
    pub(super) fn of(ground: &Arc<Ground>) -> Arc<Self> {
        Arc::new(Self { ground: Arc::clone(ground), kept: Mutex::default() })
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<StreamId, Vec<(Instant, Snapshot)>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Snapshots for Shelf {
    async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError> {
        let now = Instant::now();
        let kept = self.kept();
        // They are put into words on another thread while time stands still, so nobody can tell whether
        // one of this very moment is there yet.
        let newest = |stream| {
            let earlier = kept.get(stream)?.iter().filter(|(at, _)| *at < now);
            earlier.map(|(_, snapshot)| snapshot).max_by_key(|snapshot| snapshot.version).cloned()
        };
        let found: Vec<Snapshot> = streams.iter().filter_map(newest).collect();
        Ok(self.ground.with(|Inside { outside, .. }| {
            found.into_iter().filter_map(|snapshot| find(snapshot, outside)).collect()
        }))
    }

    async fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let kept = self.kept();
        let all = kept.iter().flat_map(|(stream, snapshots)| {
            snapshots.iter().map(move |(_, snapshot)| (stream.to_string(), snapshot.version))
        });
        Ok(all.collect())
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let mut kept = self.kept();
        let snapshots = kept.entry(snapshot.stream.clone()).or_default();
        snapshots.push((Instant::now(), snapshot.clone()));
        Ok(())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.kept().clear();
        Ok(())
    }
}

/// A snapshot as it is found: whole, unreadable, or not at all.
fn find(mut snapshot: Snapshot, outside: &mut Outside) -> Option<Snapshot> {
    if outside.strikes(|faults| faults.snapshots_lost) {
        return None;
    }
    if outside.strikes(|faults| faults.snapshots_rotten) {
        outside.see(Sight::SnapshotIgnored);
        snapshot.body.truncate(snapshot.body.len() / 2);
    } else {
        outside.see(Sight::SnapshotUsed);
    }
    Some(snapshot)
}
